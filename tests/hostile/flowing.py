"""All that is asked of workflows, on any connection."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from pgqueue.store import execute, jobs, unclaimed, workflows
from tests.store import flows


def workflows_on(conn: psycopg.Connection[Any]) -> None:
    """Jobs that wait for others: released, called off, revived, added, mended."""
    chord = flows.chord(conn, 3, end=True)
    flows.run(conn, chord, "m1", "m2")
    flows.bury(conn, chord, "m3")
    assert execute(conn, workflows.retry(chord.id)) == 1
    assert execute(conn, workflows.retry(chord.id)) == 0
    flows.run(conn, chord, "m3")
    flows.run(conn, chord, "then", "end")
    chain = flows.chain(conn, 3, deadline=0.0)
    (held,) = flows.taken(conn, chain, "1")
    own = {"jobs": [{"target": "shop:more", "own": True, "inputs": {"a": [chain.id.hex, 1, {"first": [2]}], "+": 1}}]}
    brings = json.dumps({"grafts": [own]})
    assert execute(conn, jobs.succeeding(held.worker, held.id, held.claim, "1", brings))
    assert execute(conn, workflows.mend(chain.id)) == 0
    assert not execute(conn, workflows.owes())
    assert execute(conn, unclaimed.begun_of(chain.id, []))
    node = {"open": True, "total": 0, "success_links": [1, -2], "failure_links": [-1]}
    group = flows.write(conn, {"then": flows.job(1), "else": flows.job(2)}, {1: 1, 2: 1}, {1: {}, 2: {}, 7: node})
    assert execute(conn, workflows.add(group.id, 7, json.dumps(own))) == 1
    assert execute(conn, workflows.close(group.id, 7))
    assert execute(conn, jobs.cancel(group.jobs["then"])) == "cancelled"
    for each in (chain, group):
        while execute(conn, workflows.cancel(each.id)):
            pass
    nodes = [{"name": "a", "target": "shop:a"}, {"name": "b", "target": "shop:b", "args": [{"$result": "a"}]}]
    conn.execute("select pgqueue.enqueue_workflow('said', %s)", [json.dumps(nodes)])
    conn.execute("select pgqueue.leave_arrivals(array[%s], '{1}', '{1}')", [chain.id])
    conn.execute("select pgqueue.tend_workflows()")
    conn.execute("select pgqueue.fold(now())")
    conn.execute("update pgqueue.workflows set ended_at = '-infinity'")
    conn.execute("select pgqueue.prune_workflows('1 day', '1 day', 1000)")
