"""Durable functions: whatever befalls them, each step in the database is done once, and no sleeper is lost."""

from __future__ import annotations

from tests.enumerator.scenarios import BEGUN, Scenario
from tests.enumerator.stage import Stage

# Rows are what is wrong, at every moment; and at the end.
_TWICE = "select job, unit from units group by job, unit having count(*) > 1"
_UNREMEMBERED = """
select units.job, units.unit from units
where not exists (
  select from pgqueue.steps as step where step.job_id = units.job and step.name = 'unit ' || units.unit)"""
_MISSING = """
select id from pgqueue.job
where target like '%:last\\_long' and state = 'succeeded' and (select count(*) from units where units.job = id) <> 3"""
_LEFT = "select job_id from pgqueue.abandoned"
_UNDONE_TWICE = "select job from skips group by job having count(*) > 1"
_NOT_UNDONE = """
select job from effects
union select job from orders where expected = 'dead' and job not in (select job from skips)"""
# It runs nothing that notes its starts.
_UNDOING = "select id::text from pgqueue.job where target like '%__rollback'"


def _check(stage: Stage, ended: bool) -> list[str]:
    questions = {"did a step more than once": _TWICE, "was undone twice": _UNDONE_TWICE}
    if ended:
        questions |= {"did not do a step": _MISSING, "has children": _LEFT, "was not undone once": _NOT_UNDONE}
    else:
        questions |= {"did a step that it does not remember": _UNREMEMBERED}
    undoing = [row[0] for row in stage.conn.execute(_UNDOING).fetchall()]
    faults = [
        fault
        for fault in stage.violations(ended)
        if not (fault.startswith("has an attempt that was never started") and any(each in fault for each in undoing))
    ]
    for what, question in questions.items():
        faults += [f"{what}: {row}" for row in stage.conn.execute(question.encode()).fetchall()]
    return faults


def _last_long(stage: Stage) -> None:
    stage.send("last_long")


def _give_up(stage: Stage) -> None:
    stage.send("give_up", expected="dead", max_attempts=3)


DURABLE_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="durable steps",
        setup=_last_long,
        worker={},
        roles=frozenset({"job", "line"}),
        limits=BEGUN,
        check=_check,
    ),
    Scenario(
        name="durable waits",
        setup=_last_long,
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "settle": 1, "reap": 0},
        check=_check,
    ),
    Scenario(
        name="durable undoing",
        setup=_give_up,
        worker={},
        roles=frozenset({"job", "claimer"}),
        limits={**BEGUN, "settle": 1, "reap": 0},
        limit=2,
        check=_check,
    ),
)
