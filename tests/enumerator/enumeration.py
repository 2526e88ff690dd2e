"""All points of a scenario: its requests are counted first, then each is played with each action, many at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.enumerator.actions import ERRORS, Action, Point
from tests.enumerator.company import Company
from tests.enumerator.requests import CONNECT, Request
from tests.enumerator.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an enumeration; `unreached` are points whose request did not come, `violations` tell which."""

    scenario: str
    requests: int
    points: int
    unreached: list[Point]
    violations: list[str]
    seconds: float

    @property
    def line(self) -> str:
        counts = f"{self.requests} requests, {self.points} points, {len(self.unreached)} not reached"
        return f"{self.scenario}: {counts}, {len(self.violations)} violations, {self.seconds:.0f} s"


def enumerate_scenario(scenario: Scenario, company: Company, actions: Sequence[Action] | None = None) -> Report:
    """Play every point of a scenario."""
    began = time.monotonic()
    requests, faults = count_requests(scenario, company)
    chosen = scenario.actions if actions is None else actions
    points = [Point(request, action) for request in requests for action in chosen if is_plausible(request, action)]
    played = company.play(scenario, points)
    unreached = [point for point, result in played if point is not None and not result.reached]
    violations = faults + [
        f"{scenario.name}, {point}: {what}" for point, result in played for what in result.violations
    ]
    return Report(scenario.name, len(requests), len(points), unreached, violations, time.monotonic() - began)


def count_requests(scenario: Scenario, company: Company) -> tuple[list[Request], list[str]]:
    """The requests to enumerate, in order: those that came in each of two undisturbed plays; and what these broke."""
    (_, first), (_, second) = company.play(scenario, [None, None])
    requests = [request for request in first.seen if request in second.seen and scenario.covers(request)]
    faults = [f"{scenario.name}, undisturbed: {what}" for what in first.violations + second.violations]
    return requests, faults


def is_plausible(request: Request, action: Action) -> bool:
    """Whether PostgreSQL could answer so: a ROLLBACK fails with its connection alone, and so does a startup."""
    return action not in ERRORS or action is Action.ADMIN_SHUTDOWN or request.kind not in (CONNECT, "rollback")
