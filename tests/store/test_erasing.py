"""Erasure: a person goes from wherever pgqueue keeps anything of them, and nobody else does."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import QueryCanceled

import pgqueue
from pgqueue import NewJob
from pgqueue.job import JobState
from pgqueue.partitioning import partition_history
from pgqueue.store import execute, jobs
from tests.factories import TARGET, Conn, claim, claim_one, count, enlist, enqueue, fail, failure, make, state
from tests.history.filling import fill
from tests.store.flows import chord, look, run

ADA, BOB = "ada@example.org", "bob@example.org"
WHO: dict[str, Any] = {"args": {"email": ADA}}


def everything(conn: Conn) -> str:
    """All rows of all tables of pgqueue, as text."""
    tables = conn.execute(
        "select c.relname from pg_class as c where c.relnamespace = 'pgqueue'::regnamespace and c.relkind in ('r', 'p')"
        " and not c.relispartition"
    ).fetchall()
    return "\n".join(
        str(row) for (table,) in tables for row in conn.execute(f"select t::text from pgqueue.{table} as t").fetchall()
    )


def leave_traces(conn: Conn, job: UUID, email: str) -> None:
    """A row of each companion for one job, which says the address."""
    said = json.dumps({"email": email})
    for sql in (
        "insert into pgqueue.results (job_id, expires_at, result) values (%s, now() + interval '1 day', %s)",
        "insert into pgqueue.checkpoints (job_id, claim, attempt, value) values (%s, 1, 1, %s)",
        "insert into pgqueue.steps (job_id, kind, name, nth, claim, result) values (%s, 'step', 'a', 1, 1, %s)",
        "insert into pgqueue.signals (scope, name, payload) values (%s, 'a', %s)",
        "insert into pgqueue.revisions (job_id, who, old_args) values (%s, 'ann', %s)",
        "insert into pgqueue.job_logs (job_id, at, claim, attempt, seq, level, line)"
        " values (%s, now(), 1, 1, 1, 'info', %s)",
        "insert into pgqueue.progress (job_id, since_done, done, claim, attempt, note) values (%s, 0, 1, 1, 1, %s)",
    ):
        conn.execute(sql, [job, said])
    conn.execute(
        "insert into pgqueue.effects (scope, key, state, done_at, expires_at, job_id, value)"
        " values ('s', %s, 'done', now(), now() + interval '1 day', %s, %s)",
        [f"mail:{email}:{job}", job, said],
    )
    conn.execute(
        "insert into pgqueue.unique_windows (unique_key, until, job_id) values (%s, now() + interval '1 day', %s)",
        [f"once:{email}:{job}", job],
    )


ENDS = (JobState.SCHEDULED, JobState.RETRYING, JobState.MANUAL, JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED)


@pytest.mark.parametrize("how", ["argument", "label"])
def test_a_person_goes_from_every_table_and_everybody_else_stays(db: Conn, how: str) -> None:
    def made(at: JobState, email: str) -> UUID:
        labels = {"customer": email}
        made = make(db, at, **({"args": {"email": email}} if how == "argument" else {"labels": labels}))
        leave_traces(db, made, email)
        return made

    # One after the other, as each takes what is due first.
    ids = {at: (made(at, ADA), made(at, BOB)) for at in ENDS}
    pgqueue.schedule(db, "ada", TARGET, {"email": ADA}, cron="0 3 * * *", labels={"customer": ADA})
    pgqueue.schedule(db, "bob", TARGET, {"email": BOB}, cron="0 3 * * *", labels={"customer": BOB})
    assert everything(db).count(ADA) == everything(db).count(BOB)
    before = everything(db).count(BOB)
    done = pgqueue.erase(db, **({"args": {"email": ADA}} if how == "argument" else {"label": {"customer": ADA}}))
    assert ADA not in everything(db)
    assert everything(db).count(BOB) == before
    assert [state(db, ada) for ada, _ in ids.values()] == [None] * len(ids)
    assert [state(db, bob) for _, bob in ids.values()] == list(ids)
    assert (done.running, done.elsewhere, done.place) == (set(), {}, None)
    assert {name: done.removed[name] for name in ("jobs", "dead_jobs", "schedules")} == {
        "jobs": 3, "dead_jobs": 1, "schedules": 1
    }  # fmt: skip
    for name in ("results", "checkpoints", "steps", "signals", "revisions", "job_logs", "progress", "effects"):
        assert done.removed[name] == len(ENDS), name
    assert pgqueue.erase(db, **WHO, label={"customer": ADA}).removed == {}


def test_what_runs_is_asked_to_end_and_goes_when_it_has(db: Conn) -> None:
    held = claim_one(db, {"email": ADA})
    fail(db, held, 0.0)
    (held,) = claim(db, enlist(db))
    done = pgqueue.erase(db, **WHO)
    assert done.running == {held.id}
    assert db.execute("select job_id from pgqueue.cancellations").fetchall() == [(held.id,)]
    assert state(db, held.id) is JobState.RUNNING
    fail(db, held, None)
    assert pgqueue.erase(db, **WHO).running == set()
    assert ADA not in everything(db)
    assert count(db, "attempts") == 0


def test_a_job_is_found_by_what_follows_it_by_what_it_said_before_and_by_what_it_answered(db: Conn) -> None:
    followed = pgqueue.enqueue(db, TARGET, on_success=NewJob(TARGET, {"to": {"email": ADA}})).id
    edited = enqueue(db, {"email": ADA})
    db.execute("select pgqueue.edit_args(%s, '{}', 'ann')", [edited])
    answered = claim_one(db, queue="mail", store_result=True)
    assert execute(db, jobs.complete(answered, json.dumps({"email": ADA})))
    other = enqueue(db, {"email": BOB})
    pgqueue.erase(db, args={"email": ADA, "to.email": ADA})
    assert [state(db, each) for each in (followed, edited, answered.id)] == [None] * 3
    assert state(db, other) is JobState.READY
    assert ADA not in everything(db)


def test_what_followed_a_job_and_was_told_of_its_result_goes_with_it(db: Conn) -> None:
    pgqueue.enqueue(db, TARGET, {"email": ADA}, store_result=True, on_success=NewJob("shop.tasks:after", {}))
    (held,) = claim(db, enlist(db))
    assert execute(db, jobs.complete(held, '"Dear Ada Lovelace"'))
    assert "Lovelace" in str(db.execute("select args from pgqueue.jobs").fetchall())
    pgqueue.erase(db, **WHO)
    assert "Lovelace" not in everything(db)
    assert (count(db, "jobs"), count(db, "lineage")) == (0, 0)


def test_the_errors_of_a_person_go_from_attempts_and_causes(db: Conn) -> None:
    held = claim_one(db, {"email": ADA})
    text = f"Key (email)=({ADA}) exists"
    execute(db, jobs.fail(held.worker, [failure(held, None)._replace(error=text, cause="c1")]))
    db.execute(
        "insert into pgqueue.causes (cause, target, error_type, error) values ('c1', %s, 'E', %s)", [TARGET, text]
    )
    assert pgqueue.erase(db, **WHO).removed["causes"] == 1
    assert ADA not in everything(db)
    assert db.execute("select cause, error_type, error from pgqueue.causes").fetchall() == [("c1", "E", None)]


def test_a_labelled_workflow_goes_whole_and_another_stays(db: Conn) -> None:
    gone, stays = chord(db, 3, end=True), chord(db, 2)
    db.execute("update pgqueue.workflows set labels = %s where id = %s", [json.dumps({"customer": "42"}), gone.id])
    run(db, gone, "m1")
    done = pgqueue.erase(db, label={"customer": "42"}, batch=2)
    assert done.removed["workflows"] == 1
    for table in ("workflows", "nodes", "gates", "waiting", "arrivals", "jobs", "attempts"):
        column = "id" if table == "workflows" else "workflow_id"
        row = db.execute(f"select count(*) from pgqueue.{table} where {column} = %s", [gone.id]).fetchone()
        assert row == (0,), table
    assert set(stays.states(db).values()) == {JobState.READY, JobState.WAITING}


def test_a_step_that_waits_in_a_workflow_goes_and_its_workflow_goes_on(db: Conn) -> None:
    flow = chord(db, 2, end=True)
    db.execute("update pgqueue.waiting set args = %s where id = %s", [json.dumps({"email": ADA}), flow.jobs["then"]])
    pgqueue.erase(db, **WHO)
    run(db, flow, "m1", "m2")
    look(db)
    assert state(db, flow.jobs["then"]) is None
    assert flow.states(db)["end"] is JobState.READY


def test_a_rehearsal_counts_what_would_go_and_removes_nothing(db: Conn) -> None:
    for at in ENDS:
        leave_traces(db, make(db, at, args={"email": ADA}), ADA)
    claim_one(db, {"email": ADA}, queue="running")
    before = everything(db)
    seen = pgqueue.erase(db, **WHO, dry_run=True)
    assert everything(db) == before
    done = pgqueue.erase(db, **WHO)
    assert (seen.removed, seen.running) == (done.removed, done.running)


def test_an_erasure_goes_on_where_it_was_ended(db: Conn) -> None:
    for email in (ADA, BOB) * 20:
        enqueue(db, {"email": email})
    places: list[str | None] = []

    def after(so_far: pgqueue.Erasure) -> None:
        places.append(so_far.place)
        if so_far.removed["jobs"] >= 5:
            raise QueryCanceled

    with pytest.raises(QueryCanceled):
        pgqueue.erase(db, **WHO, batch=7, after=after)
    left = count(db, "jobs")
    assert 20 < left < 40
    pgqueue.erase(db, **WHO, batch=7, begin_at=places[-1])
    assert ADA not in everything(db)
    assert count(db, "jobs") == 20


def test_it_works_in_batches_and_through_partitions(db: Conn) -> None:
    fill(db, 200, days=20)
    db.execute("update pgqueue.attempts set args = %s where args is not null", [json.dumps({"email": ADA})])
    partition_history(db.info.dsn + f" password={db.info.password}")
    before = count(db, "attempts")
    sizes: list[int] = []
    done = pgqueue.erase(db, **WHO, batch=10, after=lambda so_far: sizes.append(so_far.removed.total()))
    assert done.removed["attempts"] >= 20
    assert count(db, "attempts") == before - done.removed["attempts"]
    assert ADA not in everything(db)


def test_what_is_left_is_said(db: Conn) -> None:
    declared = [{"target": TARGET, "schedule": {"name": "s", "target": TARGET, "every": 60, "args": {"email": ADA}}}]
    db.execute("select pgqueue.declare_rules(1, 'shop', 'h', %s)", [json.dumps(declared)])
    db.execute(
        "insert into pgqueue.audit (who, via, action, filter) values ('ann', 'cli', 'x', %s)", [f"args.email:{ADA}"]
    )
    db.execute(
        "insert into pgqueue.feeds (name, source, target, buffer, cursor) values ('f', 's', 't', 1, %s)",
        [json.dumps({"email": ADA})],
    )
    assert pgqueue.erase(db, **WHO).elsewhere == {"schedules": 1, "audit": 1, "feeds": 1}


def test_a_value_is_meant_whole_and_where_its_path_leads(db: Conn) -> None:
    for args in ({"email": "xada@example.org"}, {"mail": ADA}, [ADA], {"email": {"email": ADA}}, {"email": [ADA]}):
        enqueue(db, args)
    for labels in ({"email": ADA}, {"customer": "421"}):
        enqueue(db, labels=labels)
    assert pgqueue.erase(db, **WHO, label={"customer": "42"}).removed == {}
    assert pgqueue.erase(db, args={"0": ADA}).removed["jobs"] == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({}, "whom to erase"),
        ({"label": {"customer": ""}}, "a text that is not empty"),
        ({"label": {"customer": 42}}, "a text that is not empty, got int"),
        ({"args": {"a..b": "c"}}, "named by a path"),
        ({"args": {"a": "c"}, "begin_at": "elsewhere:"}, "a place that one has told"),
        ({"args": {"a": "c"}, "batch": 0}, "batch"),
    ],
)
def test_what_cannot_be_erased_is_refused(db: Conn, options: Any, fault: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=fault):
        pgqueue.erase(db, **options)


def test_an_erasure_needs_a_connection_on_which_it_may_commit(conn: Conn) -> None:
    conn.execute("select 1")
    with pytest.raises(pgqueue.OptionError, match="no transaction is open"):
        pgqueue.erase(conn, **WHO)
