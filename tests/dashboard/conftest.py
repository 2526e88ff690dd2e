"""`app`: a dashboard of the test's database, as somebody at the machine itself sees it; `new_app(auth=...)`: others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import Dashboard, create_app
from tests.conftest import Connect

NewApp = Callable[..., Dashboard]


@pytest.fixture
def new_app(dsn: str) -> Iterator[NewApp]:
    made: list[Dashboard] = []

    def new_app(**options: Any) -> Dashboard:
        made.append(create_app(**({} if "pool" in options else {"dsn": dsn}), **options))
        return made[-1]

    yield new_app
    for each in made:
        asyncio.run(each.aclose())


@pytest.fixture
def app(new_app: NewApp) -> Dashboard:
    return new_app()


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection[Any]:
    """A connection in autocommit mode: a job is due for those alone whose transaction began later."""
    return connect(autocommit=True)
