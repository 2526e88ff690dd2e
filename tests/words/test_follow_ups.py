"""What may be said to follow an end: jobs, told from hooks, and refused where it cannot be meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pgqueue.errors import ArgumentError, OptionError, TargetError
from pgqueue.job import NewJob
from pgqueue.store.spawning import written
from pgqueue.tasks import Task, declared_follows, task
from pgqueue.tasks.addressing import named
from tests.worker import following_tasks as tasks


def tell(told: Any) -> None:
    return None


def function() -> None:
    return None


def test_under_on_success_of_a_task_functions_are_hooks_and_all_else_is_jobs() -> None:
    said: Task[..., Any] = task(on_success=[tell, tasks.clean_up, "a.b:c", NewJob("a.b:d", queue="q")])(function)
    assert said.hooks == {"on_success": (tell,)}
    declared = json.loads(declared_follows(said) or "")
    assert [(each["on"], each["target"], each.get("queue")) for each in declared["follow_ups"]] == [
        ("succeeded", f"{tasks.HERE}:clean_up", None),
        ("succeeded", "a.b:c", None),
        ("succeeded", "a.b:d", "q"),
    ]


def test_a_task_that_only_bounds_what_it_brings_declares_nothing() -> None:
    assert declared_follows(task(max_children=3)(function)) is None
    assert declared_follows(task(function)) is None


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"on_failure": tell}, OptionError, "make it a @task, or say on_dead"),
        ({"on_end": [tell]}, OptionError, "on_success, on_dead and on_cancel"),
        ({"on_dead": tasks.clean_up}, OptionError, "for a job that follows say on_success"),
        ({"on_failure": "clean_up"}, TargetError, "must read 'module:function'"),
        ({"on_failure": tasks.child}, ArgumentError, "by its argument 'ended'"),
        ({"on_failure": NewJob("a.b:c", [1])}, ArgumentError, "given by keyword"),
        ({"on_failure": NewJob("a.b:c", {"ended": 1})}, ArgumentError, "call yours by another name"),
        ({"on_end": NewJob("a.b:c", unique_key="k", on_conflict="raise")}, OptionError, "nobody to raise to"),
        ({"on_end": ["a.b:c"] * 101}, OptionError, "may be 100 jobs"),
        ({"max_depth": 0}, OptionError, "max_depth must be"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_said(options: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        task(**options)(function)


def test_a_single_job_has_no_hooks() -> None:
    with pytest.raises(OptionError, match="a plain function is a hook"):
        NewJob("a.b:c", on_success=tell)


def test_a_job_is_written_down_with_what_follows_it_and_that_with_what_follows_it() -> None:
    last = NewJob("a.b:last", {"n": 10**30})
    new = named(NewJob("a.b:c", [1], on_success=NewJob("a.b:next", delay=2, on_end=last)), {})
    said = json.loads(written(new))
    (second,) = said["follow_ups"]
    (third,) = second["follow_ups"]
    assert (second["on"], second["delay"], third["on"], third["args"]) == ("succeeded", 2.0, "end", {"n": 10**30})


def test_arguments_of_a_task_that_follows_may_be_given_as_for_a_call() -> None:
    new = named(NewJob("a.b:c", on_success=tasks.clean_up.using(queue="q")), {})
    (follow_up,) = json.loads(written(new))["follow_ups"]
    assert (follow_up["target"], follow_up["queue"], follow_up["args"]) == (f"{tasks.HERE}:clean_up", "q", {})
