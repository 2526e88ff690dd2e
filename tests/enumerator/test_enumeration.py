"""Every request of every scenario, with every action: all invariants hold after each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from tests.enumerator.actions import Action, Point
from tests.enumerator.bringing_scenarios import BRINGING_SCENARIOS
from tests.enumerator.company import Company
from tests.enumerator.durable_scenarios import DURABLE_SCENARIOS
from tests.enumerator.enumeration import enumerate_scenario
from tests.enumerator.fallback_scenarios import FALLBACK_SCENARIOS
from tests.enumerator.flowing_scenarios import FLOWING_SCENARIOS
from tests.enumerator.keyed_scenarios import KEYED_SCENARIOS
from tests.enumerator.long_scenarios import LONG_SCENARIOS
from tests.enumerator.once_scenarios import ONCE_SCENARIOS
from tests.enumerator.play import LEASES
from tests.enumerator.requests import Request
from tests.enumerator.scenarios import SCENARIOS, Scenario, named


# Each plays many at a time by itself; beside others, leases end for want of time.
@pytest.mark.alone
@pytest.mark.faults
@pytest.mark.parametrize(
    "scenario",
    [
        *SCENARIOS,
        *KEYED_SCENARIOS,
        *ONCE_SCENARIOS,
        *BRINGING_SCENARIOS,
        *LONG_SCENARIOS,
        *FALLBACK_SCENARIOS,
        *FLOWING_SCENARIOS,
        *DURABLE_SCENARIOS,
    ],
    ids=lambda scenario: scenario.name.replace(" ", "-"),
)
def test_all_invariants_hold_after_every_point(
    company: Company, scenario: Scenario, record_property: Callable[[str, object], None]
) -> None:
    report = enumerate_scenario(scenario, company)
    record_property("enumerated", report.line)
    assert report.faults == []
    assert company.deadlocks() == 0


@pytest.mark.faults
def test_what_a_repeated_play_broke_is_reported(company: Company) -> None:
    broken = dataclasses.replace(named("claim and settle"), check=lambda _stage, _ended: ["broken"])
    never = Point(Request("claimer", "settle", 1_000), Action.CUT_AFTER)
    ((_, result),) = company.play(broken, [never])
    assert not result.reached
    assert len(result.replayed) == len(LEASES)
    assert [what.partition(";")[0] for what in result.violations] == ["broken"] * len(LEASES)
