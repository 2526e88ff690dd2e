"""A reader sees how everything stands, in every list and view, and nothing that jobs carry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pgqueue
from pgqueue.job import JobState
from pgqueue.store import execute, listing, showing
from pgqueue.store.statement import query
from tests import factories
from tests.postgres import ROOT
from tests.roles.conftest import Command, Staffed, typed

SECRET = "4111 1111 1111 1111"
HIDDEN = "(not shown: this role may not read what jobs carry)"
QUERIES = ROOT / "pgqueue" / "store" / "sql" / "queries"


@pytest.fixture(scope="module")
def filled(staffed: Staffed) -> Staffed:
    """A job in each state with a secret among its arguments; a schedule, a workflow, an effect, a step, a result."""
    conn = staffed.conn
    factories.enlist(conn)
    for state in (JobState.READY, JobState.SCHEDULED, JobState.RETRYING, JobState.RUNNING, JobState.DEAD):
        factories.make(conn, state, args={"card": SECRET})
    factories.make(conn, JobState.CANCELLED, args={"card": SECRET})
    ended = factories.make(conn, JobState.SUCCEEDED, args={"card": SECRET})
    conn.execute("select pgqueue.schedule('nightly', 'shop:pay', %s, cron => '0 3 * * *')", [f'["{SECRET}"]'])
    nodes = json.dumps(
        [
            {"name": name, "target": "shop:pay", "args": [SECRET], "after": needs}
            for name, needs in (("a", []), ("b", ["a"]))
        ]
    )
    conn.execute("select pgqueue.enqueue_workflow('w', %s)", [nodes])
    job = pgqueue.enqueue(conn, "shop:pay", [SECRET], on_success=[pgqueue.NewJob("shop:pay", {"card": SECRET})]).id
    quoted = json.dumps(SECRET)
    conn.execute(
        "insert into pgqueue.effects (scope, key, state, done_at, expires_at, value)"
        " values ('s', 'k', 'done', now(), now() + interval '1 day', %s)",
        [quoted],
    )
    conn.execute(
        "insert into pgqueue.steps (job_id, kind, name, nth, claim, result) values (%s, 'step', 'a', 0, 1, %s)",
        [job, quoted],
    )
    conn.execute(
        "insert into pgqueue.results (job_id, expires_at, result) values (%s, now() + interval '1 day', %s)",
        [ended, quoted],
    )
    conn.execute(
        "insert into pgqueue.alert_channels (name, kind, settings) values ('hook', 'webhook', %s)",
        [json.dumps({"url": f"https://example.com/{SECRET}"})],
    )
    return staffed


@pytest.fixture
def run(filled: Staffed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command as a reader types it."""
    return typed(filled, "reader", monkeypatch, capsys)


def questions() -> Iterator[Path]:
    """Every question of the files, but those that only who acts or migrates asks."""
    acting = {
        "export_dead",
        "buried_lost",
        "gathered",
        "empty",
        "fix_search_paths",
        "forget_copies",
        "lock_all",
        "lock_out_vacuum",
        "trial",
        "search_dead_arg",
        "search_ended_arg",
        "search_ended",
        "overdue",
        "sealed_jobs",
        "signable",
        "is_well_partitioned",
        "copying",
        "copy_obstacles",
        "ends_awaited",
    }
    for path in sorted(QUERIES.glob("*.sql")):
        if path.stem not in acting:
            yield path


def test_every_question_may_be_asked(filled: Staffed) -> None:
    """Each is planned and its rights are looked at, as for nobody's values."""
    types_of = "select parameter_types::text[] from pg_prepared_statements where name = 'question'"
    refused = []
    with filled.connect("reader") as conn:
        conn.execute("set search_path = pg_catalog")
        raw = psycopg.RawCursor(conn)
        for path in questions():
            raw.execute(b"prepare question as " + query(path.stem).encode())
            (types,) = conn.execute(types_of).fetchone() or ([],)
            values = f"({', '.join('null' for _ in types)})" if types else ""
            try:
                conn.execute(f"explain execute question{values}")
            except psycopg.errors.InsufficientPrivilege as error:
                refused.append(f"{path.stem}: {error}")
            conn.execute("deallocate question")
    assert refused == []


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "jobs list",
        "jobs list --state dead",
        "dead list",
        "causes list",
        "queues list",
        "queues show default",
        "queues explain default",
        "limits list",
        "routes list",
        "workers list",
        "schedules list",
        "schedules next nightly",
        "feeds list",
        "effects list",
        "manual list",
        "workflows list",
        "alerts list",
        "alerts channels list",
        "alerts rules list",
        "operations list",
        "audit list",
        "index list",
        "jobs list state:succeeded error:none",
        "roles show",
        "at 1m",
    ],
)
def test_every_list_is_there_without_what_jobs_carry(run: Command, words: str) -> None:
    code, out, err = run(*words.split(), "--json")
    assert (code, err) == (0, "")
    assert out
    assert SECRET not in out


def test_a_job_is_shown_and_says_what_is_not(filled: Staffed, run: Command) -> None:
    with filled.connect("reader") as conn:
        page = listing.page(conn, listing.Asked(states=frozenset(JobState)))
        assert page is not None
        assert {job.state for job in page.jobs} >= {"ready", "dead", "succeeded", "cancelled", "waiting", "running"}
        assert {job.args for job in page.jobs if job.args != {}} == {HIDDEN}
        for job in page.jobs:
            assert pgqueue.get_job(conn, job.id).args in (HIDDEN, {})
            found = execute(conn, showing.shown(job.id))
            assert found is not None
            assert SECRET not in repr(found)
            for command in (
                ["jobs", "show", job.id],
                ["jobs", "explain", job.id],
                ["jobs", "attempts", job.id],
                ["steps", job.id],
            ):
                code, out, err = run(*command)
                assert code == 0, err
                assert SECRET not in out
    with filled.connect("operator") as conn:
        assert pgqueue.get_job(conn, page.jobs[0].id).args not in (HIDDEN,)


def test_what_is_not_for_readers_is_refused_in_words(filled: Staffed, run: Command) -> None:
    (job,) = filled.conn.execute("select job_id from pgqueue.results").fetchone() or (None,)
    for words in (
        ["jobs", "result", job],
        ["jobs", "cancel", job],
        ["queues", "pause", "default"],
        ["jobs", "list", f"args.card={SECRET.split()[0]}"],
    ):
        code, _, err = run(*words)
        assert code != 0, words
        assert "permission denied" in err or "may not read" in err
        assert "Traceback" not in err


@pytest.mark.parametrize("view", ["job", "job_progress", "queue_stats", "workflow", "workflow_nodes", "effect"])
def test_every_view_may_be_read_whole(filled: Staffed, view: str) -> None:
    with filled.connect("reader") as conn:
        rows = conn.execute(f"select * from pgqueue.{view}").fetchall()
    assert SECRET not in repr(rows)


@pytest.mark.parametrize(
    "question",
    [
        "select args from pgqueue.jobs",
        "select * from pgqueue.jobs",
        "select args from pgqueue.attempts",
        "select args from pgqueue.dead_jobs",
        "select follow_ups from pgqueue.jobs",
        "select args from pgqueue.waiting",
        "select args from pgqueue.schedules",
        "select result from pgqueue.results",
        "select result from pgqueue.steps",
        "select payload from pgqueue.signals",
        "select value from pgqueue.effects",
        "select value from pgqueue.checkpoints",
        "select old_args from pgqueue.revisions",
        "select settings from pgqueue.alert_channels",
        "select pgqueue.cancel(pgqueue.uuid7_floor(now()))",
        "insert into pgqueue.jobs (id, target) values (pgqueue.uuid7_floor(now()), 'a:b')",
        "update pgqueue.jobs set priority = 9",
        "delete from pgqueue.audit",
    ],
)
def test_what_jobs_carry_is_not_to_be_had_by_other_ways(filled: Staffed, question: str) -> None:
    with filled.connect("reader") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(question)
