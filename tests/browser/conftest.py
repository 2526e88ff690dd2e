"""`started`: a browser; `site`: the address of a dashboard of the test's database.

The browser lives as long as a module: its event loop runs in this thread, where tests of other modules have theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import create_app
from tests.browser.browsing import browser, chromium
from tests.conftest import Connect
from tests.dashboard.serving import served


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    if chromium() is None:
        pytest.skip("no Chromium here: `make test-browser` installs it, or PGQUEUE_TEST_CHROMIUM names one")
    with browser() as started:
        yield started


@pytest.fixture
def site(dsn: str) -> Iterator[str]:
    app = create_app(dsn)
    with served(app) as address:
        yield address


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection[Any]:
    """A connection in autocommit mode: a job is due for those alone whose transaction began later."""
    return connect(autocommit=True)
