"""Durable functions, on a session that looks elsewhere first: their steps, waits, children, ends and forks."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue
from pgqueue.job import Claim, NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store import durable, execute, spawning
from tests import factories

Conn = psycopg.Connection[Any]
NEVER = "ff000000-0000-7000-8000-000000000000"


def lasting_on(conn: Conn) -> None:
    """Each move, and each way on."""
    claim = factories.claim_one(conn, queue="lasts")
    first = execute(conn, durable.remember(claim, "step", "a", 1, "1", '{"target":"a:b","given":{}}'))
    assert first.said == "done"
    assert execute(conn, durable.remember(claim, "step", "a", 1, "2")).result == "1"
    assert execute(conn, durable.sleep(claim, "b", 2, 0)).said == "over"
    assert execute(conn, durable.sleep(claim, "c", 3, 60)).said == "wait"
    children = [_spawned(conn, claim, n, human=n == 5) for n in (4, 5)]
    assert execute(conn, durable.wait(claim, "join", 6, children, durable.ENDED, None)).said == "wait"
    assert execute(conn, durable.suspend(claim.worker, [_waiting(claim)])) == frozenset()
    assert pgqueue.explain(conn, claim.id).headline.code == "waiting"
    conn.execute("select pgqueue.manual_done(%s, '1')", [children[1]])
    (child,) = factories.claim(conn, factories.enlist(conn), 1, "lasting children")
    factories.settle(conn, child)
    (claim,) = factories.claim(conn, factories.enlist(conn), 1, "lasts")
    assert execute(conn, durable.wait(claim, "join", 6, children, durable.ENDED, None)).said == "there"
    assert execute(conn, durable.wait(claim, "go", 7, [claim.id], "go", 60)).said == "wait"
    execute(conn, durable.suspend(claim.worker, [_waiting(claim)]))
    assert execute(conn, durable.signal(claim.id, "go", "1"))
    conn.execute("update pgqueue.signals set unsure = true")
    conn.execute("select pgqueue.reap()")
    assert len(execute(conn, durable.memos(claim.id))) == len(execute(conn, durable.steps(claim.id, 10)))
    made = execute(conn, durable.fork(claim.id, "join"))
    conn.execute("select pgqueue.cancel(id) from unnest(%s::uuid[]) as told (id)", [[claim.id, made]])
    conn.execute("select pgqueue.reap()")
    conn.execute("select pgqueue.prune_durable(%s, 1000)", [NEVER])
    assert made is not None
    # What undoes them.
    conn.execute("delete from pgqueue.jobs where queue = 'lasts'")


def _spawned(conn: Conn, claim: Claim, n: int, *, human: bool) -> Any:
    new = NewJob(factories.TARGET, queue="lasting children")
    job_id = spawning.with_id(new)
    texts = [spawning.written(new, job_id=job_id)]
    said = durable.spawn(claim, f"child {n}", n, texts, [job_id], detached=False, human=human, bounds=(32, 10))
    assert execute(conn, said).said == "done"
    return job_id


def _waiting(claim: Claim) -> Settlement:
    return Settlement(claim.id, claim.claim, Move.WAIT, "released", 60.0, error="waits")
