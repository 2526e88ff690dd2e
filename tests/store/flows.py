"""Short ways to a workflow: its jobs by name, with the gates at which they wait and the links of their ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from pgqueue.ids import new_job_id
from pgqueue.job import Claim, JobState
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs
from tests.factories import TARGET, Conn, claim, enlist, state, step, success


@dataclass(frozen=True, slots=True)
class Flow:
    """A workflow that was written, and its jobs' ids by name."""

    id: UUID
    jobs: dict[str, UUID] = field(default_factory=dict)

    def states(self, conn: Conn) -> dict[str, JobState | None]:
        """The state of each job."""
        return {name: state(conn, job_id) for name, job_id in self.jobs.items()}

    def name(self, job_id: UUID) -> str:
        """Which job has this id."""
        return next(name for name, own in self.jobs.items() if own == job_id)


def job(gate: int | None = None, /, on: Sequence[int] = (), off: Sequence[int] = (), **more: Any) -> dict[str, Any]:
    """A job that waits at a gate, or begins; `on` are the links of its success, `off` those of its failure."""
    said = {"success_links": list(on) or None, "failure_links": list(off) or None, **more}
    return {"gate": gate, **said} if gate else said


def write(
    conn: Conn,
    members: Mapping[str, Any],
    gates: Mapping[int, Any],
    nodes: Mapping[int, Any] | None = None,
    **said: Any,
) -> Flow:
    """(nothing) -> a workflow; a gate is how many ends it waits for, or a mapping. Each job is a node, by default."""
    flow = Flow(new_job_id())
    begun = conn.execute(
        "select id, created from pgqueue.begin_workflow(%s, %s, %s, %s, null, null)",
        [flow.id, said.get("name", "flow"), said.get("unique_key"), said.get("deadline")],
    ).fetchone()
    assert begun == (flow.id, True)
    text = told(flow, members, gates, nodes)
    conn.execute("select pgqueue.write_members(%s, %s)", [flow.id, text])
    return flow


def told(flow: Flow, members: Mapping[str, Any], gates: Mapping[int, Any], nodes: Mapping[int, Any] | None) -> str:
    """The same as JSON."""
    numbered = dict(enumerate(members, 1))
    flow.jobs.update({name: new_job_id() for name in members})
    said: dict[str, Any] = {
        "nodes": [
            {"node": number, "name": name, "target": TARGET, "total": 1, "job_id": str(flow.jobs[name])}
            for number, name in numbered.items()
        ]
        if nodes is None
        else [{"node": number, "name": f"n{number}", **said} for number, said in nodes.items()],
        "gates": [{"gate": gate, **({"unmet": how} if isinstance(how, int) else how)} for gate, how in gates.items()],
        "jobs": [
            {"id": str(flow.jobs[name]), "node": number, "target": TARGET, **members[name]}
            for number, name in numbered.items()
        ],
    }
    return json.dumps(said, default=str)


def chain(conn: Conn, length: int, **said: Any) -> Flow:
    """Jobs 1, 2, ... of which each waits for the one before."""
    members = {
        str(number): job(number - 1 or None, on=[number] if number < length else [], store_result=True)
        for number in range(1, length + 1)
    }
    return write(conn, members, dict.fromkeys(range(1, length), 1), **said)


def chord(conn: Conn, members: int, *, end: bool = False, **said: Any) -> Flow:
    """Jobs m1, m2, ... and `then`, which waits for the success of all; `end` for the end of all."""
    on, off = ([1, 2], [2]) if end else ([1], [])
    head = {f"m{number}": job(on=on, off=off, node=1, store_result=True) for number in range(1, members + 1)}
    tail = {"then": job(1, node=2, inputs={"all": 1})}
    if end:
        tail["end"] = job(2, node=3)
    gates = {1: members, 2: members} if end else {1: members}
    nodes = {1: {"total": members}, 2: {}, 3: {"callback": True}}
    return write(conn, head | tail, gates, nodes, **said)


def run(conn: Conn, flow: Flow, *names: str, result: str | None = "1") -> list[Claim]:
    """ready -> succeeded for these jobs."""
    claims = taken(conn, flow, *names)
    done = [success(each, result) for each in claims]
    assert not execute(conn, jobs.step(claims[0].worker, done, [], timedelta(0), 0)).late
    return claims


def bury(conn: Conn, flow: Flow, *names: str, error_type: str = "builtins.OSError") -> None:
    """ready -> dead for these jobs."""
    for each in taken(conn, flow, *names):
        lost = Settlement(each.id, each.claim, Move.END, "failed", 0.0, "exhausted", error_type, "no", "Traceback ...")
        assert not execute(conn, jobs.fail(each.worker, [lost]))


def taken(conn: Conn, flow: Flow, *names: str) -> list[Claim]:
    """ready -> running for these jobs alone."""
    meant = {flow.jobs[name]: name for name in names}
    claims = {}
    for each in claim(conn, enlist(conn, concurrency=100), 5000):
        if each.id in meant:
            claims[meant[each.id]] = each
        else:
            give_back(conn, each)
    return [claims[name] for name in names]


def give_back(conn: Conn, held: Claim) -> None:
    """running -> ready, as if it had not been claimed."""
    freed = Settlement(held.id, held.claim, Move.RELEASE, "released", delay=0.0, started=False)
    assert not execute(conn, jobs.release(held.worker, [freed]))


def look(conn: Conn) -> None:
    """What a worker does that finds nothing to do."""
    step(conn, enlist(conn, queues=["none"]), [], 1, "none")


def cancel_all(conn: Conn, flow: Flow) -> int:
    """Cancel a workflow, until all of it is reached; how many jobs that were."""
    reached = 0
    while some := _number(conn, "select pgqueue.cancel_workflow(%s, 2)", flow):
        reached += some
    return reached


def retry_all(conn: Conn, flow: Flow) -> int:
    """Revive the dead of a workflow; how many."""
    revived = 0
    while some := _number(conn, "select pgqueue.retry_workflow(%s, 2)", flow):
        revived += some
    return revived


def wrong(conn: Conn, flow: Flow) -> dict[str, Any]:
    """What does not hold of a workflow at rest: counts that were left, gates that count wrongly, jobs without one."""
    found = {
        "arrivals": "select workflow_id, gate, n, off from pgqueue.arrivals where workflow_id = %s",
        "open gates": "select gate from pgqueue.gates where workflow_id = %s and unmet <= 0",
        "lost": """
        select id from pgqueue.waiting as w where w.workflow_id = %s
          and not exists (select from pgqueue.gates as g where g.workflow_id = w.workflow_id and g.gate = w.gate)
        """,
    }
    rows = {name: conn.execute(sql, [flow.id]).fetchall() for name, sql in found.items()}
    mended = _number(conn, "select pgqueue.mend_workflow(%s)", flow)
    return {name: said for name, said in {**rows, "mended": mended}.items() if said}


def _number(conn: Conn, sql: str, flow: Flow) -> int:
    row = conn.execute(sql, [flow.id]).fetchone()
    assert row is not None
    return int(row[0])
