"""``python -m facelive`` is the ``facelive`` command."""

import sys

from facelive.cli import main

sys.exit(main())
