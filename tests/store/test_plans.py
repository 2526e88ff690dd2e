"""The claim's plan and cost: on an empty, a never analysed and a 1,000,000-row table, whatever the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.job import Claim, NewJob
from pgqueue.store import enqueueing, execute, jobs, queues
from pgqueue.store.together import Companions, claim_companions
from tests.factories import HOUR, TARGET, Conn, claim, enlist, enqueue, epoch, fail, fill, release, settle, slots, step
from tests.postgres import Databases

Plan = dict[str, Any]

# What a busy system looks like: three queues, ten priorities, a fifth of the rows due.
MILLION = """
insert into pgqueue.jobs (id, queue, priority, run_at, target)
select gen_random_uuid(), (array['default', 'mail', 'web'])[1 + n % 3], (n / 3) % 10,
       now() + (n - 200000) * interval '1 second', 'shop.tasks:send'
from generate_series(1, 1000000) as n
"""
ALL = ("default", "mail", "web")


@pytest.fixture(scope="session")
def crowded(databases: Databases) -> Iterator[str]:
    """The DSN of a database with a million jobs, never analysed."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn) as conn:
        conn.execute("set local synchronous_commit = off")
        conn.execute(MILLION)
    yield dsn
    databases.drop(name)


@pytest.fixture
def crowd(crowded: str) -> Iterator[Conn]:
    """A connection to the million jobs; what it does is undone."""
    with psycopg.connect(crowded) as conn:
        yield conn
        conn.rollback()


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def scans_of_jobs(plans: list[Plan]) -> list[Plan]:
    return [node for plan in plans for node in nodes(plan) if _reads_jobs(node)]


def _reads_jobs(node: Plan) -> bool:
    return bool(node.get("Relation Name") == "jobs" and node["Actual Loops"])


def rows_read(scans: list[Plan]) -> float:
    read = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        sum(node.get(name, 0) for name in read) * node["Actual Loops"] for node in scans if "Scan" in node["Node Type"]
    )


def blocks(plans: list[Plan]) -> int:
    """Blocks touched by all statements; what is nested is counted with what it is nested in, and once more."""
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)


def check(plans: list[Plan], *, rows: float, most_blocks: int) -> None:
    """Only indexes, no sort below a lock, and so many rows and blocks at most."""
    scans = scans_of_jobs(plans)
    assert scans
    kinds = {node["Node Type"] for node in scans}
    assert kinds <= {"Index Scan", "Index Only Scan", "Tid Scan", "ModifyTable"}, kinds
    assert not [node for node in _around_locks(plans) if node["Node Type"] in ("Sort", "Incremental Sort")]
    assert rows_read(scans) <= rows
    assert blocks(plans) <= most_blocks


def _around_locks(plans: list[Plan]) -> list[Plan]:
    """The nodes above a lock that a Limit ends: a sort between them would lock every row it sorts."""
    limits = [node for plan in plans for node in nodes(plan) if node["Node Type"] == "Limit"]
    below = [[each for each in nodes(limit) if each is not limit] for limit in limits]
    inner = [{id(each) for lock in tree if lock["Node Type"] == "LockRows" for each in nodes(lock)} for tree in below]
    return [
        each
        for tree, locked in zip(below, inner, strict=True)
        if locked
        for each in tree
        if id(each) not in locked and any(node["Node Type"] == "LockRows" for node in nodes(each))
    ]


SETTINGS = ["", "set enable_indexscan = off", "set random_page_cost = 1000", "set jit_above_cost = 0"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_claim_of_an_empty_table_walks_indexes_alone(db: Conn, plans: Any, setting: str) -> None:
    worker = enlist(db)
    db.execute(setting)
    check(plans(db, lambda: claim(db, worker, 10, *ALL)), rows=0, most_blocks=1000)


def test_a_claim_of_a_table_that_was_analysed_empty_walks_indexes_alone(db: Conn, plans: Any) -> None:
    db.execute("analyze pgqueue.jobs")
    fill(db, 5000)
    worker = enlist(db)
    check(plans(db, lambda: claim(db, worker, 10)), rows=60, most_blocks=1000)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_claim_of_ten_in_a_million_reads_ten(crowd: Conn, plans: Any, setting: str) -> None:
    worker = enlist(crowd)
    crowd.execute(setting)
    taken: list[Any] = []
    found = plans(crowd, lambda: taken.extend(claim(crowd, worker, 10, *ALL)))
    assert len(taken) == 10
    # The heads of 30 slots, ten locked, ten updated.
    check(found, rows=60, most_blocks=2000)


def test_a_claim_of_one_queue_of_a_million_reads_only_what_it_takes(crowd: Conn, plans: Any) -> None:
    worker = enlist(crowd)
    check(plans(crowd, lambda: claim(crowd, worker, 100)), rows=210, most_blocks=10000)


def companions(conn: Conn, lead: Claim, limit: int = 100, visits: int = 1000, target: str | None = None) -> Companions:
    lead = lead if target is None else lead._replace(target=target)
    after = lead.run_at, lead.id
    statement = claim_companions(lead, epoch(conn, lead.worker), after, limit, most_attempts=26, visits=visits)
    return execute(conn, statement)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_companions_of_a_job_are_looked_for_behind_it_alone(crowd: Conn, plans: Any, setting: str) -> None:
    (lead,) = claim(crowd, enlist(crowd), 1)
    crowd.execute(setting)
    taken: list[Companions] = []
    found = plans(crowd, lambda: taken.append(companions(crowd, lead)))
    assert len(taken[0].step.claims) == 100
    # What is looked at, its size, the rows that are locked, and what is updated.
    check(found, rows=1310, most_blocks=16000)
    few = plans(crowd, lambda: companions(crowd, lead, target="a:b"))
    check(few, rows=1010, most_blocks=4000)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_companions_of_a_job_of_an_empty_table_walk_indexes_alone(db: Conn, plans: Any, setting: str) -> None:
    fill(db, 1)
    (lead,) = claim(db, enlist(db), 1)
    db.execute(setting)
    assert companions(db, lead).seen is None
    check(plans(db, lambda: companions(db, lead)), rows=1, most_blocks=1000)


def test_future_jobs_and_other_queues_cost_nothing(crowd: Conn, plans: Any) -> None:
    execute(crowd, enqueueing.enqueue_many([NewJob(TARGET, queue="mine", delay=HOUR)] * 1000))
    worker = enlist(crowd)
    assert claim(crowd, worker, 10, "mine") == []
    # No row is walked for the claim; one per slot tells when the next falls due.
    check(plans(crowd, lambda: claim(crowd, worker, 10, "mine")), rows=1, most_blocks=1000)


def test_a_lower_bound_skips_the_dead_rows_before_it(db: Conn, connect: Any) -> None:
    """A transaction elsewhere holds the horizon: nothing that was settled since can be cleaned away."""
    horizon = connect()
    horizon.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    horizon.execute("select 1 from pgqueue.jobs")
    worker = enlist(db)
    fill(db, 3000)
    taken = claim(db, worker, 2000)
    settle(db, *taken)
    last = taken[-1]

    def read(bounds: list[jobs.Slot]) -> int:
        execute(db, jobs.step(worker, [], bounds, timedelta(0), 10))
        db.execute("select pg_stat_force_next_flush()")
        db.execute("select pg_stat_reset()")
        execute(db, jobs.step(worker, [], bounds, timedelta(0), 10))
        db.execute("select pg_stat_force_next_flush()")
        row = db.execute("select idx_tup_read from pg_stat_user_indexes where indexrelname = 'jobs_claim'").fetchone()
        return int(row[0]) if row else 0

    assert read(slots(after=last.run_at, after_id=last.id)) < 100
    assert read(slots()) > 1000


def test_settling_a_batch_walks_the_primary_key(crowd: Conn, plans: Any) -> None:
    worker = enlist(crowd)
    taken = claim(crowd, worker, 50)
    check(plans(crowd, lambda: settle(crowd, *taken)), rows=100, most_blocks=10000)


def test_settling_twice_as_many_reads_twice_as_much(crowd: Conn, plans: Any) -> None:
    """Whatever is joined with what: a batch whose rows are compared with one another would read four times as much."""
    worker = enlist(crowd)
    few, many = claim(crowd, worker, 100), claim(crowd, worker, 200)
    read = [
        sum(_touched(node) for plan in plans(crowd, lambda batch=batch: settle(crowd, *batch)) for node in nodes(plan))
        for batch in (few, many)
    ]
    assert read[1] < 2.5 * read[0]


def _touched(node: Plan) -> float:
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    return float(sum(node.get(name, 0) for name in names) * node["Actual Loops"])


def test_settling_beside_a_claim_reads_only_both(crowd: Conn, plans: Any) -> None:
    worker = enlist(crowd)
    taken = claim(crowd, worker, 50)
    check(plans(crowd, lambda: step(crowd, worker, taken, 50)), rows=210, most_blocks=6000)


@pytest.mark.parametrize("move", [fail, release, lambda conn, taken: fail(conn, taken, None)])
def test_the_rarer_settlements_walk_the_primary_key(crowd: Conn, plans: Any, move: Any) -> None:
    worker = enlist(crowd)
    (taken,) = claim(crowd, worker)
    check(plans(crowd, lambda: move(crowd, taken)), rows=10, most_blocks=1000)


def test_a_late_settlement_walks_the_primary_key(crowd: Conn, plans: Any) -> None:
    worker = enlist(crowd)
    (taken,) = claim(crowd, worker)
    late = taken._replace(claim=taken.claim + 1)
    check(plans(crowd, lambda: settle(crowd, late)), rows=10, most_blocks=1000)


@pytest.mark.parametrize("more", [None, {}, {"unique_until": "start"}, {"unique_for": 60, "on_conflict": "replace"}])
def test_finding_the_job_that_has_the_key_or_id_walks_indexes(crowd: Conn, plans: Any, more: Any) -> None:
    made = enqueue(crowd, unique_key="k")
    options = {"job_id": made} if more is None else {"unique_key": "k", **more}
    found = plans(crowd, lambda: enqueue(crowd, **options))
    assert not [node for node in scans_of_jobs(found) if node["Node Type"] == "Seq Scan"]
    assert blocks(found) < 1000


def test_cancel_and_retry_walk_primary_keys(crowd: Conn, plans: Any) -> None:
    def act(job_id: UUID) -> None:
        assert execute(crowd, jobs.retry(job_id)) == "ready"
        assert execute(crowd, jobs.cancel(job_id)) == "cancelled"

    # The first call of a session reads the catalogs, for every statement of the functions: some 1200 blocks, where one
    # after it touches less than 200.
    act(enqueue(crowd))
    made = enqueue(crowd)
    found = plans(crowd, lambda: act(made))
    assert not [node for node in scans_of_jobs(found) if node["Node Type"] == "Seq Scan"]
    assert blocks(found) < 400


def test_the_names_of_all_queues_are_found_without_reading_them(crowd: Conn, plans: Any) -> None:
    names: list[str] = []
    found = plans(crowd, lambda: names.extend(execute(crowd, queues.names())))
    assert sorted(names) == sorted(ALL)
    check(found, rows=len(ALL) + 1, most_blocks=300)


def test_heads_of_queues_are_found_without_reading_the_others(crowd: Conn, plans: Any) -> None:
    heads: list[queues.Head] = []
    found = plans(crowd, lambda: heads.extend(execute(crowd, queues.heads("default", 3, 5))))
    assert [(head.queue, head.priority) for head in heads] == [("default", priority) for priority in range(4, 9)]
    check(found, rows=3 * 5, most_blocks=500)
    heads.clear()
    found = plans(crowd, lambda: heads.extend(execute(crowd, queues.heads_of(["web", "nothing"]))))
    assert [(head.queue, head.priority) for head in heads] == [("web", priority) for priority in range(10)]
    check(found, rows=3 * 10, most_blocks=500)


def test_slots_are_put_in_order_by_their_heads_alone(crowd: Conn, plans: Any) -> None:
    of_web = slots("web")
    found = plans(crowd, lambda: execute(crowd, queues.order_slots(of_web, timedelta(0), [0] * 10, [60.0] * 10)))
    check(found, rows=10, most_blocks=500)


def test_a_claim_is_as_cheap_after_the_table_is_analysed(crowd: Conn, plans: Any) -> None:
    crowd.execute("analyze pgqueue.jobs")
    worker = enlist(crowd)
    check(plans(crowd, lambda: claim(crowd, worker, 10, *ALL)), rows=60, most_blocks=2000)
