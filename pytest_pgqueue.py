"""The pytest plugin of pgqueue: fixtures for databases of tests.

A module of its own, outside of the package: pytest imports it at every start, and it imports nothing before a fixture
is used. See pgqueue.testing for everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import psycopg

    from pgqueue.testing import ScratchDatabase


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option `pgqueue_test_dsn`."""
    parser.addini(
        "pgqueue_test_dsn",
        "server for scratch databases of pgqueue, where PGQUEUE_TEST_DSN names none (default: an embedded one)",
        default="",
    )


@pytest.fixture(scope="session")
def pgqueue_prepare() -> Callable[[str], object] | None:
    """Override it to fill the template, once a process: a function that is given its DSN, and leaves no connection."""
    return None


@pytest.fixture(scope="session")
def _pgqueue_template(pytestconfig: pytest.Config, pgqueue_prepare: Callable[[str], object] | None) -> Iterator[Any]:
    import os

    from pgqueue.testing.server import VARIABLE, databases_at

    databases = databases_at(os.environ.get(VARIABLE) or pytestconfig.getini("pgqueue_test_dsn") or None)
    template = databases.template(pgqueue_prepare)
    yield databases, template
    if pgqueue_prepare is not None:
        databases.drop(template)


@pytest.fixture(scope="session")
def pgqueue_session_db(_pgqueue_template: Any) -> Iterator[ScratchDatabase]:
    """A migrated database that all tests of this process share."""
    databases, template = _pgqueue_template
    with databases.create(template) as database:
        yield database


@pytest.fixture
def pgqueue_db(_pgqueue_template: Any) -> Iterator[ScratchDatabase]:
    """A migrated database of this test alone; what it commits goes with it."""
    databases, template = _pgqueue_template
    with databases.create(template) as database:
        yield database


@pytest.fixture
def pgqueue_conn(pgqueue_session_db: ScratchDatabase) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the shared database; whatever the test does on it is rolled back, if it does not commit."""
    with pgqueue_session_db.rolled_back() as conn:
        yield conn
