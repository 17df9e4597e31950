"""What the examples' tests share: a Redis and browsers, started once for a module and ended with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from tests.examples.flask_app.browser import Browsers
from tests.examples.flask_app.serving import free_port, redis_server


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    pytest.importorskip("redis", reason="redis is not installed: pip install -r examples/flask_app/requirements.txt")
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with redis_server(free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def browsers() -> Iterator[Browsers]:
    browsers = Browsers()
    yield browsers
    browsers.close()
