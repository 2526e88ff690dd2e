"""What a running job adds to its own workflow, and what a task reads of the results of others."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.workflows import shop_tasks
from tests.workflows.looking import Conn, finish, states
from tests.workflows.shop_tasks import (
    add,
    gather,
    gather_later,
    grow,
    grow_chain,
    grow_deep,
    grow_later,
    grow_within,
    later,
    note,
    ran,
)


def test_what_follows_waits_for_what_was_added(conn: Conn) -> None:
    started = pgqueue.group([grow.job([1, 2]), grow.job([])], then=note.job("then", pgqueue.results)).enqueue(conn)
    drain(conn)
    assert [name for name, _ in ran] == ["grow", "grow", "add", "add", "note"]
    assert states(conn, started.id)["grow"] == ["succeeded"] * 4


def test_what_was_added_may_add_more(conn: Conn) -> None:
    pgqueue.chain(grow_deep.job(4), note.job("then")).enqueue(conn)
    drain(conn)
    assert [said for _, said in ran] == [4, 3, 2, 1, 0, "then"]


@pytest.mark.parametrize("task", [grow_chain, grow_within, grow_later])
def test_every_kind_of_task_adds(conn: Conn, task: pgqueue.Task[[int], int]) -> None:
    flow = pgqueue.Workflow("grows")
    flow.add(note, "then", flow.add(task, 7).result)
    flow.on_success(note, "success")
    flow.enqueue(conn)
    drain(conn)
    assert ran[0][0] == "add"
    assert [said for name, said in ran if name == "note"] == [("then", 7), "success"]


def test_what_was_added_and_fails_holds_what_follows(conn: Conn) -> None:
    shop_tasks.failing[2] = ValueError
    started = pgqueue.chain(grow.job([1, 2]), note.job("then")).enqueue(conn)
    finish(conn)
    assert states(conn, started.id)["note"] == ["waiting"]
    shop_tasks.failing.clear()
    pgqueue.retry_workflow(conn, started)
    drain(conn)
    assert ran[-1] == ("note", "then")


def test_job_of_no_workflow_begins_one(conn: Conn) -> None:
    grow.enqueue(conn, [1, 2])
    grow_chain.enqueue(conn, 5)
    drain(conn)
    assert sorted(said for name, said in ran if name == "add") == [(1, 0), (2, 0), (5, 1), (6, 1)]


def test_attempt_that_fails_adds_nothing(conn: Conn) -> None:
    shop_tasks.failing["grow"] = ValueError
    pgqueue.chain(grow.job([1]), note.job("then")).enqueue(conn)
    finish(conn)
    assert ran == [("grow", [1])]


@pytest.mark.parametrize("task", [gather, pytest.param(gather_later, marks=pytest.mark.faults)])
def test_results_that_are_too_many_are_read_one_by_one(conn: Conn, task: pgqueue.Task[[str], int]) -> None:
    kept = add.using(store_result=True)
    flow = pgqueue.Workflow()
    adds = flow.add(pgqueue.group((kept.job(n, 0) for n in range(1100)), name="adds"))
    flow.add(task, "adds", after=adds)
    flow.enqueue(conn)
    drain(conn, max_jobs=2000)
    assert ran[-1] == ("gather", list(range(1100)))


def test_results_of_what_was_waited_for_need_no_name(conn: Conn) -> None:
    pgqueue.group([add.using(store_result=True).job(n, 1) for n in range(3)], then=gather.job()).enqueue(conn)
    drain(conn)
    assert ran[-1] == ("gather", [1, 2, 3])


def test_async_tasks_are_nodes_as_others(conn: Conn) -> None:
    pgqueue.chain(later.job(1), later.job(pgqueue.previous)).enqueue(conn)
    drain(conn)
    assert ran == [("later", 1), ("later", 1)]
