"""The tables of jobs: those that run, and those that are dead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pgqueue.cli.spans import brief_seconds
from pgqueue.cli.top.filters import Filter
from pgqueue.cli.top.rows import ID_DIGITS, MOST, NOTHING_TOLD, WIDEST_ERROR, Row, cell
from pgqueue.job import JobState
from pgqueue.store import execute, reports, searching, secrecy, tallies
from pgqueue.store.listing import Asked, page
from pgqueue.store.looking import look

if TYPE_CHECKING:
    import psycopg

    from pgqueue.record import Job


def running(conn: psycopg.Connection[Any], said: Filter) -> tuple[Sequence[Row], str]:
    jobs, note = _jobs(conn, said, JobState.RUNNING)
    now = execute(conn, reports.now())
    usual = _usual(conn, now)
    jobs.sort(key=lambda job: job.started_at or now)
    return [_running_row(job, now, usual) for job in jobs], note


def _running_row(job: Job, now: datetime, usual: dict[str, float]) -> Row:
    ran = None if job.started_at is None else now - job.started_at
    p95 = usual.get(job.target)
    is_long = ran is not None and p95 is not None and ran.total_seconds() > p95
    texts = (
        str(job.id)[:ID_DIGITS],
        cell(job.target),
        cell(job.queue, 20),
        cell(ran),
        f"{brief_seconds(p95)}{' !' if is_long else ''}" if p95 is not None else "–",
        str(job.attempt),
        cell(job.worker),
    )
    return Row(str(job.id), texts, job, "yellow" if is_long else "")


def _usual(conn: psycopg.Connection[Any], now: datetime) -> dict[str, float]:
    """How long 95 of 100 attempts of each task ran in the last hour."""
    hour = now - timedelta(hours=1)
    found = look(conn, lambda conn: execute(conn, tallies.timings(hour, "target"))) or []
    return {each.name: each.run_p95 for each in found if each.run_p95 is not None}


def dead(conn: psycopg.Connection[Any], said: Filter) -> tuple[Sequence[Row], str]:
    jobs, note = _jobs(conn, said, JobState.DEAD)
    rows = [
        Row(
            str(job.id),
            (
                str(job.id)[:ID_DIGITS],
                cell(job.finished_at),
                cell(job.reason, 14),
                cell(job.queue, 20),
                cell(job.target),
                str(job.attempt),
                cell(job.last_error, WIDEST_ERROR),
            ),
            job,
        )
        for job in jobs
    ]
    return rows, note


def _jobs(conn: psycopg.Connection[Any], said: Filter, state: JobState) -> tuple[list[Job], str]:
    """Jobs of a state that the filter takes, the newest first, and how far the look went."""
    if said.text:
        query = said.of_jobs(state)
        answer = searching.page(conn, query, limit=MOST, shown=secrecy.searching_by(conn, query))
        if answer is None:
            return [], NOTHING_TOLD
        jobs, found = answer
        return jobs, f"looked at {found.looked:,} jobs; there may be more" if found.next is not None else ""
    plain = page(conn, Asked(states=frozenset({state}), limit=MOST))
    if plain is None:
        return [], NOTHING_TOLD
    return list(plain.jobs), f"the newest {MOST}" if len(plain.jobs) >= MOST else ""
