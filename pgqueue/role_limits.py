"""What roles may enqueue, as people say it: each function runs one statement in the transaction open on `conn`.

With an async connection each returns an awaitable. None of them commits.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import overload

from pgqueue.errors import OptionError
from pgqueue.options import check_integer
from pgqueue.rate import MOST_STARTS, rate_of
from pgqueue.store import role_limits
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection

# So many bytes a name of PostgreSQL has at most.
LONGEST_ROLE = 63


@overload
def set_role_limit(
    conn: SyncConnection,
    role: str,
    *,
    rate: str | None = None,
    burst: int | None = None,
    max_queues: int | None = None,
    max_size: int | None = None,
    max_args: int | None = None,
) -> bool: ...
@overload
def set_role_limit(
    conn: AsyncConnection,
    role: str,
    *,
    rate: str | None = None,
    burst: int | None = None,
    max_queues: int | None = None,
    max_size: int | None = None,
    max_args: int | None = None,
) -> Awaitable[bool]: ...
def set_role_limit(
    conn: AnyConnection,
    role: str,
    *,
    rate: str | None = None,
    burst: int | None = None,
    max_queues: int | None = None,
    max_size: int | None = None,
    max_args: int | None = None,
) -> bool | Awaitable[bool]:
    """Say what a role of the database may enqueue, with all that are members of it; `*` is every role.

    `rate` reads like `100/s`, `burst` is how many of them may come at once; `max_queues` in how many queues jobs may
    wait for it to bring a new one, `max_size` how many live jobs a queue without a size of its own may hold, `max_args`
    how many bytes of arguments, labels and follow-ups a job may have. What is left out stays; 0, and the rate `none`,
    lift a field. True if it had no limit. Beyond one who enqueues meets EnqueueLimit, or QueueFull.

    For the owner of the schema. Raises OptionError; psycopg's LockNotAvailable if the first limit of all meets a
    transaction that has enqueued and has been open for a second.
    """
    _check(role)
    if rate is not None and rate != "none":
        rate_of(rate)
    check_integer("burst", burst, 0, MOST_STARTS)
    check_integer("max_queues", max_queues, 0, role_limits.MOST_QUEUES)
    check_integer("max_size", max_size, 0, role_limits.MOST_HELD)
    check_integer("max_args", max_args, 0, role_limits.MOST_BYTES)
    return ask(conn, role_limits.put(role, rate, burst, max_queues, max_size, max_args))


@overload
def remove_role_limit(conn: SyncConnection, role: str) -> bool: ...
@overload
def remove_role_limit(conn: AsyncConnection, role: str) -> Awaitable[bool]: ...
def remove_role_limit(conn: AnyConnection, role: str) -> bool | Awaitable[bool]:
    """Let a role enqueue as much as it likes again, but for what holds of all; False if it had no limit of its own.

    For the owner of the schema. Raises OptionError.
    """
    _check(role)
    return ask(conn, role_limits.remove(role))


def _check(role: str) -> None:
    if not isinstance(role, str) or not 1 <= len(role.encode()) <= LONGEST_ROLE:
        raise OptionError(f"role must be the name of a role of the database, or '*' for all, got {role!r:.80}")
