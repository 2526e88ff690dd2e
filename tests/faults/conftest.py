"""The fixtures of the worker tests serve here, too; and a proxy before the test's server that can fail in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.faults.silence import SilentProxy
from tests.worker.conftest import desk, spawn, start

__all__ = ["desk", "spawn", "start"]


@pytest.fixture
def proxy(dsn: str) -> Iterator[SilentProxy]:
    given = conninfo_to_dict(dsn)
    proxy = SilentProxy(str(given["host"]), int(str(given["port"])))
    yield proxy
    proxy.close()


@pytest.fixture
def proxied(dsn: str, proxy: SilentProxy) -> str:
    """How to reach the test's database through the proxy."""
    return make_conninfo(dsn, port=proxy.port, sslmode="disable", gssencmode="disable")
