"""One job: what it is, how it came there, what it was given and what it said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.job_lines import lines_of
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.dashboard.pages.told import attempts_of, given, returned, told_without
from pgqueue.dashboard.timeline import steps
from pgqueue.leaving_out import without
from pgqueue.store import durable, execute, explaining, progress, reading, secrecy, showing, workers, workflow_reading

# Of a job that snoozes each minute a year's history is half a million.
MOST_ATTEMPTS = 50
ALL = 1_000
# Steps of a durable function.
MOST_STEPS = 200
# Bytes, as stored, of arguments that somebody wants to see whole.
WHOLE = 16_000_000


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of a job."""
    try:
        job_id = UUID(asked.path["id"])
    except ValueError:
        raise Missing(f"no job {asked.path['id']:.80}") from None
    is_whole = asked.text("whole") is not None
    most = ALL if is_whole else MOST_ATTEMPTS

    def question(conn: Conn) -> Any:
        found = execute(conn, showing.shown(job_id, WHOLE if is_whole else showing.LARGEST))
        if found is None or not asked.user.sees(found.job.queue):
            raise Missing(f"no job {job_id}: never committed, or its history is past its keeping time")
        known = secrecy.knowing(conn, [found.job.target], asked.redaction)
        said = execute(conn, progress.of([job_id])).get(job_id)
        flow = execute(conn, workflow_reading.of_job(job_id)) if asked.user.queues is None else None
        return (
            found,
            execute(conn, reading.attempts(job_id, most + 1)),
            execute(conn, workers.rows()),
            known,
            said,
            flow,
            execute(conn, durable.steps(job_id, MOST_STEPS + 1)),
        )

    found, attempts, there, redaction, said, flow, remembered = seen(conn, question)
    # It names jobs and workers of other queues, too.
    tells = asked.user.queues is None and not found.job.state.ended
    why = seen(conn, lambda conn: execute(conn, explaining.job(job_id))) if tells else None
    job = found.job
    args = given(redaction, job.target, found.args)
    result = returned(redaction, found.result, args.secrets)
    hidden = [args.secrets, frozenset[str]() if result is None else result.secrets]
    secrets = None if None in hidden else frozenset[str]().union(*filter(None, hidden))
    return {
        "job": replace(
            job, unique_key=without(job.unique_key, args.secrets), limit_key=without(job.limit_key, args.secrets)
        ),
        "shown": found,
        "error": without(job.last_error, secrets),
        "reason": without(job.reason, secrets),
        "why": None if why is None else told_without(secrets, why),
        "args": args if asked.user.may("view_args") else None,
        "labels": redaction.labels(found.labels),
        "result": result if asked.user.may("view_results") else None,
        "has_result": found.result is not None,
        "attempts": attempts_of(attempts[-most:], secrets),
        "has_more": len(attempts) > most,
        "secrets": secrets,
        "steps": steps(job, attempts[-most:]),
        "worker": next((row for row in there if row.id == job.worker), None),
        "workers": {row.id: row for row in there},
        "unknown_since": found.unknown_since,
        "progress": None if said is None else replace(said, note=without(said.note, secrets)),
        "workflow": flow,
        # Their names alone: what they came to may hold anything.
        "remembered": [replace(each, name=without(each.name, secrets) or "", result=None) for each in remembered],
        "most_steps": MOST_STEPS,
        "is_whole": is_whole,
        "log": lines_of(conn, asked, job_id, secrets),
    }


PAGE = Page("job", "/jobs/{id}", load, ("head", "why", "timeline", "facts", "attempts", "remembered", "log"))
