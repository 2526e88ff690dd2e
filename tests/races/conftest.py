"""`db` commits each statement; `one`, `two` and `three` are sides of a race; `sides` runs one of them apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Connect
from tests.factories import Conn
from tests.races.interleave import Sides


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


@pytest.fixture
def one(connect: Connect) -> Conn:
    return connect()


@pytest.fixture
def two(connect: Connect) -> Conn:
    return connect()


@pytest.fixture
def three(connect: Connect) -> Conn:
    return connect()


@pytest.fixture
def sides(connect: Connect) -> Iterator[Sides]:
    sides = Sides(connect(autocommit=True))
    yield sides
    sides.close()
