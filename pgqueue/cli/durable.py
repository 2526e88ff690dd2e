"""`pgqueue signal`, `steps` and `fork`: what people do to durable functions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import typer

from pgqueue import client
from pgqueue.acting import durable as acts
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.options import Dsn, JobId, Json, Most, listing
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.durable import steps as steps_of
from pgqueue.errors import UsageError
from pgqueue.leaving_out import HIDDEN
from pgqueue.printable import as_json
from pgqueue.record import Step
from pgqueue.store import secrecy

COLUMNS: Columns[Step] = {
    "N": lambda row: row.nth,
    "KIND": lambda row: row.kind,
    "STEP": lambda row: row.name,
    "AT": lambda row: row.at,
    "UNTIL": lambda row: row.until,
    "CLAIM": lambda row: row.claim,
    "UNDO": lambda row: row.undo,
    "RESULT": lambda row: None if row.result is None else as_json(row.result),
}
Name = Annotated[str, typer.Argument(metavar="NAME", help="As the function waits for it.")]
Payload = Annotated[str, typer.Argument(metavar="[JSON]", help="What the function is answered.")]
StepName = Annotated[str, typer.Argument(metavar="STEP", help="As `pgqueue steps` has it: charge, or charge#2.")]


@telling
def signal(job_id: JobId, name: Name, payload: Payload = "null", reason: Reason = None, dsn: Dsn = None) -> None:
    """Send a durable function what it waits for, or will: the first signal of a name counts."""
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise UsageError(f'the payload must be JSON, as \'{{"by": "ann"}}\' or \'"a text"\': {error}') from None
    with connected(dsn) as conn:
        found = job_id_of(conn, job_id)
        first = acts.signal(conn, actor(reason), found, name, value)
        state = client.get_job(conn, found).state
    if first:
        tell(f"{found} is sent {name}", job=found, signal=name)
        return
    say_error(f"{found} {f'is {state}' if state.ended else f'was sent {name} before'}; nothing was sent")
    raise typer.Exit(Exit.FAILED)


@listing
def steps(job_id: JobId, dsn: Dsn = None, limit: Most = 1_000, as_json: Json = False) -> None:
    """List what a durable function remembers: the steps that it has taken, in order, and what they came to."""
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
        rows = steps_of(conn, job.id, limit=limit + 1)
        if job.target in secrecy.knowing(conn, [job.target]).declared:
            rows = [replace(row, result=HIDDEN) if row.result is not None else row for row in rows]
    print_list(rows[:limit], COLUMNS, as_json=as_json, empty="It remembers no steps.")
    if len(rows) > limit:
        say(f"there are more; --limit {10 * limit} shows them")


@telling
def fork(job_id: JobId, step: StepName, reason: Reason = None, dsn: Dsn = None) -> None:
    """Enqueue a job that remembers what this one had done before a step, and goes on there, with the code of today."""
    with connected(dsn) as conn:
        found = job_id_of(conn, job_id)
        made = acts.fork(conn, actor(reason), found, step)
    tell(f"{made} goes on before {step} of {found}", job=made, fork_of=found, step=step)
