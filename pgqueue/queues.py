"""Queues, as people set them: each function runs one statement in the transaction open on `conn`.

With an async connection each returns an awaitable. None of them commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import overload

from pgqueue.errors import OptionError
from pgqueue.options import Duration, check_choice, check_duration, check_integer, check_name
from pgqueue.retry import seconds
from pgqueue.store import queues
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection

# What a queue may say of its jobs where they, and their task, say nothing.
SETTINGS = ("timeout", "max_attempts", "priority", "ageing", "allow")
# So many targets, or globs of them, a queue may allow; as allow_targets.sql has it.
MOST_ALLOWED = 100


@overload
def set_queue(
    conn: SyncConnection,
    queue: str,
    *,
    timeout: Duration | None = None,
    max_attempts: int | None = None,
    priority: int | None = None,
    ageing: Duration | None = None,
) -> None: ...
@overload
def set_queue(
    conn: AsyncConnection,
    queue: str,
    *,
    timeout: Duration | None = None,
    max_attempts: int | None = None,
    priority: int | None = None,
    ageing: Duration | None = None,
) -> Awaitable[None]: ...
def set_queue(
    conn: AnyConnection,
    queue: str,
    *,
    timeout: Duration | None = None,
    max_attempts: int | None = None,
    priority: int | None = None,
    ageing: Duration | None = None,
) -> Awaitable[None] | None:
    """Say what holds of a queue's jobs where neither they nor their task do; what is not given stays as it is.

    `timeout` and `max_attempts` hold from the next start on, also of jobs that wait; `priority` for jobs to come;
    `ageing` is how much waiting a level of priority is worth there. Raises OptionError.
    """
    _check(queue)
    check_duration("timeout", timeout, zero=False, infinite=False)
    check_integer("max_attempts", max_attempts, 1, 32_767)
    check_integer("priority", priority, 0, 9)
    check_duration("ageing", ageing, zero=False, infinite=False)
    said = queues.Settings(queue, _length(timeout), max_attempts, priority, _length(ageing))
    if not any(value is not None for value in said[1:]):
        raise OptionError(f"nothing is said of queue {queue!r}; give {', '.join(SETTINGS[:-1])}, or some of them")
    return ask(conn, queues.set_settings(said))


@overload
def unset_queue(conn: SyncConnection, queue: str, *names: str) -> None: ...
@overload
def unset_queue(conn: AsyncConnection, queue: str, *names: str) -> Awaitable[None]: ...
def unset_queue(conn: AnyConnection, queue: str, *names: str) -> Awaitable[None] | None:
    """Let a queue say nothing any more of its timeout, max_attempts, priority, ageing, or of what it allows.

    Of those named, else of all. Raises OptionError.
    """
    _check(queue)
    for name in names:
        check_choice("a setting of a queue", name, SETTINGS)
    return ask(conn, queues.unset(queue, names or SETTINGS))


@overload
def allow_targets(conn: SyncConnection, queue: str, patterns: Sequence[str] | None) -> None: ...
@overload
def allow_targets(conn: AsyncConnection, queue: str, patterns: Sequence[str] | None) -> Awaitable[None]: ...
def allow_targets(conn: AnyConnection, queue: str, patterns: Sequence[str] | None) -> Awaitable[None] | None:
    """Let a queue take jobs of these targets alone, or of globs of them such as `shop.mail:*`; None: of any.

    Who enqueues another there is refused in their transaction; what waits there already, or comes another way, is
    buried by the worker that claims it, as `refused`. For the owner of the schema. Raises OptionError; psycopg's
    LockNotAvailable if a transaction that has enqueued has been open for a second.
    """
    _check(queue)
    if patterns is not None:
        _check_patterns(patterns)
    return ask(conn, queues.allow(queue, patterns))


@overload
def pause_queue(conn: SyncConnection, queue: str, duration: Duration | None = None) -> None: ...
@overload
def pause_queue(conn: AsyncConnection, queue: str, duration: Duration | None = None) -> Awaitable[None]: ...
def pause_queue(conn: AnyConnection, queue: str, duration: Duration | None = None) -> Awaitable[None] | None:
    """Stop claims from a queue until it is resumed, or for so long by the database's clock; what runs goes on.

    Raises OptionError.
    """
    _check(queue)
    check_duration("a pause", duration, zero=False, infinite=False)
    return ask(conn, queues.pause(queue, _length(duration)))


@overload
def resume_queue(conn: SyncConnection, queue: str) -> None: ...
@overload
def resume_queue(conn: AsyncConnection, queue: str) -> Awaitable[None]: ...
def resume_queue(conn: AnyConnection, queue: str) -> Awaitable[None] | None:
    """Go on with claims from a queue; idle workers hear of it. Raises OptionError."""
    _check(queue)
    return ask(conn, queues.resume(queue))


def _check(queue: str) -> None:
    if queue is None:
        raise OptionError("queue must be a name, got None")
    check_name("queue", queue)


def _length(given: Duration | None) -> float | None:
    return None if given is None else seconds(given)


def _check_patterns(patterns: Sequence[str]) -> None:
    if isinstance(patterns, str) or not 1 <= len(patterns) <= MOST_ALLOWED:
        raise OptionError(
            f"a queue allows a list of 1 to {MOST_ALLOWED} targets or globs of them, got {patterns!r:.80};"
            " None allows any"
        )
    for pattern in patterns:
        check_name("what a queue allows", pattern)
        if ":" not in pattern and "*" not in pattern:
            raise OptionError(
                f"what a queue allows is a target 'module:function', or a glob of them such as 'shop.mail:*',"
                f" got {pattern!r:.80}"
            )
