"""What people read: one row a job, whatever its state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, jobs, queues, workers
from pgqueue.store.statement import query
from tests.factories import HOUR, Conn, claim, claim_one, enlist, enqueue, expire, fail, fill, job, make, settle

INDEXES = {"jobs_pkey", "attempts_pkey", "dead_jobs_pkey", "lineage_pkey", "waiting_id"}


@pytest.mark.parametrize("state", list(JobState))
def test_p2_a_job_is_one_row_in_exactly_one_state(db: Conn, state: JobState) -> None:
    made = make(db, state)
    assert db.execute("select id, state from pgqueue.job").fetchall() == [(made, state)]


def test_p2_a_job_is_one_row_after_every_move(db: Conn) -> None:
    taken = claim_one(db)
    for delay in (0.0, None):
        fail(db, taken, delay)
        assert len(db.execute("select from pgqueue.job").fetchall()) == 1
        execute(db, jobs.retry(taken.id))
        (taken,) = claim(db, enlist(db))
        assert len(db.execute("select from pgqueue.job").fetchall()) == 1
    settle(db, taken)
    assert [row[0] for row in db.execute("select state from pgqueue.job")] == ["succeeded"]


def test_the_view_has_the_columns_that_the_contract_names(db: Conn) -> None:
    cursor = db.execute("select * from pgqueue.job")
    assert " ".join(column.name for column in cursor.description or ()) == (
        "id queue target args state priority attempt max_attempts created_at run_at started_at finished_at worker"
        " unique_key limit_key labels last_error reason unknown_since cost parent_id root_id degraded fallen_from"
        " tenant"
    )


def test_a_job_keeps_what_it_was_in_every_state(db: Conn) -> None:
    for state in JobState:
        db.execute("delete from pgqueue.jobs")
        made = make(db, state, args=[1], labels={"a": "b"}, limit_key="l", priority=7, max_attempts=9)
        found = job(db, made)
        kept = (found.args, found.labels, found.limit_key, found.priority, found.max_attempts, found.target)
        assert kept == ([1], {"a": "b"}, "l", 7, 9, "shop.tasks:send"), state
        assert found.created_at is not None, state
        # Nobody knows when a gate will open.
        assert (found.run_at is not None) is (state is not JobState.WAITING), state
        assert (found.finished_at is not None) is state.ended, state
        assert (found.worker is not None) is (state is JobState.RUNNING), state


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


def test_a_job_by_id_walks_primary_keys_alone(db: Conn) -> None:
    # As it looks with some thousand rows; an empty table is read whole, and rightly so.
    db.execute(
        "insert into pgqueue.jobs (id, target) select pgqueue.uuid7(), 'a:b' from generate_series(1, 5000);"
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)"
        " select pgqueue.uuid7(), 1, 1, 'succeeded', 'q', 'a:b' from generate_series(1, 5000);"
        "insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, store_result, queue,"
        " target, args, reason) select pgqueue.uuid7(), now(), now(), 1, 5, 1, 0, false, 'q', 'a:b', '{}', 'x'"
        " from generate_series(1, 5000)"
    )
    made = enqueue(db)
    text = query("job").replace("$1", f"'{made}'")
    (row,) = db.execute(f"explain (analyze, buffers, format json) {text}").fetchall()
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(plan[0]["Plan"])}
    assert {node["Index Name"] for node in nodes(plan[0]["Plan"]) if "Index Name" in node} <= INDEXES
    assert plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"] < 30


def test_queue_stats_count_every_state(db: Conn) -> None:
    for state in (JobState.RUNNING, JobState.RETRYING, JobState.DEAD, JobState.SCHEDULED, JobState.READY):
        make(db, state)
    execute(db, queues.pause("empty"))
    default, empty = execute(db, queues.depths()).queues
    assert (default.ready, default.scheduled, default.running, default.retrying, default.dead) == (1, 1, 1, 1, 1)
    assert default.oldest_ready_age is not None
    assert (empty.queue, empty.paused, empty.ready) == ("empty", True, 0)
    assert default.estimated == []


def test_queue_stats_are_exact_as_far_as_they_count(db: Conn) -> None:
    """Against a plain count, with jobs at several priorities on both sides of now."""
    for number in range(300):
        db.execute(
            "insert into pgqueue.jobs (id, target, queue, priority, run_at, attempt) values"
            " (pgqueue.uuid7(), 'a:b', %s, %s, now() + %s * interval '1 minute', %s)",
            [f"q{number % 7}", number % 10, number % 13 - 6, number % 2],
        )
    for found in execute(db, queues.depths(most=10_000)).queues:
        counted = db.execute(
            "select count(*) filter (where state = 'ready'), count(*) filter (where state = 'scheduled'),"
            " count(*) filter (where state = 'retrying') from pgqueue.job where queue = %s",
            [found.queue],
        ).fetchone()
        assert (found.ready, found.scheduled, found.retrying) == counted
        assert found.estimated == []


def test_some_queues_are_as_full_as_among_all(db: Conn) -> None:
    for state in JobState:
        make(db, state, queue="mail")
        make(db, JobState.DEAD, queue="dead")
    execute(db, queues.pause("empty"))
    assert execute(db, queues.behind("", 9)) == ["dead", "empty", "mail"]
    assert execute(db, queues.behind("dead", 1)) == ["empty"]
    whole = {row.queue: row for row in execute(db, queues.depths()).queues}
    for names in (["dead"], ["empty", "mail"], ["mail", "nothing"]):
        some = execute(db, queues.depths(names)).queues
        assert [(row.queue, row.ready, row.dead, row.paused) for row in some] == [
            (name, whole[name].ready, whole[name].dead, whole[name].paused) for name in names if name in whole
        ]


def test_what_is_not_counted_is_estimated_and_never_less_than_what_was_seen(db: Conn) -> None:
    """Small tables are sampled whole, so that here the estimates are right."""
    fill(db, 500, queue="mail")
    fill(db, 500, queue="mail", delay=HOUR)
    fill(db, 2, queue="web")
    for _ in range(9):
        make(db, JobState.DEAD)
    mail, web, default = sorted(execute(db, queues.depths(most=12)).queues, key=lambda row: -row.ready)
    assert (mail.ready, mail.scheduled) == (500, 500)
    assert mail.estimated == ["ready", "running", "ahead", "scheduled", "retrying"]
    assert (web.ready, web.estimated) == (2, [])
    assert (default.dead, default.estimated) == (9, [])


def test_jobs_beyond_their_workers_slots_are_ahead(db: Conn) -> None:
    worker = enlist(db, concurrency=2)
    fill(db, 3, queue="mail")
    fill(db, 2, queue="web")
    claim(db, worker, 3, "mail")
    claim(db, worker, 2, "web")
    depths = execute(db, queues.depths())
    assert {row.queue: (row.running, row.ahead) for row in depths.queues} == {"mail": (2, 1), "web": (0, 2)}
    assert depths.held == {worker: 5}


def test_queue_names_are_found_one_probe_each(db: Conn) -> None:
    for name in ("web", "mail", "Ärger", "mail", " "):
        enqueue(db, queue=name)
    assert sorted(execute(db, queues.names())) == sorted({"web", "mail", "Ärger", " "})
    assert execute(db, queues.first(2)) == execute(db, queues.names())[:2]


def test_heads_are_the_first_waiting_jobs_of_slots_in_order(db: Conn) -> None:
    worker = enlist(db)
    enqueue(db, queue="runs")
    claim(db, worker, 1, "runs")
    enqueue(db, queue="b", delay=HOUR)
    first = enqueue(db, queue="b", delay=60)
    urgent = enqueue(db, queue="b", priority=9)
    enqueue(db, queue="paused")
    execute(db, queues.pause("paused"))
    found = execute(db, queues.heads("", 0, 10))
    assert [head[:2] for head in found] == [("b", 5), ("b", 9), ("paused", 5), ("runs", 5)]
    assert [head.id for head in found] == [first, urgent, None, None]
    assert found[0].seconds is not None
    assert 0 < found[0].seconds <= 60
    assert found[1].seconds is not None
    assert found[1].seconds <= 0
    assert [head.id for head in execute(db, queues.heads("b", 5, 1))] == [urgent]
    assert [head.id for head in execute(db, queues.heads_of(["runs", "none", "b"]))] == [None, first, urgent]


def test_workers_are_listed_with_what_they_hold(db: Conn) -> None:
    busy, gone = claim_one(db).worker, enlist(db, queues=["mail"])
    expire(db, gone)
    held, partial = execute(db, workers.holders(100))
    assert (held, partial) == ({busy: 1}, False)
    listed = workers.holding(execute(db, workers.rows()), held, partial=partial)
    assert {row.id: (row.running, row.ahead, row.alive) for row in listed} == {
        busy: (1, 0, True),
        gone: (0, 0, False),
    }


def test_p2_there_are_no_foreign_keys(db: Conn) -> None:
    rows = db.execute(
        "select conname from pg_constraint where contype = 'f' and connamespace = 'pgqueue'::regnamespace"
    )
    assert rows.fetchall() == []


def test_p12_every_table_is_logged(db: Conn) -> None:
    rows = db.execute(
        "select relname from pg_class where relnamespace = 'pgqueue'::regnamespace and relpersistence <> 'p'"
    )
    assert rows.fetchall() == []


def test_no_index_of_jobs_holds_a_column_that_a_claim_changes(db: Conn) -> None:
    rows = db.execute("select indexdef from pg_indexes where schemaname = 'pgqueue' and tablename = 'jobs'").fetchall()
    assert rows
    for (definition,) in rows:
        for column in ("worker", "claim,", "claim)", "attempt", "started_at", "crashes"):
            assert column not in definition.partition(" USING ")[2]
