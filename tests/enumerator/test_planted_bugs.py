"""The enumerator proves itself: with a guard taken out of a function of pgqueue it reports violations."""

from __future__ import annotations

from functools import partial

import pytest

from tests.enumerator.actions import Action, Point
from tests.enumerator.conftest import Assemble
from tests.enumerator.requests import Request
from tests.enumerator.sabotage import BUGS, plant
from tests.enumerator.scenarios import named

# By bug: the scenario and the request at which it shows, and as what.
STOLEN = "was settled by a worker that did not have it"
SHOWN_BY = {
    "a settlement asks for no token": ("claim and settle", Request("claimer", "settle", 1), STOLEN),
    "a failure asks for no token": ("fail and retry", Request("claimer", "fail", 1), STOLEN),
    "a completion asks for no token": ("transactional job", Request("job", "complete", 1), STOLEN),
    "a claim has no new number": ("claim and settle", Request("claimer", "settle", 1), "without a new claim number"),
    "a heartbeat does not ask whether the lease stands": (
        "heartbeat, alone",
        Request("heartbeat", "heartbeat", 1),
        "was extended after its end",
    ),
    "an enqueue does not ask whether its job has ended": (
        "enqueue",
        Request("enqueue", "commit", 1),
        "was started twice under one claim",
    ),
    "a tick does not ask whether it has been decided": (
        "tick",
        Request("heartbeat", "fire", 1),
        "was enqueued by no committed transaction",
    ),
}
PLAYS = 4
ACTIONS = (Action.FREEZE_BEFORE, Action.STOP_BEFORE, Action.STALL_BEFORE, Action.CUT_AFTER)


@pytest.mark.faults
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bug_is_found(assemble: Assemble, bug: str) -> None:
    name, request, shown = SHOWN_BY[bug]
    company = assemble(partial(plant, bug))
    violations: list[str] = []
    # Who takes over is to be in the midst of it when the other comes back: on a busy machine not at the first play.
    for _ in range(PLAYS):
        played = company.play(named(name), [Point(request, action) for action in ACTIONS])
        violations += [what for _, result in played for what in result.violations]
        if any(shown in what for what in violations):
            return
    pytest.fail(f"nothing {shown} in {PLAYS} plays, but: {violations}")
