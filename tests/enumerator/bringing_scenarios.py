"""The scenarios of jobs that bring others along: gathered, in a transaction, and by what follows their ends."""

from __future__ import annotations

from pgqueue.job import NewJob
from tests.enumerator.scenarios import BEGUN, Scenario
from tests.enumerator.stage import TASKS, Stage

# What each job must have brought in the end, by its target and its state: no more, and no less.
BROUGHT = {
    ("spread", "succeeded"): ["effect", "enqueue"],
    ("spread_in_transaction", "succeeded"): ["effect", "enqueue"],
    ("work", "succeeded"): ["on_end", "on_success"],
    ("fail_until", "dead"): ["on_end", "on_failure"],
    ("call_off", "cancelled"): ["on_end"],
}
ENDED = """
select line.parent_id is null as alone, job.id::text, split_part(job.target, ':', 2), job.state,
       (select coalesce(array_agg(l.how order by l.how), '{}') from pgqueue.lineage as l where l.parent_id = job.id)
from pgqueue.job as job
left join pgqueue.lineage as line on line.job_id = job.id
"""


def _followed(stage: Stage) -> None:
    def after() -> NewJob:
        return NewJob(f"{TASKS}:after", {"direct": stage.direct})

    said = {"on_success": after(), "on_failure": after(), "on_end": after()}
    stage.send("work", **said)
    stage.send("fail_until", 99, expected="dead", max_attempts=2, **said)
    stage.send("call_off", expected="cancelled", **said)


def _check_brought(stage: Stage, ended: bool) -> list[str]:
    faults = stage.violations(ended)
    for alone, job_id, name, state, brought in stage.conn.execute(ENDED).fetchall():
        wanted = BROUGHT.get((name, state), []) if alone else []
        if brought != wanted:
            faults.append(f"{name} {job_id}, {state}, has brought {brought}, not {wanted}")
        if ended and not alone and state != "succeeded":
            faults.append(f"{name} {job_id}, which was brought, is {state}")
    return faults


BRINGING_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="success that brings",
        setup=lambda stage: stage.send("spread"),
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "settle": 1},
        check=_check_brought,
    ),
    Scenario(
        name="transaction that brings",
        setup=lambda stage: stage.send("spread_in_transaction"),
        worker={},
        roles=frozenset({"job"}),
        limits=BEGUN,
        check=_check_brought,
    ),
    Scenario(
        name="followed ends",
        setup=_followed,
        worker={},
        roles=frozenset({"claimer"}),
        # What the claimer gives back, because it is told to end, comes in some plays alone.
        limits={**BEGUN, "settle": 2, "fail": 3, "release": 0},
        check=_check_brought,
    ),
)
