"""`pgqueue index`: searches for an argument that is indexed find jobs at once, and no job is refused for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from pgqueue.job import JobState
from pgqueue.search import parse
from pgqueue.store import arg_indexes, execute, searching
from pgqueue.store.looking import look
from tests import factories
from tests.cli.conftest import Command
from tests.conftest import Connect
from tests.store.plans import nodes, plans_of

Conn = psycopg.Connection[Any]
PATH = "args.user.id"


@pytest.fixture
def conn(connect: Connect) -> Conn:
    """As a person has it: what is done is there for all."""
    return connect(autocommit=True)


@pytest.fixture
def crowd(conn: Conn) -> list[Any]:
    """Jobs of many users, 3 of whom have the number 7: one succeeded, one dead, one that waits."""
    ids = []
    for number in range(20):
        for state in (JobState.SUCCEEDED, JobState.DEAD):
            ids.append(factories.make(conn, state, args={"user": {"id": number}}))
    ids.append(factories.enqueue(conn, {"user": {"id": 7}}))
    return ids


@pytest.mark.usefixtures("crowd")
def test_a_search_walks_the_index_and_finds_what_it_found_before(pgqueue: Command, conn: Conn) -> None:
    before = [job["id"] for job in pgqueue("jobs", "list", "args.user.id=7", "--json").json]
    added = pgqueue("index", "add", PATH, "--yes")
    assert added.code == 0, added.err
    assert "of disk" in added.err
    assert [(row["path"], row["table"], row["valid"]) for row in pgqueue("index", "list", "--json").json] == [
        (PATH, "attempts", True),
        (PATH, "dead_jobs", True),
    ]
    asked = parse("args.user.id=7", datetime.now(UTC))
    found: list[Any] = []
    plans = plans_of(conn, lambda: found.append(look(conn, lambda conn: searching.search(conn, asked))))
    assert [str(each.id) for each in found[0].candidates] == before
    assert len(before) == 3
    walked = {node.get("Index Name") for plan in plans for node in nodes(plan)}
    assert {arg_indexes.name_of(table, PATH) for table in arg_indexes.TABLES} <= walked
    # Of the ended and dead ones those alone were looked at, and of the dead one its last attempt, too.
    assert found[0].looked == 4
    assert f"added for searches: {PATH}" in pgqueue("doctor", "--only", "indexes").out
    assert pgqueue("index", "drop", PATH).code == 0
    assert pgqueue("index", "list").out == "No argument is indexed.\n"
    assert [act["action"] for act in pgqueue("audit", "list", "--json").json] == ["index drop", "index add"]


@pytest.mark.parametrize("value", ["\\u0000", "x" * 500, "é" * 3_000])
def test_no_job_is_refused_for_what_stands_in_an_indexed_argument(pgqueue: Command, conn: Conn, value: str) -> None:
    assert pgqueue("index", "add", PATH, "--yes").code == 0
    text = '{"user": {"id": "' + value + '"}}'
    for end in (lambda claim: factories.settle(conn, claim), lambda claim: factories.fail(conn, claim, None)):
        claim = factories.claim_one(conn)
        conn.execute("update pgqueue.jobs set args = %s::json where id = %s", [text, claim.id])
        end(claim)
        assert factories.state(conn, claim.id) in (JobState.SUCCEEDED, JobState.DEAD)
    if len(value) < 1_000:
        # Its beginning is in the index, and the whole is compared.
        assert len(pgqueue("jobs", "list", f"args.user.id={value}", "--json").json) == (0 if "u0000" in value else 2)
        assert pgqueue("jobs", "list", f"args.user.id={value}x", "--json").json == []


def test_a_path_is_checked_and_a_wrong_one_is_told(pgqueue: Command, conn: Conn) -> None:
    for wrong in ("user.id", "args", "args.", "args.a b", "args.a=1"):
        ran = pgqueue("index", "add", wrong, "--yes")
        assert (ran.code, "an argument is named" in ran.err) == (2, True), wrong
    assert pgqueue("index", "drop", PATH).code == 4
    # Whatever a name holds, it is a name.
    odd = "args.it's\"$1;--"
    assert pgqueue("index", "add", odd, "--yes").code == 0
    assert pgqueue("index", "list", "--json").json[0]["path"] == odd


def test_an_index_that_was_not_built_to_its_end_is_told_not_used_and_built_anew(pgqueue: Command, conn: Conn) -> None:
    assert pgqueue("index", "add", PATH, "--yes").code == 0
    name = arg_indexes.name_of("attempts", PATH)
    conn.execute("update pg_index set indisvalid = false where indexrelid = %s::regclass", [f"pgqueue.{name}"])
    assert arg_indexes.usable_paths(execute(conn, arg_indexes.listed())) == set()
    assert f"pgqueue index drop {PATH}" in pgqueue("doctor", "--only", "indexes").out
    assert pgqueue("index", "add", PATH, "--yes").code == 0
    assert arg_indexes.usable_paths(execute(conn, arg_indexes.listed())) == {("user", "id")}
