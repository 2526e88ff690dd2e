"""Limits, as people set them: each function runs one statement in the transaction open on `conn`.

With an async connection each returns an awaitable. None of them commits.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Literal, overload

from pgqueue.errors import OptionError
from pgqueue.options import check_choice, check_flag, check_integer, check_name
from pgqueue.rate import rate_of
from pgqueue.store import limits
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.tasks import Task, target_of
from pgqueue.tasks.limited import OnDead

Scope = Literal["queue", "task", "key"]
OnFull = Literal["raise", "drop_oldest"]
SCOPES = ("queue", "task", "key")


@overload
def set_limit(
    conn: SyncConnection,
    scope: Scope,
    name: str | Task[..., Any],
    *,
    concurrency: int | None = None,
    rate: str | None = None,
    burst: int | None = None,
    weight: int | None = None,
    ordered: bool | None = None,
    on_dead: OnDead | None = None,
) -> bool: ...
@overload
def set_limit(
    conn: AsyncConnection,
    scope: Scope,
    name: str | Task[..., Any],
    *,
    concurrency: int | None = None,
    rate: str | None = None,
    burst: int | None = None,
    weight: int | None = None,
    ordered: bool | None = None,
    on_dead: OnDead | None = None,
) -> Awaitable[bool]: ...
def set_limit(
    conn: AnyConnection,
    scope: Scope,
    name: str | Task[..., Any],
    *,
    concurrency: int | None = None,
    rate: str | None = None,
    burst: int | None = None,
    weight: int | None = None,
    ordered: bool | None = None,
    on_dead: OnDead | None = None,
) -> bool | Awaitable[bool]:
    """Let at most so many jobs of a queue, a task or a limit key run at once, or start in a time, once `conn` commits.

    `name` is the queue, the task, or the key; `tenant:*` is every key that begins so, each with a share of its own,
    and of several that fit the longest rules. `rate` reads like `100/m`: a strict window; `burst` is how many of them
    may start at once. What is left out stays as it is; 0, and the rate `none`, lift a field. True if it is new. It
    wins over what code declares of the same name.

    Raises OptionError. O(log n).
    """
    check_choice("scope", scope, SCOPES)
    named = target_of(name) if scope == "task" else name
    if not isinstance(named, str):
        raise OptionError(f"the name of a {scope} must be a text, got {name!r:.80}")
    check_name("name", named)
    # 0 lifts a field.
    check_integer("concurrency", concurrency, 0, limits.MOST)
    if rate is not None and rate != "none":
        rate_of(rate)
    check_integer("burst", burst, 0, limits.MOST_STARTS)
    check_integer("weight", weight, 1, limits.MOST_WEIGHT)
    check_flag("ordered", ordered)
    check_choice("on_dead", on_dead, ("go on", "stop"))
    return ask(conn, limits.put(scope, named, concurrency, rate, burst, weight, ordered, on_dead))


@overload
def set_max_size(conn: SyncConnection, queue: str, max_size: int | None, *, on_full: OnFull | None = None) -> None: ...
@overload
def set_max_size(
    conn: AsyncConnection, queue: str, max_size: int | None, *, on_full: OnFull | None = None
) -> Awaitable[None]: ...
def set_max_size(
    conn: AnyConnection, queue: str, max_size: int | None, *, on_full: OnFull | None = None
) -> Awaitable[None] | None:
    """Let a queue hold at most so many live jobs, once `conn` commits; None or 0 lifts it.

    `on_full`: `raise` (usual) has an enqueue that finds it full raise QueueFull; `drop_oldest` cancels the jobs that
    have waited longest. Commit soon: until then others wait who enqueue. For the owner of the schema. Raises
    OptionError; psycopg's LockNotAvailable if a transaction that has enqueued has been open for a second.
    """
    if queue is None:
        raise OptionError("queue must be a text, got None")
    check_name("queue", queue)
    check_integer("max_size", max_size, 0, limits.MOST_HELD)
    check_choice("on_full", on_full, ("raise", "drop_oldest"))
    return ask(conn, limits.put_size(queue, max_size, on_full))


@overload
def remove_limit(conn: SyncConnection, scope: Scope, name: str | Task[..., Any]) -> bool: ...
@overload
def remove_limit(conn: AsyncConnection, scope: Scope, name: str | Task[..., Any]) -> Awaitable[bool]: ...
def remove_limit(conn: AnyConnection, scope: Scope, name: str | Task[..., Any]) -> bool | Awaitable[bool]:
    """Remove a limit, once `conn` commits; False if there is none of this name. O(log n).

    One that code declares comes back within a minute: set it by hand, without numbers, to lift it.
    """
    check_choice("scope", scope, SCOPES)
    named = target_of(name) if scope == "task" else name
    if not isinstance(named, str):
        raise OptionError(f"the name of a {scope} must be a text, got {name!r:.80}")
    return ask(conn, limits.remove(scope, named))
