"""`db`: a connection on which each statement commits, beside the one under test."""

from __future__ import annotations

import pytest

from tests.conftest import Connect
from tests.factories import Conn


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)
