"""The scenarios of workflows: jobs that wait for the ends of others, which a worker settles behind the proxy."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.ids import new_job_id
from tests.enumerator.actions import CLIENT_ACTIONS
from tests.enumerator.scenarios import BEGUN, Call, Scenario, connected
from tests.enumerator.stage import TASKS, Stage

JOINED, HELD, END = 1, 2, 3


def _order(conn: psycopg.Connection[Any], stage: Stage, flow: UUID, ids: list[UUID], head: str) -> None:
    """Two that succeed and one that dies; one behind the two, one behind the third, one behind all of their ends."""
    first, second, dies, joined, held, end = map(str, ids)
    call = {"target": f"{TASKS}:{head}", "args": [stage.direct]}
    work = {"target": f"{TASKS}:work", "args": [stage.direct]}
    members = [
        {"id": first, "node": 1, **call, "success_links": [JOINED, END], "failure_links": [END]},
        {"id": second, "node": 1, **call, "success_links": [JOINED, END], "failure_links": [END]},
        {
            "id": dies, "node": 2, "target": f"{TASKS}:fail_until", "args": [stage.direct, 99], "max_attempts": 1,
            "success_links": [HELD, END], "failure_links": [-HELD, END],
        },
        {"id": joined, "node": 3, "gate": JOINED, **work},
        {"id": held, "node": 4, "gate": HELD, **work},
        {"id": end, "node": 5, "gate": END, **work},
    ]  # fmt: skip
    gates = [{"gate": JOINED, "unmet": 2}, {"gate": HELD, "unmet": 1}, {"gate": END, "unmet": 3}]
    expected = {dies: "dead", held: "cancelled"}
    for each in map(str, ids):
        conn.execute(
            "insert into orders values (%s, %s) on conflict do nothing", [each, expected.get(each, "succeeded")]
        )
    begun = conn.execute(
        "select created from pgqueue.begin_workflow(%s, 'flow', null, null, null, null)", [flow]
    ).fetchone()
    if begun == (True,):
        conn.execute("select pgqueue.write_members(%s, %s)", [flow, json.dumps({"gates": gates, "jobs": members})])


def _made(head: str) -> Any:
    def setup(stage: Stage) -> None:
        with stage.conn.transaction():
            _order(stage.conn, stage, new_job_id(), [new_job_id() for _ in range(6)], head)

    return setup


def _call(stage: Stage) -> Call:
    flow, ids = new_job_id(), [new_job_id() for _ in range(6)]

    def call(dsn: str) -> None:
        with connected(dsn, "enqueue") as conn:
            _order(conn, stage, flow, ids, "work")

    return call


def _check(stage: Stage, ended: bool) -> list[str]:
    faults = stage.violations(ended)
    early = stage.conn.execute(
        """
        select callback.job_id, member.job_id from pgqueue.attempts as callback
        join pgqueue.attempts as member on member.workflow_id = callback.workflow_id and member.node = 1
        where callback.node = 3 and member.outcome = 'succeeded' and callback.started_at < member.finished_at
          and member.job_id not in (select a.job_id from pgqueue.attempts as a
                                    where a.outcome = 'succeeded' and a.finished_at <= callback.started_at)
        """
    ).fetchall()
    faults += [f"callback {callback} began before {member} had succeeded" for callback, member in early]
    if ended:
        left = stage.conn.execute("select workflow_id, gate, unmet from pgqueue.gates").fetchall()
        faults += [f"gate {gate} of {flow} still waits for {unmet}" for flow, gate, unmet in left]
    return faults


FLOWING_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="workflow",
        setup=_made("work"),
        worker={"concurrency": 2},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "settle": 3, "fail": 1, "release": 0},
        check=_check,
    ),
    Scenario(
        name="transactional workflow",
        setup=_made("write"),
        worker={},
        roles=frozenset({"job"}),
        limits=BEGUN,
        check=_check,
    ),
    Scenario(
        name="enqueue of a workflow",
        calls=_call,
        roles=frozenset({"enqueue"}),
        actions=CLIENT_ACTIONS,
        check=_check,
    ),
)
