"""Very many jobs where the server takes no COPY: as COPY would, by statements that insert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg

from pgqueue.job import NewJob
from pgqueue.signing import Signer
from pgqueue.store import batches, enqueueing, spawning
from pgqueue.store.connection import AsyncDriver, Driver
from pgqueue.store.statement import Statement, execute
from pgqueue.store.whole import whole, whole_async

# Who caused each job, as texts; None where nobody asks.
Headers = Sequence[str | None] | None


def is_needed(error: Exception) -> bool:
    """Whether that is what the server said: to a role that sees the jobs of one tenant alone."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return state == psycopg.errors.FeatureNotSupported.sqlstate


def insert(raw: Driver, new_jobs: Sequence[NewJob], headers: Headers, signer: Signer | None) -> list[UUID]:
    """(nothing) -> ready, in the transaction open on `raw`; answers the ids. O(batch log n)."""
    with whole(raw, several=True):
        if signer is not None:
            texts = _signed(new_jobs, headers, signer)
            return [made.id for text in texts for made in execute(raw, spawning.enqueue(text))]
        ids = batches.send(raw, new_jobs)
        if headers is not None:
            execute(raw, _noting(ids, headers))
    return ids


async def insert_async(
    raw: AsyncDriver, new_jobs: Sequence[NewJob], headers: Headers, signer: Signer | None
) -> list[UUID]:
    """As insert()."""
    async with whole_async(raw, several=True):
        if signer is not None:
            texts = _signed(new_jobs, headers, signer)
            return [made.id for text in texts for made in await execute(raw, spawning.enqueue(text))]
        ids = await batches.send(raw, new_jobs)
        if headers is not None:
            await execute(raw, _noting(ids, headers))
    return ids


def _signed(new_jobs: Sequence[NewJob], headers: Headers, signer: Signer) -> Iterator[list[str]]:
    """As JSON, which has the headers, in pieces of a bounded size; jobs that are copied keep their order."""
    for numbers in batches.pieces(new_jobs):
        yield [
            spawning.written(
                new_jobs[number],
                None if headers is None else headers[number],
                job_id=spawning.with_id(new_jobs[number]),
                signer=signer,
            )
            for number in numbers
        ]


def _noting(ids: Sequence[UUID], headers: Sequence[str | None]) -> Statement[None]:
    said = [(job_id, text) for job_id, text in zip(ids, headers, strict=True) if text is not None]
    return enqueueing.note_headers([job_id for job_id, _ in said], [text for _, text in said])
