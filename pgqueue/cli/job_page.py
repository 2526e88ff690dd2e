"""One job on one page: what it is, what became of it, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from pgqueue.answers import job_answer
from pgqueue.cli.errors import say
from pgqueue.cli.job_progress import facts_of
from pgqueue.cli.output import WORDS, Columns, paint, print_json, print_list, written
from pgqueue.decrypting import decrypted
from pgqueue.encryption import in_words
from pgqueue.printable import as_json as printable_json
from pgqueue.printable import in_lines, in_one_line
from pgqueue.record import Attempt, Job, JobProgress, MemberOf
from pgqueue.store import execute, reading, secrecy

if TYPE_CHECKING:
    import psycopg

# Of a job that snoozes each minute a year's history is half a million.
MOST_ATTEMPTS = 1000
# In the place of a worker: a human, who answered.
BY_HAND = -1

ATTEMPT_COLUMNS: Columns[Attempt] = {
    "ATTEMPT": lambda row: row.attempt,
    "OUTCOME": lambda row: f"{row.outcome}, degraded" if row.degraded else row.outcome,
    "STARTED": lambda row: row.started_at,
    "TOOK": lambda row: _took(row),
    "WORKER": lambda row: "by hand" if row.worker == BY_HAND else row.worker,
    "ERROR": lambda row: f"{row.error_type}: {row.error}" if row.error_type else row.error,
}


def newest_attempts(conn: psycopg.Connection[Any], job: Job, *, decrypt: bool = False) -> list[Attempt]:
    """The ended attempts of a job as they may be shown; of one that was decrypted decrypted, too.

    Of one that snoozed for a year the newest, and a word that there are more.
    """
    found = execute(conn, reading.attempts(job.id, MOST_ATTEMPTS + 1))
    if len(found) > MOST_ATTEMPTS:
        say(f"these are the newest {MOST_ATTEMPTS:,} attempts; the others: select * from pgqueue.attempts")
    newest = found[-MOST_ATTEMPTS:]
    return secrecy.attempts_shown(conn, job, [decrypted(each) for each in newest] if decrypt else newest)


def print_job(
    job: Job,
    attempts: Sequence[Attempt],
    unknown_since: datetime | None,
    progress: JobProgress | None,
    workflow: MemberOf | None,
    *,
    as_json: bool,
) -> None:
    """Print a job with its attempts, how far it is, and the traceback of the last one that has any.

    `unknown_since` is since when no live worker has known its target; None if that is not what it waits for.
    """
    if as_json:
        print_json(job_answer(job, unknown_since, attempts, progress, workflow))
        return
    further = [] if progress is None else list(facts_of(progress, job.attempt))
    if workflow is not None:
        further.append(("workflow", in_one_line(f"{workflow.name}, node {workflow.node}: {workflow.id}")))
    for name, value in (*_facts(job, unknown_since), *further):
        typer.echo(f"{paint(name.ljust(12), 'bold')} {value}")
    if attempts:
        typer.echo("")
        print_list(attempts, ATTEMPT_COLUMNS, as_json=False, empty="")
    traceback = next((row.traceback for row in reversed(attempts) if row.traceback), None)
    if traceback:
        typer.echo(f"\n{in_lines(in_words(traceback)).rstrip()}")


def _facts(job: Job, unknown_since: datetime | None) -> Iterator[tuple[str, str]]:
    yield "job", str(job.id)
    yield "state", _state(job)
    yield "target", in_one_line(job.target)
    if unknown_since is not None:
        yield "waits for", f"a worker that knows it; no live worker does, since {written(unknown_since)}"
    yield "args", in_words(printable_json(job.args))
    yield "queue", in_one_line(f"{job.queue}, priority {job.priority}")
    yield "attempt", _attempt(job)
    facts = {
        "enqueued": job.created_at,
        "due" if unknown_since is None else "given up": job.run_at,
        "started": job.started_at,
        "ended": job.finished_at,
        "worker": job.worker,
        "unique key": job.unique_key,
        "limit key": job.limit_key,
        "cost": job.cost,
        "parent": job.parent_id,
        "root": None if job.root_id == job.parent_id else job.root_id,
        "labels": _labels(job.labels),
        "last error": job.last_error,
    }
    for name, value in facts.items():
        if value is not None:
            yield name, in_one_line(written(value))


def _labels(labels: object) -> str | None:
    """Labels as they are said to a command; what else may stand in the row, as it is."""
    if isinstance(labels, Mapping):
        return ", ".join(f"{key}={value}" for key, value in labels.items()) or None
    return None if labels is None else str(labels)


def _state(job: Job) -> str:
    state = paint(job.state, WORDS[job.state]) if job.state in WORDS else str(job.state)
    said = [job.reason] if job.reason else []
    said += ["degraded: not by the code that it was enqueued for"] if job.degraded else []
    return f"{state} ({in_one_line('; '.join(said))})" if said else state


def _attempt(job: Job) -> str:
    of = f"of {job.max_attempts}" if job.max_attempts else "of those that its task allows"
    return f"{job.attempt} {of}" if job.attempt else f"none yet, {of}"


def _took(row: Attempt) -> timedelta | None:
    return None if row.started_at is None else row.finished_at - row.started_at
