"""The tasks of the verifier. Each says on a connection of its own how it began, and what it was about to do."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.client import enqueue
from pgqueue.context import current_job
from pgqueue.durable import Durable, workflow
from pgqueue.ids import new_job_id
from pgqueue.outcome import Bury, Cancel, Retry, Snooze
from pgqueue.retry import Fixed
from pgqueue.store.connection import open_connection
from pgqueue.tasks import task
from pgqueue.verify.witness import END, SENT, START, Witness, async_connection, own_dsn, token, token_and_due

Conn = psycopg.Connection[Any]
AsyncConn = psycopg.AsyncConnection[Any]

# Faults cost attempts, too; a job should be dead for its own reasons.
MAX_ATTEMPTS = 200
WAIT = 0.3
SOON = Fixed(WAIT)
TIMEOUT = 1.5
CHILDREN = 2
# Of a workflow, beside the one that waits for them.
MEMBERS = 3
# Of a durable function.
UNITS = 3
# Seconds in which jobs that do something once mean the same.
MOMENT = 2.0

EFFECT = "insert into verify.effects (job_id, claim) values (%s, %s)"
ASKED = """
insert into verify.asked (job_id, created, kind, fails, has_ttl, parent, not_before)
values (%s, %s, 'child', 0, false, %s, %s)
"""
BEGUN = "select pgqueue.begin_workflow(%s, 'joined', null, null, null, null)"
WRITTEN = "select pgqueue.write_members(%s, %s)"
UNIT = "insert into verify.units (job_id, unit, claim) values (%s, %s, %s)"
CLOCK = "select clock_timestamp()"


class Planned(Exception):
    """The failure that a job was asked for."""


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def plain(seconds: float) -> None:
    """Nothing but the rows that it writes outside."""
    witness = Witness()
    time.sleep(seconds)
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
async def plain_async(seconds: float) -> None:
    """As `plain`, in an event loop."""
    async with await async_connection() as outside:
        await outside.execute(START, token_and_due())
        await asyncio.sleep(seconds)
        await outside.execute(END, [*token(), "returned", None])


@task(transactional=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
def effect(conn: Conn, seconds: float) -> None:
    """One row in the job's own transaction."""
    witness = Witness()
    conn.execute(EFFECT, token())
    witness.say("wrote")
    time.sleep(seconds)
    witness.say("returned")


@task(transactional=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
async def effect_async(conn: AsyncConn, seconds: float) -> None:
    """As `effect`, in an event loop."""
    async with await async_connection() as outside:
        await outside.execute(START, token_and_due())
        await conn.execute(EFFECT, token())
        await outside.execute(END, [*token(), "wrote", None])
        await asyncio.sleep(seconds)
        await outside.execute(END, [*token(), "returned", None])


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def completes(seconds: float) -> None:
    """One row in a transaction that the task begins itself, and that records its success."""
    witness = Witness()
    with open_connection(own_dsn(), "verify") as conn, conn.transaction():
        conn.execute(EFFECT, token())
        witness.say("wrote")
        time.sleep(seconds)
        # Before the success, which commits with the block: afterwards it might not be written any more.
        witness.say("returned")
        current_job().complete(conn)


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def fails(seconds: float, times: int) -> None:
    """Raises at its first attempts, then returns."""
    witness = Witness()
    time.sleep(seconds)
    if current_job().attempt <= times:
        witness.say("raised", WAIT)
        raise Planned("as asked")
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def retries(seconds: float) -> None:
    """Asks to be run once more, with a delay of its own."""
    witness = Witness()
    if current_job().attempt == 1:
        witness.say("raised", seconds)
        raise Retry(delay=seconds)
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def snoozes(seconds: float) -> None:
    """Puts itself off, once."""
    witness = Witness()
    if not witness.has_said("snoozed"):
        witness.say("snoozed")
        raise Snooze(seconds)
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS, timeout=TIMEOUT)
def overruns(seconds: float) -> None:
    """Goes on past its timeout until it is told, once; or, if nobody tells it, until another has begun its job."""
    witness = Witness()
    time.sleep(min(seconds, TIMEOUT / 10))
    deadline = time.monotonic() + 20 * TIMEOUT
    while current_job().attempt == 1 and time.monotonic() < deadline:
        time.sleep(0.1)
        if witness.is_replaced():
            break
    witness.say("returned")


@task(at_most_once=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
def once(seconds: float) -> None:
    """Must not be begun again but by a human."""
    witness = Witness()
    time.sleep(seconds)
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def buries(seconds: float) -> None:
    """Asks for a human."""
    witness = Witness()
    time.sleep(seconds)
    witness.say("buried")
    raise Bury("as asked")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def cancels(seconds: float) -> None:
    """Is no longer wanted."""
    witness = Witness()
    time.sleep(seconds)
    witness.say("cancelled")
    raise Cancel("as asked")


@task(transactional=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
def fans_out(conn: Conn, seconds: float) -> None:
    """Enqueues others in its own transaction."""
    witness = Witness()
    conn.execute(EFFECT, token())
    parent: UUID = current_job().id
    for _ in range(CHILDREN):
        (now,) = conn.execute(CLOCK).fetchone() or (None,)
        child = enqueue(conn, plain, [0.0])
        conn.execute(ASKED, [child.id, child.created, parent, now])
    witness.say("wrote")
    time.sleep(seconds)
    witness.say("returned")


@task(transactional=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
def joins(conn: Conn, seconds: float) -> None:
    """Enqueues a workflow in its own transaction: a few jobs, and one that waits for their ends."""
    witness = Witness()
    conn.execute(EFFECT, token())
    parent: UUID = current_job().id
    flow, last, *members = (new_job_id() for _ in range(MEMBERS + 2))
    conn.execute(BEGUN, [flow])
    said = [{"id": str(each), "node": 1, "success_links": [1], "failure_links": [1]} for each in members]
    said.append({"id": str(last), "node": 2, "gate": 1})
    jobs = [{"target": f"{__name__}:plain", "args": [0.0], **each} for each in said]
    conn.execute(WRITTEN, [flow, json.dumps({"gates": [{"gate": 1, "unmet": MEMBERS}], "jobs": jobs})])
    (now,) = conn.execute(CLOCK).fetchone() or (None,)
    for each in (*members, last):
        conn.execute(ASKED, [each, True, parent, now])
    for each in members:
        conn.execute("insert into verify.joins (parent, callback, member) values (%s, %s, %s)", [parent, last, each])
    witness.say("wrote")
    time.sleep(seconds)
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS, store_result=True)
def answers(seconds: float) -> dict[str, str]:
    """Returns something to keep."""
    witness = Witness()
    time.sleep(seconds)
    witness.say("returned")
    return {"job": str(current_job().id)}


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def brings(seconds: float) -> None:
    """Gathers others, which are to be enqueued with its success."""
    witness = Witness()
    current_job().enqueue(plain, [0.0])
    current_job().effect(plain, 0.0)
    time.sleep(seconds)
    witness.say("returned")


@task(transactional=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
def brings_along(conn: Conn, seconds: float) -> None:
    """As `brings`, in its own transaction."""
    witness = Witness()
    conn.execute(EFFECT, token())
    current_job().enqueue(plain, [0.0])
    current_job().effect(plain, 0.0)
    witness.say("wrote")
    time.sleep(seconds)
    witness.say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def sends(seconds: float) -> None:
    """Does something outside of the database once; what nobody knows of it leaves out."""
    witness, key = Witness(), _key("sends")
    # A connection that breaks may have carried it out.
    with current_job().once(key, on_unknown="skip", unsure=(psycopg.Error,)) as first:
        if first:
            time.sleep(seconds / 2)
            witness.sends(key)
            time.sleep(seconds / 2)
    witness.was_told(key, first)
    witness.say("returned")


@task(transactional=True, retry=SOON, max_attempts=MAX_ATTEMPTS)
def sends_along(conn: Conn, seconds: float) -> None:
    """As `sends`, in its own transaction."""
    witness, key = Witness(), _key("sends along")
    with current_job().once(key) as first:
        if first:
            conn.execute(SENT, [key, *token()])
    witness.was_told(key, first)
    time.sleep(seconds)
    witness.say("returned")


def _unit(conn: Conn, unit: int) -> None:
    conn.execute(UNIT, [current_job().id, unit, current_job()._claim.claim])


@workflow(retry=SOON, max_attempts=MAX_ATTEMPTS)
def lasts(ctx: Durable, seconds: float) -> None:
    """Takes steps, sleeps between them, and waits for a job that it brings."""
    witness = Witness()
    for unit in range(UNITS):
        ctx.step(f"unit {unit}", _unit, unit)
        ctx.sleep(seconds / UNITS)
    ctx.join(ctx.spawn(plain.job(0.0), detach=True))
    witness.say("returned")


def _key(what: str) -> str:
    """Of this job alone, whose attempts are to agree; or of all that come in the same moment."""
    own = current_job().id
    return f"{what}, job {own}" if own.int % 2 else f"{what}, moment {int(time.time() / MOMENT)}"


@task(retry=SOON, max_attempts=MAX_ATTEMPTS)
def after(ended: Any) -> None:
    """Follows an end."""
    Witness().say("returned")


@task(retry=SOON, max_attempts=MAX_ATTEMPTS, on_success=after, on_failure=after, on_end=after)
def followed(seconds: float) -> None:
    """Ends in one of three ways, and is followed by what belongs to it."""
    witness = Witness()
    time.sleep(seconds)
    match current_job().id.int % 3:
        case 0:
            witness.say("buried")
            raise Bury("as asked")
        case 1:
            witness.say("cancelled")
            raise Cancel("as asked")
    witness.say("returned")
