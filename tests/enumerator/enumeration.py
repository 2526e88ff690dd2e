"""All points of a scenario: its requests are counted first, then each is played with each action, many at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.enumerator.actions import ERRORS, Action, Point
from tests.enumerator.company import Company
from tests.enumerator.requests import CONNECT, Request
from tests.enumerator.scenarios import Scenario

# Of the points of a scenario: how outcomes meet in a batch is chance.
MOST_UNREACHED = 0.05


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an enumeration; `unreached` are points whose request came in no play, `replayed` those for which it
    came only with a longer lease, `violations` tell which."""

    scenario: str
    requests: int
    points: int
    unreached: list[str]
    replayed: list[str]
    violations: list[str]
    seconds: float

    @property
    def line(self) -> str:
        counts = f"{self.requests} requests, {self.points} points, {len(self.unreached)} not reached"
        return f"{self.scenario}: {counts}, {len(self.violations)} violations, {self.seconds:.0f} s"

    @property
    def faults(self) -> list[str]:
        """Why it has not passed."""
        if not self.points:
            return [f"{self.scenario}: no point was enumerated", *self.violations]
        if len(self.unreached) > MOST_UNREACHED * self.points:
            return [f"{self.scenario}: too many points were not reached: {self.unreached}", *self.violations]
        return self.violations


def enumerate_scenario(scenario: Scenario, company: Company, actions: Sequence[Action] | None = None) -> Report:
    """Play every point of a scenario."""
    began = time.monotonic()
    requests, faults = count_requests(scenario, company)
    chosen = scenario.actions if actions is None else actions
    points = [Point(request, action) for request in requests for action in chosen if is_plausible(request, action)]
    played = company.play(scenario, points)
    unreached = [str(point) for point, result in played if not result.reached]
    replayed = [f"{point}: {why}" for point, result in played if result.reached for why in result.replayed]
    violations = faults + [
        f"{scenario.name}, {point}: {what}" for point, result in played for what in result.violations
    ]
    seconds = time.monotonic() - began
    return Report(scenario.name, len(requests), len(points), unreached, replayed, violations, seconds)


def count_requests(scenario: Scenario, company: Company) -> tuple[list[Request], list[str]]:
    """The requests to enumerate, in order: those that came in each of two undisturbed plays; and what these broke."""
    (_, first), (_, second) = company.play(scenario, [None, None])
    begins = 1 + max((first.seen.index(request) for request in scenario.first), default=-1)
    requests = [request for request in first.seen[begins:] if request in second.seen and scenario.covers(request)]
    faults = [f"{scenario.name}, undisturbed: {what}" for what in first.violations + second.violations]
    return requests, faults


def is_plausible(request: Request, action: Action) -> bool:
    """Whether PostgreSQL could answer so: a ROLLBACK fails with its connection alone, and so does a startup."""
    return action not in ERRORS or action is Action.ADMIN_SHUTDOWN or request.kind not in (CONNECT, "rollback")
