"""The scenarios of fallbacks: a job that goes to other code, and those that a human answers, or gives up."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from pgqueue.errors import UsageError
from pgqueue.manual import manual_done, manual_fail
from tests import factories
from tests.enumerator.actions import CLIENT_ACTIONS, KILLS
from tests.enumerator.scenarios import BEGUN, Call, Scenario, connected
from tests.enumerator.stage import Stage


def _fall(stage: Stage) -> None:
    stage.send("fail_over", unique_key="fallen")


def _asked(stage: Stage, expected: str) -> UUID:
    """A job that waits for a human: its only attempt has failed."""
    job_id = stage.send("work", expected=expected, unique_key="asked")
    worker = factories.enlist(stage.conn)
    (taken,) = factories.claim(stage.conn, worker)
    stage.conn.execute("insert into starts values (%s, 1, 1, %s)", [job_id, worker])
    factories.fall(stage.conn, taken)
    # The human begins here, for those who count starts.
    stage.conn.execute("insert into starts values (%s, 2, 2, -1)", [job_id])
    stage.conn.execute("delete from pgqueue.workers where id = %s", [worker])
    return job_id


def _done_call(stage: Stage) -> Call:
    job_id = _asked(stage, "succeeded")

    def call(dsn: str) -> None:
        # A second time says that there is nothing to answer any more.
        with connected(dsn, "manual") as conn, suppress(UsageError):
            manual_done(conn, job_id, {"by": "hand"}, who="ann")

    return call


def _fail_call(stage: Stage) -> Call:
    job_id = _asked(stage, "dead")

    def call(dsn: str) -> None:
        with connected(dsn, "manual") as conn, suppress(UsageError):
            manual_fail(conn, job_id, why="no such picture", who="ann")

    return call


def _check_answered(stage: Stage, ended: bool) -> list[str]:
    faults = stage.violations(ended)
    if ended and (found := stage.ask("select count(*) from pgqueue.audit where who = 'ann'")) != 1:
        faults.append(f"{found} rows of the audit, not 1")
    return faults


# A human who is killed answers nothing any more, and nobody else does.
SURVIVED = tuple(action for action in CLIENT_ACTIONS if action not in KILLS)

FALLBACK_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="fall back",
        setup=_fall,
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "step": 2, "settle": 1},
    ),
    Scenario(
        name="manual done",
        calls=_done_call,
        roles=frozenset({"manual"}),
        actions=SURVIVED,
        check=_check_answered,
    ),
    Scenario(
        name="manual fail",
        calls=_fail_call,
        roles=frozenset({"manual"}),
        actions=SURVIVED,
        check=_check_answered,
    ),
)
