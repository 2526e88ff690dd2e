"""The scenarios of effects that are to happen once: in the transaction of their attempt, and outside of any."""

from __future__ import annotations

from tests.enumerator.scenarios import BEGUN, Scenario
from tests.enumerator.stage import Stage

# Rows are what is wrong, at every moment and at the end.
_TWICE = """
select job from effects join pgqueue.job on job.id = effects.job
where job.args ->> 2 = 'skip' group by job having count(*) > 1"""
_IN_SILENCE = """
select id from pgqueue.job
where target like '%:send\\_once' and id not in (select job from effects) and id not in (select job from skips)"""
_RUN = """
select id from pgqueue.job where args ->> 2 = 'run' and id not in (select job from effects)"""


def _send_outside(stage: Stage) -> None:
    """One that is left out when nobody knows, and one that is done again then."""
    stage.send("send_once", "a", "skip")
    stage.send("send_once", "b", "run")


def _check_outside(stage: Stage, ended: bool) -> list[str]:
    questions = {"was done twice": _TWICE}
    if ended:
        questions |= {"was left out in silence": _IN_SILENCE, "was never done": _RUN}
    faults = stage.violations(ended)
    for what, question in questions.items():
        faults += [f"{what}: {row[0]}" for row in stage.conn.execute(question.encode()).fetchall()]
    return faults


def _write_within(stage: Stage) -> None:
    """Two jobs that mean the same, of which one does it."""
    for _ in range(2):
        stage.send("write_once", "one")


def _check_within(stage: Stage, ended: bool) -> list[str]:
    faults, done = stage.violations(ended), stage.ask("select count(*) from effects")
    if done > 1 or (ended and done != 1):
        faults.append(f"it was done {done} times")
    return faults


ONCE_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="once, outside",
        setup=_send_outside,
        worker={},
        roles=frozenset({"line"}),
        check=_check_outside,
    ),
    Scenario(
        name="once, within",
        setup=_write_within,
        worker={},
        roles=frozenset({"job"}),
        limits=BEGUN,
        check=_check_within,
    ),
)
