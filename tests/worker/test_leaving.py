"""Each job its own context under every executor; the rest as docs/design/what-a-job-leaves-behind.md promises."""

from __future__ import annotations

import json

import pytest

from tests.worker.benches import KINDS, Make
from tests.worker.claims import claim

TASKS = "tests.worker.leaving_tasks"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["visit", "visit_async"])
def test_no_job_finds_what_another_one_set(make: Make, kind: str, name: str) -> None:
    # One at a time: coroutines that run at once share their loop.
    bench = make(kind, 1, apps=(TASKS,))
    found = [
        done.result for done in bench.run([claim("", target=f"{TASKS}:{name}", store_result=True) for _ in range(20)])
    ]
    assert len(set(found)) == 1
    first = json.loads(found[0] or "")
    assert first.items() >= {"context variable": None, "digits": 28, "traps": False}.items()
    if name == "visit_async":
        assert first.items() >= {"debug": False, "handler": False, "factory": False, "slow": 0.1}.items()


@pytest.mark.parametrize("kind", KINDS)
def test_no_job_finds_what_a_middleware_set_for_another_one(make: Make, kind: str) -> None:
    bench = make(kind, 1, apps=(TASKS,), middleware=(f"{TASKS}:setting",))
    names = ["told", "told_async"] * 5
    done = bench.run([claim("", target=f"{TASKS}:{name}", store_result=True) for name in names])
    assert [json.loads(each.result or "") for each in done] == [f"None then {TASKS}:{name}" for name in names]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_job_keeps_in_its_thread_stays_there(make: Make, kind: str) -> None:
    """Not a promise but the lack of one, which the docs admit: threads serve one job after the other."""
    bench = make(kind, 1, apps=(TASKS,))
    done = bench.run([claim("", target=f"{TASKS}:remember_in_the_thread", store_result=True) for _ in range(2)])
    assert [each.result for each in done] == ["null", '"somebody"']


def test_decimals_stay_as_the_app_has_set_them_up(make: Make) -> None:
    bench = make("process", 1, apps=("tests.worker.exact_tasks",))
    done = bench.run([claim("", target="tests.worker.exact_tasks:digits", store_result=True) for _ in range(3)])
    assert [each.result for each in done] == ["50", "50", "50"]
