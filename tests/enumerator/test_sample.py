"""A point of each kind of action, for every run of the tests: what the whole enumeration is, on a small scale."""

from __future__ import annotations

from tests.enumerator.actions import Action, Point
from tests.enumerator.company import Company
from tests.enumerator.requests import Request
from tests.enumerator.scenarios import named

SETTLE = Request("claimer", "settle", 1)


def test_no_kind_of_fault_breaks_an_invariant(company: Company) -> None:
    played = company.play(named("claim and settle"), [Point(SETTLE, action) for action in Action])
    assert [(str(point), what) for point, result in played for what in result.violations] == []
    assert [str(point) for point, result in played if not result.reached] == []


def test_enqueue_whose_commit_was_cut_off_adds_no_second_job(company: Company) -> None:
    commit = Request("enqueue", "commit", 1)
    played = company.play(named("enqueue"), [Point(commit, Action.CUT_BEFORE), Point(commit, Action.CUT_AFTER)])
    assert [(str(point), what) for point, result in played for what in result.violations] == []
    assert all(result.reached for _, result in played)
