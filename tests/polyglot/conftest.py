"""Workers and executors that run programs, and a server that answers as a test says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.polyglot.server import Server
from tests.worker.conftest import desk, make, spawn, start  # noqa: F401  # fixtures


@pytest.fixture
def web() -> Iterator[Server]:
    """A server of HTTP on 127.0.0.1."""
    with Server() as web:
        yield web
