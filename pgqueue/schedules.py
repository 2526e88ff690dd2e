"""Schedules, as producers make them: each function runs one statement in the transaction open on `conn`.

With an async connection each returns an awaitable. None of them commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypedDict, Unpack, overload
from uuid import UUID

from pgqueue import signing
from pgqueue.cron import CatchUp, Overlap, Timing
from pgqueue.errors import OptionError, UsageError
from pgqueue.job import Args, JobOptions, OnConflict, Target, Unique, UniqueUntil
from pgqueue.options import Duration
from pgqueue.store import Statement, schedules
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.tasks import said_of
from pgqueue.vocabulary import unknown_options


class ScheduleOptions(TypedDict, total=False):
    """When a schedule fires, and the options of its jobs, as type checkers know them."""

    cron: str | None
    every: Duration | None
    timezone: str | None
    jitter: Duration | None
    catch_up: CatchUp | None
    cap: int | None
    grace: Duration | None
    overlap: Overlap | None
    queue: str | None
    priority: int | None
    ttl: Duration | None
    timeout: Duration | None
    max_attempts: int | None
    unique_key: str | None
    unique: Unique | None
    unique_until: UniqueUntil | None
    unique_for: Duration | None
    on_conflict: OnConflict | None
    max_wait: Duration | None
    limit_key: str | None
    cost: int | None
    store_result: bool | None
    labels: Mapping[str, str] | None


@overload
def schedule(
    conn: SyncConnection, name: str, target: Target, args: Args = None, **options: Unpack[ScheduleOptions]
) -> bool: ...
@overload
def schedule(
    conn: AsyncConnection, name: str, target: Target, args: Args = None, **options: Unpack[ScheduleOptions]
) -> Awaitable[bool]: ...
def schedule(
    conn: AnyConnection,
    name: str,
    target: Target,
    args: Args = None,
    *,
    cron: str | None = None,
    every: Duration | None = None,
    timezone: str | None = None,
    jitter: Duration | None = None,
    catch_up: CatchUp | None = None,
    cap: int | None = None,
    grace: Duration | None = None,
    overlap: Overlap | None = None,
    queue: str | None = None,
    priority: int | None = None,
    ttl: Duration | None = None,
    timeout: Duration | None = None,
    max_attempts: int | None = None,
    unique_key: str | None = None,
    unique: Unique | None = None,
    unique_until: UniqueUntil | None = None,
    unique_for: Duration | None = None,
    on_conflict: OnConflict | None = None,
    max_wait: Duration | None = None,
    limit_key: str | None = None,
    cost: int | None = None,
    store_result: bool | None = None,
    labels: Mapping[str, str] | None = None,
    **unknown: Any,
) -> bool | Awaitable[bool]:
    """Have a job enqueued again and again, by a cron rule or every so often, once the transaction on `conn` commits.

    A schedule of the same name is replaced: under the same rule its ticks go on, a new rule begins now. True if it is
    new. `cron` has 5 fields, or 6 with seconds behind them, in local time of `timezone` (UTC); `every`, and the other
    times, are seconds or timedeltas. A tick later than `grace` (1 minute) is caught up as `catch_up` says: the last one
    (default), none, or the last `cap`. `jitter` puts each job off by a random part of it. `overlap="skip"` leaves a
    tick out while the job before lives. The rest is as in enqueue(), but that `on_conflict` is keep or replace.

    Raises OptionError for a rule or zone that is misspelt, with the nearest right one; UsageError if code declares a
    schedule of that name; TargetError, ArgumentError. O(log n).
    """
    if unknown:
        raise OptionError(unknown_options("schedule", unknown, list(ScheduleOptions.__annotations__)))
    timing = Timing(
        cron=cron,
        every=every,
        timezone=timezone,
        jitter=jitter,
        catch_up=catch_up,
        cap=cap,
        grace=grace,
        overlap=overlap,
    )
    options = JobOptions(
        queue=queue,
        priority=priority,
        ttl=ttl,
        timeout=timeout,
        max_attempts=max_attempts,
        unique_key=unique_key,
        unique=unique,
        unique_until=unique_until,
        unique_for=unique_for,
        on_conflict=on_conflict,
        max_wait=max_wait,
        limit_key=limit_key,
        cost=cost,
        store_result=store_result,
        labels=labels,
    )
    return ask(conn, _put(name, schedules.put(said_of(name, target, args, timing, options), signing.signer())))


@overload
def unschedule(conn: SyncConnection, name: str) -> bool: ...
@overload
def unschedule(conn: AsyncConnection, name: str) -> Awaitable[bool]: ...
def unschedule(conn: AnyConnection, name: str) -> bool | Awaitable[bool]:
    """Remove a schedule; its jobs and its history stay. False if there is none of this name. O(log n)."""
    return ask(conn, schedules.remove(name))


@overload
def pause_schedule(conn: SyncConnection, name: str) -> bool: ...
@overload
def pause_schedule(conn: AsyncConnection, name: str) -> Awaitable[bool]: ...
def pause_schedule(conn: AnyConnection, name: str) -> bool | Awaitable[bool]:
    """Let a schedule fire no more until it is resumed. False if there is none of this name. O(log n)."""
    return ask(conn, schedules.pause(name))


@overload
def resume_schedule(conn: SyncConnection, name: str) -> bool: ...
@overload
def resume_schedule(conn: AsyncConnection, name: str) -> Awaitable[bool]: ...
def resume_schedule(conn: AnyConnection, name: str) -> bool | Awaitable[bool]:
    """Let a paused schedule go on: what it missed is caught up as its `catch_up` says.

    False if there is none of this name. O(log n).
    """
    return ask(conn, schedules.resume(name))


@overload
def run_schedule(conn: SyncConnection, name: str) -> UUID | None: ...
@overload
def run_schedule(conn: AsyncConnection, name: str) -> Awaitable[UUID | None]: ...
def run_schedule(conn: AnyConnection, name: str) -> UUID | Awaitable[UUID | None] | None:
    """Enqueue one more job of a schedule now, paused or not; answers its id, None if there is no such schedule."""
    return ask(conn, schedules.run(name))


def _put(name: str, statement: Statement[bool | None]) -> Statement[bool]:
    def read(rows: Any) -> bool:
        is_new = statement.read(rows)
        if is_new is None:
            raise UsageError(f"the schedule {name!r} is declared in code; change it there, or pause it")
        return is_new

    return Statement(statement.sql, statement.params, read)
