"""A workflow with everything that a picture shows: needs, a group, an error branch, and what has become of them."""

from __future__ import annotations

from pgqueue.store import execute, jobs
from tests.factories import TARGET, Conn, failure
from tests.store.flows import Flow, job, run, taken, write

NEEDS = {"ship": ["stock", "risk"], "audit": ["ship"], "publish": ["thumbs"]}
NUMBERS = {"stock": 1, "risk": 2, "ship": 3, "audit": 4, "thumbs": 5, "publish": 6, "refund": 7}


def order(conn: Conn, name: str = "order 42", thumbs: int = 3) -> Flow:
    """stock and risk, then ship, then audit; some thumbs, then publish; refund, if ship fails."""
    members = {
        "stock": job(on=[1]),
        "risk": job(on=[1]),
        "ship": job(1, on=[2, -4], off=[4]),
        "audit": job(2),
        **{f"thumb{n}": job(on=[3], node=5) for n in range(1, thumbs + 1)},
        "publish": job(3, node=6),
        "refund": job(4, node=7),
    }
    nodes = {
        number: {
            "name": node,
            "target": TARGET,
            "total": thumbs if node == "thumbs" else 1,
            "needs": [NUMBERS[each] for each in NEEDS.get(node, [])],
            **({"repairs": [3], "optional": True} if node == "refund" else {}),
        }
        for node, number in NUMBERS.items()
    }
    flow = write(conn, members, {1: 2, 2: 1, 3: thumbs, 4: 1}, nodes, name=name)
    for node, job_id in flow.jobs.items():
        conn.execute(
            "update pgqueue.nodes set job_id = %s where workflow_id = %s and name = %s", [job_id, flow.id, node]
        )
    return flow


def failed(conn: Conn, name: str = "order 42", error: str = "no route") -> Flow:
    """The same, of which ship and a thumb are dead, and the branch is, too: nothing of it can run."""
    flow = order(conn, name)
    run(conn, flow, "stock", "risk", "thumb1", "thumb2")
    for held in taken(conn, flow, "ship", "thumb3"):
        lost = failure(held, None)._replace(error=error)
        assert not execute(conn, jobs.fail(held.worker, [lost]))
    run(conn, flow, "refund")
    return flow
