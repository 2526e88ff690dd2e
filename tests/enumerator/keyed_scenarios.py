"""The scenarios of jobs with limits: a keyed claim, its end in each way, its reap, and a rule that is set live."""

from __future__ import annotations

from tests import factories
from tests.enumerator.actions import CLIENT_ACTIONS
from tests.enumerator.scenarios import BEGUN, Call, Scenario, connected
from tests.enumerator.stage import Stage
from tests.limits import take_keyed

SET = "select pgqueue.set_limit('key', 'one', concurrency => 1, ordered => %s)"
KEYED = frozenset({"claimer"})
# A rule is adopted once; a claim that finds nothing is like any other.
LIMITS = {**BEGUN, "claim_keyed": 3, "adopt_limits": 1, "settle": 2}


def _limited(stage: Stage, *, ordered: bool = False) -> None:
    stage.conn.execute(SET, [ordered])


def _succeed(stage: Stage) -> None:
    _limited(stage)
    for _ in range(2):
        stage.send("work", limit_key="one")


def _retry(stage: Stage) -> None:
    """In an ordered lane, which the first holds until it has succeeded."""
    _limited(stage, ordered=True)
    stage.send("fail_until", 2, limit_key="one")
    stage.send("work", limit_key="one")


def _end_badly(stage: Stage) -> None:
    _limited(stage)
    stage.send("fail_until", 99, expected="dead", max_attempts=1, limit_key="one")
    stage.send("call_off", expected="cancelled", limit_key="one")


def _write(stage: Stage) -> None:
    _limited(stage)
    for _ in range(2):
        stage.send("write", limit_key="one")


def _outlast(stage: Stage) -> None:
    """One job outlasts the stop and is given back with its share, another waits for it."""
    _limited(stage)
    stage.send("work", 1.2, limit_key="one")
    stage.send("work", limit_key="one")


def _vanish(stage: Stage) -> None:
    """A worker that has ended in the middle of a job, with its share."""
    _limited(stage)
    for _ in range(2):
        stage.send("work", limit_key="one")
    vanished = factories.enlist(stage.conn)
    stage.conn.execute("select pgqueue.adopt_limits()")
    assert len(take_keyed(stage.conn, vanished)) == 1
    factories.expire(stage.conn, vanished)


def _set_limit_call(stage: Stage) -> Call:
    for _ in range(3):
        stage.send("work", 0.05, limit_key="one")

    def call(dsn: str) -> None:
        with connected(dsn, "limits") as conn:
            conn.execute(SET, [False])

    return call


KEYED_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="keyed claim and settle", setup=_succeed, worker={}, roles=KEYED, limits=LIMITS),
    Scenario(name="keyed retry", setup=_retry, worker={}, roles=KEYED, limits={**LIMITS, "claim_keyed": 2}),
    Scenario(
        name="keyed bury and cancel", setup=_end_badly, worker={}, roles=KEYED, limits={**LIMITS, "claim_keyed": 2}
    ),
    Scenario(
        name="keyed transactional job",
        setup=_write,
        worker={},
        roles=frozenset({"job"}),
        limits=BEGUN,
    ),
    Scenario(
        name="keyed graceful stop",
        setup=_outlast,
        worker={},
        roles=frozenset({"claimer", "worker"}),
        limits={**BEGUN, "claim_keyed": 1, "adopt_limits": 0},
        signal_when="select count(*) > 0 from starts",
    ),
    Scenario(
        name="keyed reap",
        setup=_vanish,
        worker={},
        roles=frozenset({"heartbeat"}),
        limits={"connect": 0, "settings": 0, "reap": 1, "heartbeat": 0, "next_tick": 0},
    ),
    Scenario(name="set_limit", calls=_set_limit_call, roles=frozenset({"limits"}), actions=CLIENT_ACTIONS),
)
