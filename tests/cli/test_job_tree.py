"""`pgqueue jobs tree`: a job, and the jobs that it brought."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from tests.cli.conftest import Command

Enqueue = Callable[..., str]
Conn = psycopg.Connection[object]


@pytest.fixture
def root(conn: Conn, enqueue: Enqueue) -> str:
    """A job with three children, the first of which has one, too."""
    conn.autocommit = True
    root = enqueue("send_receipt")
    first = spawn(conn, root, 3)[0]
    spawn(conn, first, 1)
    return root


def spawn(conn: Conn, parent: str, number: int) -> list[str]:
    new = json.dumps([{"target": "shop.tasks:pack\x1b"}] * number)
    rows = conn.execute("select id from pgqueue.spawn(%s, %s, 'enqueue')", [parent, new]).fetchall()
    return [str(row[0]) for row in rows]  # type: ignore[index]  # rows are tuples


def test_a_tree_is_drawn_with_states_and_how_each_came(pgqueue: Command, root: str) -> None:
    lines = pgqueue("jobs", "tree", root).out.splitlines()
    assert lines[0] == f"{root}  ready  tests.cli.shop:send_receipt"
    assert [line[:6].rstrip("0123456789abcdef") for line in lines[1:]] == ["├─ ", "│  └─ ", "├─ ", "└─ "]
    assert all(line.endswith("ready  shop.tasks:pack\\x1b  (enqueue)") for line in lines[1:])


def test_a_tree_is_bounded_and_says_how_to_go_on(pgqueue: Command, root: str) -> None:
    shown = pgqueue("jobs", "tree", root, "--limit", 3)
    assert [line.split()[-1] for line in shown.out.splitlines()][1:] == ["(enqueue)", "more", "(enqueue)", "more"]
    again = shown.err.split("tree ")[1].split()
    rest = pgqueue("jobs", "tree", *again, "--json").json
    whole = pgqueue("jobs", "tree", root, "--json").json
    assert [row["id"] for row in rest] == [root, whole[3]["id"]]
    assert [row["generation"] for row in whole] == [0, 1, 1, 1, 2]
    assert not any(row["more"] for row in whole)


def test_a_child_tells_who_brought_it(pgqueue: Command, root: str) -> None:
    child = pgqueue("jobs", "tree", root, "--json").json[1]["id"]
    assert f"was brought by {root}" in pgqueue("jobs", "tree", child).err
    assert UUID(pgqueue("jobs", "show", child, "--json").json["parent_id"]) == UUID(root)
    assert f"parent       {root}" in pgqueue("jobs", "show", child).out


def test_a_job_that_is_not_there_has_no_tree(pgqueue: Command) -> None:
    ran = pgqueue("jobs", "tree", "01900000-0000-7000-8000-000000000000")
    assert (ran.code != 0, ran.out) == (True, "")
