"""What can be no workflow is refused before anything is sent, with what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pgqueue
from pgqueue.errors import ArgumentError, OptionError, UsageError
from tests.workflows.looking import Conn, nothing_was_sent
from tests.workflows.shop_tasks import add, keyed, note, silent


def cycle() -> pgqueue.Workflow:
    flow = pgqueue.Workflow("order")
    flow.add(note, 1, name="a", after="c")
    flow.add(note, 1, name="b", after="a")
    flow.add(note, 1, name="c", after="b")
    return flow


def unknown_name() -> pgqueue.Workflow:
    flow = pgqueue.Workflow("order")
    flow.add(note, 1, after="ship")
    return flow


def node_of_another() -> pgqueue.Workflow:
    flow = pgqueue.Workflow("order")
    flow.add(note, pgqueue.Workflow("other").add(add, 1, 1).result)
    return flow


def result_of_silent() -> pgqueue.Workflow:
    flow = pgqueue.Workflow("order")
    flow.add(note, flow.add(silent).result)
    return flow


def result_in_a_list() -> pgqueue.Workflow:
    flow = pgqueue.Workflow("order")
    flow.add(note.job({"a": [flow.add(add, 1, 1).result]}))
    return flow


def result_of_several() -> pgqueue.Workflow:
    inner = pgqueue.Workflow("inner")
    inner.add(note, 1)
    inner.add(note, 2)
    flow = pgqueue.Workflow("order")
    flow.add(note, flow.add(inner).result)
    return flow


def mixed() -> list[Any]:
    return [note.job(1), 2]


@pytest.mark.parametrize(
    ("flow", "error", "said"),
    [
        (cycle, UsageError, r"wait for each other: a -> c -> b -> a; leave one out"),
        (unknown_name, UsageError, r"has no node 'ship'; its nodes are note"),
        (node_of_another, UsageError, r"has no node <Node add>"),
        (result_of_silent, UsageError, r"the result of 'silent' is used, and .*silent stores none"),
        (result_in_a_list, ArgumentError, r'args\[0\]\["a"\]\[0\]: a result cannot stand inside a list'),
        (result_of_several, UsageError, r"nothing that <the result of 'inner'> could be"),
        (
            lambda: pgqueue.chain(keyed.job(1)),
            OptionError,
            r"keyed: a job of a workflow has no unique; give the workflow",
        ),
        (
            lambda: pgqueue.chain(note.using(unique_key="k").job(1)),
            OptionError,
            r"has no unique_key; give the workflow",
        ),
        (lambda: pgqueue.chain(note.job(pgqueue.results)), UsageError, r"nothing that <the results of the group>"),
        (lambda: pgqueue.chain(note.job(object())), ArgumentError, r"args\[0\]: object is not JSON"),
        (lambda: pgqueue.group([note.job(pgqueue.previous)]), UsageError, r"it is the result of what is in front"),
        (lambda: pgqueue.group(iter(mixed())), UsageError, r"a group's iterator yields jobs, got 2"),
        (lambda: pgqueue.map(note, [1, object()]), ArgumentError, r"object is not JSON"),
    ],
)
def test_workflow_is_refused_whole(conn: Conn, flow: Callable[[], Any], error: type[Exception], said: str) -> None:
    conn.execute("select 1")
    with pytest.raises(error, match=said):
        flow().enqueue(conn)
    assert nothing_was_sent(conn)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pgqueue.chain(note), r"part 0 of a chain cannot be <Task .*note>; write task.job\(...\)"),  # type: ignore[arg-type]
        (lambda: pgqueue.group(note.job(1)), r"members must be a list or an iterator of jobs"),  # type: ignore[arg-type]
        (lambda: pgqueue.group(5), r"members must be a list or an iterator of jobs, got 5"),  # type: ignore[arg-type]
        (lambda: pgqueue.map("note", [1]), r"map\(\) takes a task first"),  # type: ignore[arg-type]
        (lambda: pgqueue.chunks([1], 0), r"size must be a whole number from 1"),
        (lambda: pgqueue.Workflow(on_failure="stop"), r"on_failure must be one of hold, cancel"),  # type: ignore[arg-type]
        (lambda: pgqueue.Workflow(deadline=-1), r"deadline must be more than 0"),
        (lambda: pgqueue.Workflow().add(note, 1, on_error={5: note}), r"types of exceptions, or their names, got 5"),
        (lambda: pgqueue.Workflow().add(pgqueue.group([]), on_error=note), r"on_error is of a single job"),
        (lambda: pgqueue.Workflow().add(note.job(1), 2), r"has its arguments"),
        (
            lambda: str(pgqueue.Workflow().add(note, 1).result),
            r"known only when that has ended; pass it as an argument",
        ),
        (lambda: pgqueue.chain(note.job(1)).enqueue(None, queue="a"), r"a workflow has no option queue"),  # type: ignore[call-overload]
        (lambda: pgqueue.current_job(), r"needs a running job"),
    ],
)
def test_call_is_refused_with_what_to_write(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call()


def test_names_of_nodes_are_given_once() -> None:
    flow = pgqueue.Workflow("order")
    flow.add(note, 1, name="a")
    with pytest.raises(OptionError, match="has a node 'a' already"):
        flow.add(note, 1, name="a")
    assert [flow.add(note, 1).name for _ in range(2)] == ["note", "note-2"]


def test_workflow_that_is_not_there_is_told(conn: Conn) -> None:
    for call in (pgqueue.cancel_workflow, pgqueue.retry_workflow):
        with pytest.raises(pgqueue.WorkflowNotFound):
            call(conn, "01a22a5e-50ab-7d2d-b359-a7a8f5689b82")
