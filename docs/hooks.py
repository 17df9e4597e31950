"""What the build of the site does beyond its configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the build may start anywhere

from docs import figures


def on_pre_build(config: Any) -> None:
    """Draw the figures anew, so that none is older than what was measured."""
    figures.main()
