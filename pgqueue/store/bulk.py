"""Very many jobs at once: rows for COPY, made while the server reads them.

COPY takes plain jobs alone: what needs the database's clock or a look at other jobs (delay, ttl, unique keys, job_id)
goes through the function `enqueue_jobs`, and so do batches too small to pay for COPY's round trips.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import attrgetter
from typing import overload
from uuid import UUID

from pgqueue import encryption
from pgqueue.codec import args_of
from pgqueue.ids import new_job_ids
from pgqueue.job import DEFAULT_PRIORITY, DEFAULT_QUEUE, NewJob
from pgqueue.retry import seconds
from pgqueue.signing import Signer
from pgqueue.store import copying, inserting
from pgqueue.store.connection import (
    ASYNC,
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    awaited,
    driver,
    driver_async,
    is_async,
)
from pgqueue.store.drivers.complaints import errors_of
from pgqueue.store.inserting import Headers
from pgqueue.store.kept_args import kept_args
from pgqueue.store.keys import ABOUT_KEYS
from pgqueue.store.statement import Statement, execute, nothing, only_value
from pgqueue.store.whole import whole, whole_async

# From here on two more round trips cost less than what COPY saves.
FEWEST = 100
# Rows a message: enough that the server never waits, few enough to stay in the processor's cache.
_CHUNK = 500
# And no more than this at once, however large their arguments are.
_CHUNK_BYTES = 1024 * 1024
# What the database's clock or a look at other jobs decides.
_NOT_PLAIN = attrgetter(
    "delay",
    "ttl",
    "run_at",
    "job_id",
    "unique_key",
    "unique",
    *ABOUT_KEYS,
    "on_success",
    "on_failure",
    "on_end",
    "dead_to",
)
_NOTHING = (None,) * 14
# What an insert alone can do: as the session says, or nothing at all.
_PLAIN_NOTIFY = (None, "off")
_SPECIAL = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def is_plain(conn: AnyConnection, new_jobs: Sequence[NewJob]) -> bool:
    """Whether these jobs can and should be copied, on this connection."""
    if not copying.is_possible(conn):
        return False
    return len(new_jobs) >= FEWEST and all(
        said == _NOTHING and new.notify in _PLAIN_NOTIFY
        for new, said in zip(new_jobs, map(_NOT_PLAIN, new_jobs), strict=True)
    )


def is_copied(new: NewJob) -> bool:
    """Whether an insert alone makes this job."""
    said: bool = _NOT_PLAIN(new) == _NOTHING
    return said and new.notify in _PLAIN_NOTIFY


@overload
def copy(
    conn: SyncConnection, new_jobs: Sequence[NewJob], headers: Headers = None, signer: Signer | None = None
) -> list[UUID]: ...
@overload
def copy(
    conn: AsyncConnection, new_jobs: Sequence[NewJob], headers: Headers = None, signer: Signer | None = None
) -> Awaitable[list[UUID]]: ...
def copy(
    conn: AnyConnection, new_jobs: Sequence[NewJob], headers: Headers = None, signer: Signer | None = None
) -> list[UUID] | Awaitable[list[UUID]]:
    """(nothing) -> ready, for plain jobs, in the transaction open on `conn`; answers the ids. O(batch log n).

    Raises ArgumentError; then nothing was written, and the transaction is as it was.
    """
    if is_async(conn):
        return _copy_async(conn, new_jobs, headers, signer)
    ids: list[UUID] = []
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        return awaited(_copy_async(raw, new_jobs, headers, signer))
    if signer is not None:
        headers = headers or [None] * len(new_jobs)
    said = said_by(new_jobs)
    unsaid = unsaid_where(execute(raw, IS_FILLED)) if is_mixed(new_jobs, said) else {}
    try:
        with whole(raw):
            copying.write(raw, _statement(said, headers), _rows(new_jobs, said, unsaid, ids, headers, signer))
    except errors_of(raw) as error:
        if not inserting.is_needed(error):
            raise
        return inserting.insert(raw, new_jobs, headers, signer)
    if (told := to_wake(new_jobs)) is not None:
        execute(raw, told)
    return ids


async def _copy_async(
    conn: AsyncConnection, new_jobs: Sequence[NewJob], headers: Headers, signer: Signer | None
) -> list[UUID]:
    ids: list[UUID] = []
    raw = await driver_async(conn)
    if signer is not None:
        headers = headers or [None] * len(new_jobs)
    said = said_by(new_jobs)
    unsaid = unsaid_where(await execute(raw, IS_FILLED)) if is_mixed(new_jobs, said) else {}
    try:
        async with whole_async(raw):
            rows = _rows(new_jobs, said, unsaid, ids, headers, signer)
            await copying.write_async(raw, _statement(said, headers), rows)
    except errors_of(raw) as error:
        if not inserting.is_needed(error):
            raise
        return await inserting.insert_async(raw, new_jobs, headers, signer)
    if (told := to_wake(new_jobs)) is not None:
        await execute(raw, told)
    return ids


def _statement(said: Sequence[str], headers: Headers) -> str:
    columns = ("id", "target", "args", *said, *(("headers",) if headers else ()))
    return f"copy pgqueue.jobs ({', '.join(columns)}) from stdin"


def said_by(new_jobs: Sequence[NewJob]) -> list[str]:
    """The options that any of them has: only their columns are sent."""
    options = attrgetter(*_OPTIONAL)
    nothing_said = (None,) * len(_OPTIONAL)
    found = {
        name
        for values in map(options, new_jobs)
        if values != nothing_said
        for name, value in zip(_OPTIONAL, values, strict=True)
        if value is not None
    }
    said = [name for name in _OPTIONAL if name in found]
    return [*said, *_WAITING] if "limit_key" in found else said


def is_mixed(new_jobs: Sequence[NewJob], said: Sequence[str]) -> bool:
    """Whether some say where they wait and others do not: what that means the database must tell (fill_in.sql)."""
    return any(name in said and any(getattr(new, name) is None for new in new_jobs) for name in _DEFAULTS)


def unsaid_where(filled: bool) -> Mapping[str, str]:
    """What stands where a job does not say what others do; if that is filled in, nothing."""
    return {} if filled else _DEFAULTS


_DEFAULTS = {"queue": DEFAULT_QUEUE, "priority": str(DEFAULT_PRIORITY)}
IS_FILLED: Statement[bool] = Statement("select pgqueue.is_filled()", (), only_value)


def to_wake(new_jobs: Sequence[NewJob]) -> Statement[None] | None:
    """Tell idle workers of the queues of these jobs; None if nobody is to be told."""
    heard = [new for new in new_jobs if new.notify is None]
    if not heard:
        return None
    queues = {new.queue for new in heard}
    targets = {new.name for new in heard if new.queue is None} if None in queues else set()
    return Statement(_WAKE, (sorted(filter(None, queues)), sorted(targets)), nothing)


_WAKE = """
select pgqueue.wake(told.queue)
from (select pg_catalog.unnest($1::pg_catalog.text[]) as queue
      union select pgqueue.route(target) from pg_catalog.unnest($2::pg_catalog.text[]) as target) as told
"""


def _rows(
    new_jobs: Sequence[NewJob],
    said: Sequence[str],
    unsaid: Mapping[str, str],
    ids: list[UUID],
    headers: Headers,
    signer: Signer | None,
) -> Iterator[str]:
    for start in range(0, len(new_jobs), _CHUNK):
        chunk = new_jobs[start : start + _CHUNK]
        fresh = new_job_ids(len(chunk))
        ids += fresh
        rest = [written_options(new, said, unsaid) for new in chunk] if said else repeat("")
        texts: Iterable[str] = map(args_of, chunk)
        if encryption.is_on():
            texts = map(kept_args, chunk, texts, fresh)
        if headers:
            more_headers: Sequence[str | None] = headers[start : start + _CHUNK]
            if signer is not None:
                texts = written = list(texts)
                each = zip(chunk, fresh, written, more_headers, strict=True)
                more_headers = [signer.job(new, job_id, text, header) for new, job_id, text, header in each]
            rest = [f"{more}\t{copied(text)}" for more, text in zip(rest, more_headers, strict=False)]
        rows, size = [], 0
        for job_id, new, args, more in zip(fresh, chunk, texts, rest, strict=False):
            row = f"{job_id.int:032x}\t{_escaped(new.name)}\t{_escaped(args)}{more}\n"
            size += len(row)
            rows.append(row)
            if size > _CHUNK_BYTES:
                yield "".join(rows)
                rows, size = [], 0
        if rows:
            yield "".join(rows)


def written_options(new: NewJob, said: Sequence[str], unsaid: Mapping[str, str]) -> str:
    """The columns of a job's options, each behind a tab."""
    texts = (unsaid.get(name) if (text := _WRITTEN[name](new)) is None else text for name in said)
    return "".join(f"\t{copied(text)}" for text in texts)


def copied(text: str | None) -> str:
    """A field of a row."""
    return "\\N" if text is None else _escaped(text)


def _escaped(text: str) -> str:
    return text if text.isprintable() and "\\" not in text else text.translate(_SPECIAL)


def _labels(new: NewJob) -> str | None:
    return None if new.labels is None else json.dumps(dict(new.labels), ensure_ascii=False)


# How each option that a plain job may have is written.
_OPTIONAL: dict[str, Callable[[NewJob], str | None]] = {
    "queue": lambda new: new.queue,
    "priority": lambda new: None if new.priority is None else str(new.priority),
    "timeout": lambda new: None if new.timeout is None else str(seconds(new.timeout)),
    "max_attempts": lambda new: None if new.max_attempts is None else str(new.max_attempts),
    "limit_key": lambda new: new.limit_key,
    "cost": lambda new: None if new.cost is None else str(new.cost),
    "store_result": lambda new: None if new.store_result is None else str(new.store_result),
    "labels": _labels,
}
# Where a job with a limit key waits: in the lane of that key, and it is due at once.
_WAITING: dict[str, Callable[[NewJob], str | None]] = {
    "lane": lambda new: new.limit_key,
    "lined": lambda new: None if new.limit_key is None else "true",
}
_WRITTEN = {**_OPTIONAL, **_WAITING}
