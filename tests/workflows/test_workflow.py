"""Graphs with names: what each node waits for, what is done where one fails, and what is told how the whole ended."""

from __future__ import annotations

from typing import Any

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.workflows.looking import Conn, finish, job_of, states
from tests.workflows.shop_tasks import add, failing, note, ran, total


def said() -> list[Any]:
    """What note() was called with, in order."""
    return [each for name, each in ran if name == "note"]


def watched(name: str = "order", **options: Any) -> pgqueue.Workflow:
    """A workflow whose end is told."""
    flow = pgqueue.Workflow(name, **options)
    flow.on_success(note, "success")
    flow.on_failure(note, "failure")
    flow.on_end(note, "end")
    return flow


def test_nodes_wait_for_what_they_use_and_what_they_are_after(conn: Conn) -> None:
    flow = pgqueue.Workflow("order 42")
    stock = flow.add(add, 1, 1, name="stock")
    risk = flow.add(add, 2, 2, name="risk")
    ship = flow.add(add, stock.result, risk.result, name="ship")
    flow.add(note, ship.result, ship.id, after=["stock", ship])
    started = flow.enqueue(conn)
    drain(conn)
    assert ran[-1] == ("note", (6, str(job_of(conn, started.id, "ship"))))
    assert [name for name, _ in ran] == ["add", "add", "add", "note"]


def test_nodes_of_one_width_share_their_gate(conn: Conn) -> None:
    flow = pgqueue.Workflow()
    layer: list[pgqueue.Node] = []
    for _ in range(3):
        layer = [flow.add(note, 1, after=layer) for _ in range(4)]
    flow.enqueue(conn)
    assert conn.execute("select gate, unmet from pgqueue.gates order by 1").fetchall() == [(1, 4), (2, 4)]
    drain(conn)
    assert len(ran) == 12


def test_group_and_workflow_are_nodes_whose_results_are_used(conn: Conn) -> None:
    inner = pgqueue.Workflow("inner")
    inner.add(add, inner.add(add, 1, 2).result, 3)
    flow = pgqueue.Workflow("outer")
    numbers = flow.add(pgqueue.map(add.using(), []), name="none")
    many = flow.add(pgqueue.group([add.job(n, 0) for n in range(3)]), name="many")
    sub = flow.add(inner, name="sub", after=numbers)
    flow.add(note, many.result, sub.result, numbers.result)
    started = flow.enqueue(conn)
    drain(conn)
    assert said() == [([0, 1, 2], 6, [])]
    assert {"sub.add", "sub.add-2", "many"} <= states(conn, started.id).keys()


@pytest.mark.parametrize("members", [0, 1, 3])
def test_end_of_the_whole_is_told_once(conn: Conn, members: int) -> None:
    flow = watched()
    for n in range(members):
        flow.add(add, n, 1)
    flow.enqueue(conn)
    drain(conn)
    assert sorted(said()) == ["end", "success"]
    assert conn.execute("select count(*) from pgqueue.waiting").fetchone() == (0,)


@pytest.mark.parametrize("policy", ["hold", "cancel"])
def test_failure_of_the_whole_is_told_once_nothing_more_runs(conn: Conn, policy: Any) -> None:
    failing[1] = ValueError
    flow = watched(on_failure=policy)
    first = flow.add(add, 1, 1, name="first")
    for n in range(3):
        first = flow.add(add, first.result, 1, name=f"behind {n}")
    flow.add(pgqueue.map(note, "ab"), after=first)
    flow.add(add, 5, 5, name="beside")
    started = flow.enqueue(conn)
    finish(conn)
    assert sorted(said()) == ["end", "failure"]
    assert [name for name, _ in ran][-2:] == ["note", "note"]
    held = states(conn, started.id)
    assert held["behind 2"] == held["note"][:1] == ["waiting" if policy == "hold" else "cancelled"]
    if policy == "hold":
        failing.clear()
        assert pgqueue.retry_workflow(conn, started) == 1
        drain(conn)
        assert sorted(said()[2:]) == ["a", "b", "success"]


def test_cancelled_member_fails_the_whole(conn: Conn) -> None:
    flow = watched()
    flow.add(note, flow.add(add, 1, 1, name="first").result)
    started = flow.enqueue(conn)
    pgqueue.cancel(conn, job_of(conn, started.id, "first"))
    drain(conn)
    assert sorted(said()) == ["end", "failure"]
    assert states(conn, started.id)["note"] == ["cancelled"]


def test_waiting_member_that_is_cancelled_fails_the_whole(conn: Conn) -> None:
    flow = watched()
    second = flow.add(add, flow.add(add, 1, 1).result, 1, name="second")
    flow.add(note, second.result)
    started = flow.enqueue(conn)
    assert pgqueue.cancel(conn, job_of(conn, started.id, "second")) == "cancelled"
    drain(conn)
    assert sorted(said()) == ["end", "failure"]


def test_whole_that_is_cancelled_is_told_as_failed(conn: Conn) -> None:
    flow = watched()
    flow.add(note, flow.add(add, 1, 1).result)
    started = flow.enqueue(conn)
    while pgqueue.cancel_workflow(conn, started, reason="no money"):
        pass
    drain(conn)
    assert sorted(said()) == ["end", "failure"]
    assert states(conn, started.id)["add"] == ["cancelled"]
    with pytest.raises(pgqueue.UsageError, match="enqueue"):
        pgqueue.retry_workflow(conn, started)


@pytest.mark.parametrize(
    ("error", "branch"),
    [(KeyError, "key"), (TimeoutError, "time"), (ConnectionResetError, "net"), (ZeroDivisionError, "any")],
)
def test_branch_of_the_error_stands_in_for_the_job(conn: Conn, error: type[Exception], branch: str) -> None:
    failing[1] = error
    flow = watched()
    branches = {
        KeyError: note.job("key"),
        TimeoutError: note.job("time"),
        OSError: note.job("net"),
        Exception: note.job("any"),
    }
    ship = flow.add(add, 1, 1, on_error=branches)
    flow.add(note, "went on", ship.result, after=ship)
    flow.enqueue(conn)
    finish(conn)
    assert said()[:2] == [branch, ("went on", branch)]
    assert sorted(said()[2:]) == ["end", "success"]
    assert conn.execute("select count(*) from pgqueue.waiting").fetchone() == (0,)


def test_branches_are_called_off_by_success(conn: Conn) -> None:
    flow = watched()
    ship = flow.add(add, 1, 1)
    ship.on_error(note.job("repaired"), default=note.job("any"))
    flow.add(note, ship.result)
    flow.enqueue(conn)
    drain(conn)
    assert said()[0] == 2
    assert sorted(said()[1:]) == ["end", "success"]


def test_error_without_a_branch_fails_the_node(conn: Conn) -> None:
    failing[1] = ValueError
    flow = watched()
    flow.add(note, flow.add(add, 1, 1, on_error={KeyError: note.job("key")}).result)
    flow.enqueue(conn)
    finish(conn)
    assert sorted(said()) == ["end", "failure"]


@pytest.mark.parametrize("policy", ["hold", "cancel"])
def test_branch_that_fails_fails_the_node(conn: Conn, policy: Any) -> None:
    failing.update({1: ValueError, "repair": ValueError})
    flow = watched(on_failure=policy)
    ship = flow.add(add, 1, 1)
    ship.on_error(note, "repair")
    flow.add(note, ship.result, name="behind")
    started = flow.enqueue(conn)
    finish(conn)
    assert said()[0] == "repair"
    assert sorted(said()[1:]) == ["end", "failure"]
    assert states(conn, started.id)["behind"] == ["waiting" if policy == "hold" else "cancelled"]


def test_job_with_branches_that_is_cancelled_fails_the_node(conn: Conn) -> None:
    flow = watched()
    ship = flow.add(add, 1, 1, name="ship")
    ship.on_error(note, "repair")
    flow.add(note, ship.result)
    started = flow.enqueue(conn)
    pgqueue.cancel(conn, job_of(conn, started.id, "ship"))
    drain(conn)
    assert sorted(said()) == ["end", "failure"]


def test_node_that_allows_failure_begins_when_the_others_have_ended(conn: Conn) -> None:
    failing[1] = ValueError
    flow = watched()
    ship = flow.add(add, 1, 1)
    flow.add(note, "audit", ship.result, after=[ship], allow_failure=True)
    flow.enqueue(conn)
    finish(conn)
    assert said()[0] == ("audit", None)
    assert sorted(said()[1:]) == ["end", "failure"]


@pytest.mark.parametrize("part", ["job", "chain", "group"])
def test_whole_goes_well_without_an_optional_part(conn: Conn, part: str) -> None:
    failing[1] = ValueError
    parts: dict[str, Any] = {
        "job": add.job(1, 1),
        "chain": pgqueue.chain(add.job(1, 1), add.job(pgqueue.previous, 1)),
        "group": pgqueue.group([add.job(0, 0), add.job(1, 1)]),
    }
    flow = watched()
    extra = flow.add(parts[part], name="extra", optional=True)
    flow.add(note, "goes on", extra.result)
    flow.enqueue(conn)
    finish(conn)
    assert said()[0] == ("goes on", [0] if part == "group" else None)
    assert sorted(said()[1:]) == ["end", "success"]


def test_end_of_a_nested_workflow_is_told_once(conn: Conn) -> None:
    failing[1] = ValueError
    inner = watched()
    inner.add(note, inner.add(add, 1, 1).result)
    flow = pgqueue.Workflow("outer")
    flow.add(note, "behind", after=flow.add(inner, name="inner"))
    flow.on_end(note, "outer end")
    flow.on_failure(note, "outer failure")
    flow.enqueue(conn)
    finish(conn)
    assert sorted(said()) == ["end", "failure", "outer end", "outer failure"]


def test_diamond_of_deaths_is_told_once(conn: Conn) -> None:
    failing.update({1: ValueError, 2: ValueError})
    flow = watched()
    left, right = flow.add(add, 1, 0), flow.add(add, 2, 0)
    middle = flow.add(add, left.result, right.result)
    flow.add(total, [1], after=[middle, left])
    started = flow.enqueue(conn)
    finish(conn)
    assert sorted(said()) == ["end", "failure"]
    failing.clear()
    assert pgqueue.retry_workflow(conn, started) == 2
    drain(conn)
    assert said()[2:] == ["success"]


def test_unique_key_of_a_live_workflow_answers_that_one(conn: Conn) -> None:
    flow = pgqueue.Workflow("order", unique_key="order:42")
    flow.add(note, 1)
    first, second = flow.enqueue(conn), flow.enqueue(conn)
    assert (first.created, second.created, second.id) == (True, False, first.id)
    drain(conn)
    assert said() == [1]
    assert flow.enqueue(conn).created


def test_limit_key_of_the_whole_is_that_of_jobs_that_have_none(conn: Conn) -> None:
    flow = pgqueue.Workflow(limit_key="order:42")
    flow.add(note, 1)
    flow.add(note.using(limit_key="own").job(2))
    flow.enqueue(conn)
    assert conn.execute("select limit_key from pgqueue.jobs order by id").fetchall() == [("order:42",), ("own",)]


def test_deadline_and_labels_stand_with_the_whole(conn: Conn) -> None:
    flow = pgqueue.Workflow("order", deadline=3600, labels={"shop": "a"})
    flow.add(note, 1)
    flow.enqueue(conn)
    sql = "select name, labels, deadline - created_at between '59 minutes' and '61 minutes' from pgqueue.workflows"
    assert conn.execute(sql).fetchone() == ("order", {"shop": "a"}, True)
