"""What opens from a row: all that is known of a job, a queue, a worker, a cause, as lines that steer nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pgqueue.cli.explain import lines_of
from pgqueue.cli.output import written
from pgqueue.cli.top.rows import NOTHING_TOLD, Row, job_id_of
from pgqueue.cli.worker_page import worker_facts
from pgqueue.encryption import in_words
from pgqueue.job import JobState
from pgqueue.printable import as_json, in_lines, in_one_line
from pgqueue.store import dumps, execute, explaining, reading, secrecy
from pgqueue.store.listing import Asked, page
from pgqueue.store.looking import LONGER, look

if TYPE_CHECKING:
    import psycopg

    from pgqueue.record import Explanation

# Attempts that are shown, and characters of a value.
MOST_ATTEMPTS, LONGEST = 50, 4_000
# Seconds that a worker is given to answer, and between two looks whether it has.
PATIENCE, EVERY = 12.0, 0.1
GONE = "It is gone: its history has been pruned, or it was never committed."


def opened(conn: psycopg.Connection[Any], tab: str, row: Row) -> str:
    """The page of a row."""
    match tab:
        case "running" | "dead":
            return _job(conn, job_id_of(row))
        case "workers":
            return _facts(worker_facts(*row.of))
        case "causes":
            return _cause(conn, row)
    return (
        _facts((each.name, getattr(row.of, each.name)) for each in fields(row.of)) + "\n\n" + explained(conn, tab, row)
    )


def explained(conn: psycopg.Connection[Any], tab: str, row: Row) -> str:
    """Why a job is where it is, or a queue does not drain."""
    found: tuple[Explanation | None] | None
    if tab == "queues":
        found = look(conn, lambda conn: (execute(conn, explaining.queue(row.key)),), LONGER)
    elif tab in ("running", "dead"):
        job_id = job_id_of(row)
        found = look(conn, lambda conn: (execute(conn, explaining.job(job_id)),), LONGER)
    else:
        return "e explains jobs and queues: see 1, 2 and 5"
    if found is None:
        return NOTHING_TOLD
    return GONE if found[0] is None else "\n".join(lines_of(found[0]))


def traceback_of(conn: psycopg.Connection[Any], tab: str, row: Row) -> str:
    """The last traceback of a job."""
    if tab not in ("running", "dead"):
        return "t shows the last traceback of a job: see 2 and 5"
    rows = execute(conn, reading.attempts(job_id_of(row), MOST_ATTEMPTS))
    found = next((each.traceback for each in reversed(rows) if each.traceback), None)
    return in_lines(in_words(found)).rstrip() if found else "no attempt of it has a traceback"


def stack_of(conn: psycopg.Connection[Any], tab: str, row: Row) -> str:
    """Where a job that runs is in its code: asked of its worker, and waited for."""
    if tab != "running" or row.of.worker is None:
        return "s asks a worker where a job is that it runs: see 2"
    asked_at = execute(conn, dumps.ask(row.of.worker))
    deadline = time.monotonic() + PATIENCE
    while asked_at is not None and (found := execute(conn, dumps.answer(row.of.worker, asked_at))) is None:
        if time.monotonic() > deadline:
            return f"its worker has not answered within {PATIENCE:g} s: it is busy, away, or of another release"
        time.sleep(EVERY)
    if asked_at is None or found is None:
        return "its worker has ended meanwhile"
    there = next((each for each in found.jobs if each.job == row.key), None)
    if there is None:
        return "its worker does not run it any more, or left it out of its answer"
    return in_lines(there.stack).rstrip() if there.stack else f"no stack: {in_one_line(there.why or 'unknown', 500)}"


def _job(conn: psycopg.Connection[Any], job_id: UUID) -> str:
    job = execute(conn, reading.get(job_id))
    if job is None:
        return GONE
    (seen,) = secrecy.shown(conn, [job])
    values = {each.name: getattr(seen, each.name) for each in fields(seen)}
    values["args"] = in_words(as_json(seen.args))
    values["labels"] = None if job.labels is None else as_json(job.labels)
    lines = [_facts(values.items()), ""]
    for each in secrecy.attempts_shown(conn, job, execute(conn, reading.attempts(job_id, MOST_ATTEMPTS))):
        error = ": ".join(filter(None, (each.error_type, each.error)))
        took = None if each.started_at is None else each.finished_at - each.started_at
        line = f"#{each.attempt} {each.outcome}  {written(each.finished_at)}  {written(took)}  {error}"
        lines.append(in_one_line(in_words(line), 500))
    return "\n".join(lines)


def _cause(conn: psycopg.Connection[Any], row: Row) -> str:
    facts = _facts((each.name, getattr(row.of, each.name)) for each in fields(row.of))
    found = page(conn, Asked(states=frozenset({JobState.DEAD}), cause=row.key, limit=10))
    ids = [f"dead job  {job.id}" for job in found.jobs] if found is not None else []
    return "\n".join([facts, "", *ids])


def _facts(values: Any) -> str:
    return "\n".join(_lines(values))


def _lines(values: Any) -> Iterator[str]:
    for name, value in values:
        if value is not None and value != "":
            yield f"{name.replace('_', ' ').ljust(16)} {in_one_line(written(value), LONGEST)}"
