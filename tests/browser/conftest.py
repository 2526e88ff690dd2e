"""`started`: the browser, one a session; `site`: the address of a dashboard of the test's database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import create_app
from tests.browser.browsing import browser, chromium
from tests.conftest import Connect
from tests.dashboard.serving import served


@pytest.fixture(scope="session")
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
    asyncio.run(app.aclose())


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection[Any]:
    """A connection in autocommit mode: a job is due for those alone whose transaction began later."""
    return connect(autocommit=True)
