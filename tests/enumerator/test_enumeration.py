"""Every request of every scenario, with every action: all invariants hold after each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.enumerator.company import Company
from tests.enumerator.enumeration import enumerate_scenario
from tests.enumerator.scenarios import SCENARIOS, Scenario

# Of a worker's requests: how outcomes meet in a batch is chance.
MOST_UNREACHED = 0.05


@pytest.mark.faults
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_all_invariants_hold_after_every_point(
    company: Company, scenario: Scenario, record_property: Callable[[str, object], None]
) -> None:
    report = enumerate_scenario(scenario, company)
    record_property("enumerated", report.line)
    assert report.violations == []
    assert report.points > 0
    assert len(report.unreached) <= MOST_UNREACHED * report.points, report.unreached
    assert company.deadlocks() == 0
