"""What is enqueued, and whether it is what a test expects: asked in the test's own transaction."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, TypeVar, Unpack, overload

from pgqueue.errors import OptionError
from pgqueue.job import Target
from pgqueue.options import Duration
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.unclaimed import Unclaimed, unclaimed
from pgqueue.tasks import target_of
from pgqueue.testing.waiting import Expected, Waiting

T = TypeVar("T")
# Jobs that are looked at, and those that a message shows.
MOST, SHOWN = 1_000, 5


class ExpectedOptions(TypedDict, total=False):
    """What a job must have been enqueued with; `delay` may be a pair: at least and at most. `labels` are among its."""

    queue: str
    priority: int
    delay: Duration | tuple[Duration, Duration]
    run_at: datetime
    unique_key: str
    limit_key: str
    labels: Mapping[str, str]


@overload
def enqueued(conn: SyncConnection, target: Target | None = None, *, queue: str | None = None) -> list[Waiting]: ...
@overload
def enqueued(
    conn: AsyncConnection, target: Target | None = None, *, queue: str | None = None
) -> Awaitable[list[Waiting]]: ...
def enqueued(
    conn: AnyConnection, target: Target | None = None, *, queue: str | None = None
) -> list[Waiting] | Awaitable[list[Waiting]]:
    """The jobs that wait, as the transaction on `conn` sees them, in the order of their ids; the last 1,000 at most."""
    name = None if target is None else target_of(target)
    return _asked(conn, name, queue, lambda found: found)


@overload
def assert_enqueued(
    conn: SyncConnection,
    target: Target,
    *,
    args: Any = ...,
    count: int | None = None,
    **options: Unpack[ExpectedOptions],
) -> list[Waiting]: ...
@overload
def assert_enqueued(
    conn: AsyncConnection,
    target: Target,
    *,
    args: Any = ...,
    count: int | None = None,
    **options: Unpack[ExpectedOptions],
) -> Awaitable[list[Waiting]]: ...
def assert_enqueued(
    conn: AnyConnection,
    target: Target,
    *,
    args: Any = ...,
    count: int | None = None,
    **options: Unpack[ExpectedOptions],
) -> list[Waiting] | Awaitable[list[Waiting]]:
    """Assert that such a job waits, `count` of them if that is said; answers them.

    `args` may be given by place or by name; `...` in it stands for anything. Raises AssertionError that says how the
    nearest job differs.
    """
    if count is not None and not 0 <= count < MOST:
        raise OptionError(f"count must be from 0 to {MOST - 1}, got {count!r}")
    name, expected = target_of(target), Expected(args, **options)
    return _asked(conn, None, None, lambda found: _fitting(name, expected, count, found))


@overload
def refute_enqueued(
    conn: SyncConnection, target: Target, *, args: Any = ..., **options: Unpack[ExpectedOptions]
) -> None: ...
@overload
def refute_enqueued(
    conn: AsyncConnection, target: Target, *, args: Any = ..., **options: Unpack[ExpectedOptions]
) -> Awaitable[None]: ...
def refute_enqueued(
    conn: AnyConnection, target: Target, *, args: Any = ..., **options: Unpack[ExpectedOptions]
) -> Awaitable[None] | None:
    """Assert that no such job waits."""
    name, expected = target_of(target), Expected(args, **options)
    return _asked(conn, None, None, lambda found: (_fitting(name, expected, 0, found), None)[1])


def _asked(
    conn: AnyConnection, target: str | None, queue: str | None, read: Callable[[list[Waiting]], T]
) -> T | Awaitable[T]:
    answer: Any = ask(conn, unclaimed(target, queue, MOST))
    if isinstance(answer, list):
        return read(_jobs(answer))

    async def later() -> T:
        return read(_jobs(await answer))

    return later()


def _jobs(rows: Sequence[Unclaimed]) -> list[Waiting]:
    return [Waiting.of(row) for row in rows]


def _fitting(name: str, expected: Expected, count: int | None, found: list[Waiting]) -> list[Waiting]:
    named = [job for job in found if job.target == name]
    fitting = [job for job in named if not expected.differences(job)]
    if count is None and fitting:
        return fitting
    if count == len(fitting):
        return fitting
    raise AssertionError(_message(name, expected, count, fitting, named, found))


def _message(
    name: str,
    expected: Expected,
    count: int | None,
    fitting: Sequence[Waiting],
    named: Sequence[Waiting],
    found: Sequence[Waiting],
) -> str:
    wanted = f"expected {'a job' if count is None else f'{count} of the jobs'} {name}, found {len(fitting)}"
    if fitting:
        return f"{wanted} that fit:\n{_list(fitting)}"
    if named:
        nearest = min(named, key=lambda job: len(expected.differences(job)))
        differences = "\n".join(f"    {each}" for each in expected.differences(nearest))
        return f"{wanted} that fits; the nearest of {len(named)} is\n  {nearest}\n{differences}"
    if not found:
        return f"{wanted}: nothing is enqueued, as far as this transaction sees"
    targets = sorted({job.target for job in found})
    meant = difflib.get_close_matches(name, targets, n=1)
    hint = f"; did you mean {meant[0]}?" if meant else ""
    return f"{wanted}{hint}; enqueued are:\n{_list(found)}"


def _list(jobs: Sequence[Waiting]) -> str:
    more = [f"  and {len(jobs) - SHOWN} more"] if len(jobs) > SHOWN else []
    return "\n".join([*(f"  {job}" for job in jobs[:SHOWN]), *more])
