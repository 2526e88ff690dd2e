"""Acting for a tenant: docs/guides/tenants.md."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import overload

from psycopg.pq import TransactionStatus

from pgqueue.errors import OptionError, UsageError
from pgqueue.store import tenants
from pgqueue.store.asking import ask
from pgqueue.store.connection import (
    AnyConnection,
    AsyncConnection,
    AsyncDriver,
    Driver,
    SyncConnection,
    driver,
    is_async,
)
from pgqueue.store.connection import driver_async as driver_of_async


@overload
def tenant(conn: SyncConnection, name: str) -> None: ...
@overload
def tenant(conn: AsyncConnection, name: str) -> Awaitable[None]: ...
def tenant(conn: AnyConnection, name: str) -> Awaitable[None] | None:
    """The transaction open on `conn` acts for a tenant from here to its end: what it enqueues and reads is its.

    Raises UsageError where no transaction is open (autocommit) or tenants are off, OptionError for what is no name, and
    the database's InsufficientPrivilege where the role may not act for this tenant.
    """
    if not isinstance(name, str):
        raise OptionError(f"a tenant is a text, got {name!r:.80}")
    if is_async(conn):
        return _tenant_async(conn, name)
    _require_transaction(driver(conn))
    ask(conn, tenants.set_tenant(name))
    return None


async def _tenant_async(conn: AsyncConnection, name: str) -> None:
    _require_transaction(await driver_of_async(conn))
    await ask(conn, tenants.set_tenant(name))


def _require_transaction(raw: Driver | AsyncDriver) -> None:
    if raw.autocommit and raw.info.transaction_status == TransactionStatus.IDLE:
        raise UsageError("a tenant is acted for until the end of a transaction, and none is open: begin one first")
