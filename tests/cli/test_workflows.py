"""`pgqueue workflows`: listed, shown, drawn, called off and resumed."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import psycopg
import pytest

from pgqueue.ids import new_job_id
from pgqueue.secrecy import ALL, Secrecy
from pgqueue.store import execute, secrecy
from tests.cli.conftest import Command
from tests.conftest import Connect
from tests.factories import TARGET, Conn, state
from tests.scenes import failed, order
from tests.store.flows import chain, run, taken


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    return connect(autocommit=True)


def test_list_says_how_each_stands_newest_first(db: Conn, pgqueue: Command) -> None:
    first, second = failed(db, "order 1"), order(db, "order 2")
    other = chain(db, 1, name="thumbs")
    run(db, other, "1")
    rows = pgqueue("workflows", "list", "--json").json
    assert [(row["id"], row["state"], row["total"]) for row in rows] == [
        (str(other.id), "succeeded", 1),
        (str(second.id), "running", 9),
        (str(first.id), "failed", 9),
    ]
    assert [row["name"] for row in pgqueue("workflows", "list", "--state", "failed", "--json").json] == ["order 1"]
    assert [row["name"] for row in pgqueue("workflows", "list", "--name", "order*", "--json").json] == [
        "order 2",
        "order 1",
    ]
    page = pgqueue("workflows", "list", "-n", "1", "--before", str(second.id), "--json")
    assert [row["name"] for row in page.json] == ["order 1"]
    assert f"--before {first.id}" in page.err
    table = pgqueue("workflows", "list").out
    assert "order 1" in table
    assert "failed" in table


def test_no_workflow_is_said_to_be_none(pgqueue: Command) -> None:
    assert pgqueue("workflows", "list").out == "No such workflow.\n"
    assert pgqueue("workflows", "show", str(new_job_id())).code == 4
    assert pgqueue("workflows", "show", "0123").code == 4
    assert pgqueue("workflows", "show", "order").code == 2
    assert pgqueue("workflows", "cancel", str(new_job_id())).code == 4


def test_show_names_what_is_dead_and_how_to_resume(db: Conn, pgqueue: Command) -> None:
    flow = failed(db)
    shown = pgqueue("workflows", "show", str(flow.id)[:18])
    assert shown.code == 0
    for said in (
        "order 42",
        "9 jobs: 5 succeeded, 2 waiting, 2 dead, in 7 nodes",
        "builtins.OSError: no route",
        f"pgqueue workflows retry {flow.id}   resumes at ship, 1 of thumbs; 5 jobs are not run again",
    ):
        assert said in shown.out, said
    nodes = {node["name"]: node for node in pgqueue("workflows", "show", str(flow.id), "--json").json["graph"]}
    assert nodes["ship"]["state"] == "dead"
    assert nodes["audit"]["state"] == "waiting"
    assert nodes["refund"]["state"] == "succeeded"
    assert (nodes["thumbs"]["total"], nodes["thumbs"]["succeeded"], nodes["thumbs"]["dead"]) == (3, 2, 1)
    page = pgqueue("workflows", "show", str(flow.id), "-n", "2", "--after", "1")
    assert "risk" in page.out
    assert "stock" not in page.out
    assert "--after 3" in page.err


def test_show_with_io_has_arguments_and_results(db: Conn, pgqueue: Command) -> None:
    flow = order(db)
    run(db, flow, "stock")
    graph = pgqueue("workflows", "show", str(flow.id), "--io", "--json").json["graph"]
    assert graph[0]["args"] == {}
    assert "stock: {}" in pgqueue("workflows", "show", str(flow.id), "--io").out


def test_graph_is_drawn_as_text_mermaid_and_svg(db: Conn, pgqueue: Command) -> None:
    flow = failed(db)
    text = pgqueue("workflows", "graph", str(flow.id)).out.splitlines()
    assert text[0] == "order 42 · failed · 9 jobs: 5 succeeded, 2 waiting, 2 dead"
    assert any(line.startswith("✘─╯") and "ship" in line and "after 1 attempt" in line for line in text), text
    assert "flowchart LR" in pgqueue("workflows", "graph", str(flow.id), "--format", "mermaid").out
    svg = ElementTree.fromstring(pgqueue("workflows", "graph", str(flow.id), "-f", "svg").out)
    assert svg.tag.endswith("svg")


def test_retry_resumes_and_runs_nothing_twice(db: Conn, pgqueue: Command) -> None:
    flow = failed(db)
    ran = pgqueue("workflows", "retry", str(flow.id), "--rate", "1000/s", "--reason", "route is back", "--json")
    assert ran.code == 0, ran.err
    assert ran.json[0]["revived"] == 2
    assert state(db, flow.jobs["ship"]) == "ready"
    # Upkeep is not to join one who said a rate.
    assert pgqueue("workflows", "show", str(flow.id), "--json").json["asked"] is None
    run(db, flow, "ship", "thumb3")
    run(db, flow, "audit", "publish")
    assert pgqueue("workflows", "show", str(flow.id), "--json").json["state"] == "succeeded"
    again = pgqueue("workflows", "retry", str(flow.id))
    assert again.code == 1
    assert "has succeeded" in again.err
    running = order(db)
    assert "nothing of workflow" in pgqueue("workflows", "retry", str(running.id)).err
    audit = pgqueue("audit", "list", "--json").json
    assert [(row["action"], row["filter"], row["reason"]) for row in audit] == [
        ("workflows retry", str(flow.id), "route is back")
    ]


def test_cancel_reaches_what_waits_and_tells_what_runs(db: Conn, pgqueue: Command) -> None:
    flow = order(db)
    (held,) = taken(db, flow, "stock")
    ran = pgqueue("workflows", "cancel", str(flow.id), "--reason", "wrong order", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json[0]["called_off"], ran.json[0]["left"]) == (9, 1)
    assert state(db, flow.jobs["publish"]) == "cancelled"
    shown = pgqueue("workflows", "show", str(flow.id))
    assert "cancelled" in shown.out
    waited = pgqueue("workflows", "cancel", str(flow.id), "--wait", "--timeout", "0.1")
    assert waited.code == 1
    assert "1 job had not ended" in waited.err
    assert held is not None
    refused = pgqueue("workflows", "retry", str(flow.id))
    assert refused.code == 1
    assert "was cancelled" in refused.err


def test_what_has_succeeded_is_not_cancelled(db: Conn, pgqueue: Command) -> None:
    flow = chain(db, 1)
    run(db, flow, "1")
    refused = pgqueue("workflows", "cancel", str(flow.id))
    assert refused.code == 1
    assert "has succeeded already" in refused.err


def test_jobs_that_wait_at_a_gate_are_listed_shown_and_explained(db: Conn, pgqueue: Command) -> None:
    flow = failed(db)
    waiting = {str(flow.jobs["audit"]), str(flow.jobs["publish"])}
    assert {row["id"] for row in pgqueue("jobs", "list", "--state", "waiting", "--json").json} == waiting
    assert {row["id"] for row in pgqueue("jobs", "list", "state:waiting", "--json").json} == waiting
    assert waiting <= {row["id"] for row in pgqueue("jobs", "list", "--json").json}
    assert "waiting" in pgqueue("jobs", "show", str(flow.jobs["audit"])).out
    why = pgqueue("jobs", "explain", str(flow.jobs["audit"]))
    assert why.out.splitlines()[0] == "WAITING: it waits for 1 more: ship (dead)"
    assert f"cure: pgqueue workflows retry {flow.id}" in why.out


def test_status_and_doctor_say_that_a_workflow_has_failed(db: Conn, pgqueue: Command) -> None:
    assert "workflow" not in pgqueue("status").out
    flow = failed(db)
    assert "! 1 workflow has failed   pgqueue workflows list --state failed" in pgqueue("status").out
    (verdict,) = pgqueue("doctor", "--only", "workflows", "--json").json
    assert (verdict["status"], verdict["text"]) == ("warn", "1 workflow has failed")
    db.execute("delete from pgqueue.dead_jobs where workflow_id = %s", [flow.id])
    (verdict,) = pgqueue("doctor", "--only", "workflows", "--json").json
    assert verdict["cure"] == f"select pgqueue.mend_workflow('{flow.id}');"


def test_what_tasks_call_sensitive_is_shown_nowhere(db: Conn, pgqueue: Command) -> None:
    execute(db, secrecy.declare([(TARGET, Secrecy(ALL).said())]))
    flow = failed(db, error="no route for hunter22")
    secret = '{"password": "hunter22"}'
    db.execute("update pgqueue.dead_jobs set args = %s", [secret])
    db.execute("update pgqueue.attempts set args = %s", [secret])
    for words in (("show", flow.id, "--io"), ("show", flow.id, "--io", "--json"), ("graph", flow.id)):
        said = pgqueue("workflows", *words).out
        assert "hunter22" not in said, words
        assert "no route for" in said
    svg = pgqueue("workflows", "graph", flow.id, "-f", "svg").out
    assert "hunter22" not in svg
