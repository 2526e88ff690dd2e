"""`db`: a connection on which each statement commits."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.conftest import Connect


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    return connect(autocommit=True)
