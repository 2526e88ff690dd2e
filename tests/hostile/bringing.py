"""Jobs that bring others along, on a session that looks elsewhere first."""

from __future__ import annotations

import json
from typing import Any

import psycopg

import pgqueue
from pgqueue.job import NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, follow_ups, jobs, lineage, spawning
from tests import factories

AFTER = "shop.tasks:after"


def brought_on(conn: psycopg.Connection[Any]) -> None:
    """Gathered, spawned, refused, and by what follows an end."""
    for name in ("a:b", "a:c"):
        execute(conn, follow_ups.declare([(name, '{"follow_ups": []}')], ["a:none"]))
    after = NewJob(AFTER, {"a": 1}, unique_key="after:{job_id}", queue="brought")
    parent = pgqueue.enqueue(conn, factories.TARGET, on_success=after, on_end=after, queue="brings").id
    pgqueue.enqueue_many(conn, [NewJob(factories.TARGET, on_failure=after, queue="kept")] * 2)
    conn.execute("select pgqueue.add_follow_up(%s, 'end', %s)", [parent, AFTER])
    text = spawning.written(NewJob(AFTER, queue="brought"))
    (child,) = execute(conn, spawning.spawn(parent, [text], "enqueue", 32, 9))
    (taken,) = factories.claim(conn, factories.enlist(conn), 1, "brings")
    brings = {"jobs": [json.loads(text)], "effects": [json.loads(text)], "max_children": 1}
    done = Settlement(taken.id, taken.claim, Move.BRING, "succeeded", brings=json.dumps(brings))
    assert execute(conn, jobs.succeed(taken.worker, done))
    nodes = execute(conn, lineage.tree(parent, 100, None))
    # Two follow-ups have one key; both that the success brings are one child too many, and dead.
    assert [(node.how, node.state) for node in nodes[1:]] == [
        ("enqueue", "ready"),
        ("on_success", "ready"),
        ("on_end", "ready"),
        ("enqueue", "dead"),
        ("effect", "dead"),
    ]
    assert child.id == nodes[1].id
