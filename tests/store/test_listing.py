"""Pages of jobs: right, whatever is asked for, and bounded in what they read, whatever there is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, listing, queues, reading, workers
from pgqueue.store.listing import Asked, Page, page
from pgqueue.store.statement import query
from tests.factories import TARGET, Conn, enqueue, fill, make
from tests.postgres import Databases
from tests.store.crowds import TWENTIETH, analyse, crowd
from tests.store.plans import plans_of, rows_of, rows_read, scans

EVERY = frozenset(JobState)
OTHER = "shop.tasks:other"


def ids(found: Page | None) -> list[UUID]:
    assert found is not None
    return [job.id for job in found.jobs]


def read_on(conn: Conn, asked: Asked) -> list[UUID]:
    """The ids of page after page, to the end."""
    seen: list[UUID] = []
    while True:
        found = page(conn, asked)
        assert found is not None
        seen += ids(found)
        before = found.jobs[-1].id if len(found.jobs) == asked.limit else found.until
        if before is None:
            return seen
        asked = Asked(states=asked.states, queue=asked.queue, target=asked.target, limit=asked.limit, before=before)


@pytest.fixture
def mixture(db: Conn) -> list[tuple[UUID, JobState, str, str]]:
    """Eighty jobs: id, state, queue, target."""
    chance = random.Random(7)
    made = []
    for _ in range(80):
        state, queue = chance.choice(list(JobState)), chance.choice(["mail", "web", "default"])
        # Ready at the end only: whoever is to run next would take it.
        job_id = make(db, JobState.SCHEDULED if state is JobState.READY else state, queue=queue)
        made.append((job_id, state, queue, TARGET))
    ready = [job_id for job_id, state, *_rest in made if state is JobState.READY]
    db.execute("update pgqueue.jobs set run_at = now() where id = any (%s)", [ready])
    for number, (job_id, *_rest) in enumerate(made):
        if number % 3 == 0:
            for table, key in (("jobs", "id"), ("attempts", "job_id"), ("dead_jobs", "id"), ("waiting", "id")):
                db.execute(f"update pgqueue.{table} set target = %s where {key} = %s", [OTHER, job_id])
            made[number] = (*made[number][:3], OTHER)
    return made


STATES = [EVERY, *(frozenset({state}) for state in JobState), listing.LIVE, listing.ENDED | {JobState.READY}]


@pytest.mark.parametrize("budget", [5, 1000])
def test_pages_give_every_job_that_was_asked_for_once_the_newest_first(
    db: Conn, mixture: list[tuple[UUID, JobState, str, str]], budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BUDGET", budget)
    # At the heads of the queues only some of those that run are found when many jobs stand before them.
    some = [states for states in STATES if budget == 1000 or JobState.RUNNING not in states or states == EVERY]
    for states in some:
        for queue in (None, "mail") if budget == 1000 or states != EVERY else (None,):
            for target in (None, OTHER):
                meant = [
                    made[0]
                    for made in mixture
                    if made[1] in states and queue in (None, made[2]) and target in (None, made[3])
                ]
                asked = Asked(states=states, queue=queue, target=target, limit=4)
                assert read_on(db, asked) == sorted(meant, reverse=True), asked


def test_a_page_that_ends_early_says_where(db: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "BUDGET", 3)
    oldest, *_between, third, _second, _first = fill(db, 9)
    found = page(db, Asked(states=EVERY, target=OTHER))
    assert found == Page([], 3, third)
    found = page(db, Asked(states=EVERY, target=TARGET, before=third, limit=3))
    assert found is not None
    assert (len(found.jobs), found.until) == (3, None)
    found = page(db, Asked(states=EVERY, target=OTHER, before=oldest))
    assert found == Page([], 0, None)


def test_running_jobs_are_found_at_the_head_of_their_queue(db: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "BUDGET", 10)
    running = make(db, JobState.RUNNING)
    fill(db, 50)
    found = page(db, Asked(states=frozenset({JobState.RUNNING})))
    assert ids(found) == [running]
    assert found is not None
    assert found.heads


def test_a_row_of_a_page_is_the_row_of_the_view(db: Conn) -> None:
    for state in JobState:
        db.execute("delete from pgqueue.jobs")
        made = make(db, state, args=[1], labels={"a": "b"}, limit_key="l", unique_key=f"u{state}", max_attempts=9)
        found = page(db, Asked(states=EVERY, limit=1))
        assert found is not None
        assert found.jobs == [execute(db, reading.get(made))]


def test_what_waits_for_a_lock_gives_up(db: Conn, connect: Any) -> None:
    other = connect()
    other.execute("lock table pgqueue.jobs in access exclusive mode")
    assert page(db, Asked(states=EVERY)) is None
    assert ids(page(db, Asked(states=frozenset({JobState.DEAD})))) == []


def test_what_took_too_long_is_looked_at_less(db: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a slow disk, or with very many queues: the server cancels the first look."""
    slow = query("page_of_heads").replace("with heads", "with slept as materialized (select pg_sleep(20)), heads")
    slow = slow.replace("from more\n", "from slept, more\n")
    monkeypatch.setattr(listing, "query", lambda name: slow if name == "page_of_heads" else query(name))
    monkeypatch.setattr(listing, "SMALL_BUDGET", 7)
    make(db, JobState.RUNNING)
    seventh = fill(db, 20)[-7]
    assert page(db, Asked(states=frozenset({JobState.RUNNING}))) == Page([], 7, seventh)


def test_a_page_changes_nothing_of_the_session(db: Conn) -> None:
    settings = "select name, setting from pg_settings order by name"
    before = db.execute(settings).fetchall()
    page(db, Asked(states=EVERY))
    assert db.execute(settings).fetchall() == before


def test_arguments_too_large_for_a_list_are_left_to_the_page_of_the_job(db: Conn) -> None:
    made = enqueue(db, ["".join(random.Random(1).choices("abcdefghij", k=400_000))], max_args=2**20)
    found = page(db, Asked(states=EVERY))
    assert found is not None
    assert found.jobs[0].args == listing.TOO_LARGE
    whole = execute(db, reading.get(made))
    assert whole is not None
    assert len(whole.args[0]) == 400_000


@pytest.fixture(scope="module")
def template(databases: Databases) -> Iterator[str]:
    """The name of a database with 50,000 jobs in 20 queues, 100,000 attempts and 50,000 dead jobs."""
    name = databases.create()
    crowd(databases.server.dsn(name, tcp=True), TWENTIETH, 20)
    yield name
    databases.drop(name)


@pytest.fixture(scope="module", params=["never", "empty", "full"])
def crowded(databases: Databases, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a copy, analysed never, while it was empty, or as it is."""
    name = databases.create(template)
    dsn = databases.server.dsn(name, tcp=True)
    analyse(dsn, request.param)
    yield dsn
    databases.drop(name)


@pytest.fixture
def busy(crowded: str) -> Iterator[Conn]:
    with psycopg.connect(crowded, autocommit=True) as conn:
        yield conn


NOBODY = "nobody:has"
# A twentieth of the real one, as the tables are: each table may be walked once for the page and once for its end.
BUDGET = listing.BUDGET // 20


@pytest.mark.parametrize("states", STATES, ids=lambda states: "+".join(sorted(states)))
def test_a_page_reads_a_bounded_number_of_rows_by_index(
    busy: Conn, states: frozenset[JobState], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BUDGET", BUDGET)
    tables = 1 + bool(states & listing.ENDED) + (JobState.DEAD in states)
    for queue in (None, "q3", "q-nobody-has"):
        for target in (None, "shop.tasks:send_3", NOBODY):
            asked = Asked(states=states, queue=queue, target=target)
            plans = plans_of(busy, lambda asked=asked: page(busy, asked))  # type: ignore[misc]
            assert "Seq Scan" not in {node["Node Type"] for node in scans(plans)}, asked
            assert rows_read(plans) <= (2 * tables + 2) * (BUDGET + asked.limit), asked


@pytest.mark.parametrize("state", list(JobState))
def test_the_view_reads_the_tables_alone_that_can_hold_a_state(busy: Conn, state: JobState) -> None:
    tables = {
        JobState.DEAD: {"dead_jobs"},
        JobState.WAITING: {"waiting"},
        JobState.SUCCEEDED: {"attempts"},
        JobState.CANCELLED: {"attempts"},
    }
    plans = plans_of(busy, lambda: busy.execute("select id from pgqueue.job where state = %s limit 5", [state]))
    assert {node["Relation Name"] for node in scans(plans)} == tables.get(state, {"jobs"})


def test_the_view_is_read_by_id_wherever_the_id_comes_from(busy: Conn) -> None:
    busy.execute("create temp table orders as select id from pgqueue.dead_jobs order by id limit 20")
    # Nobody knows how few they are otherwise, and reading all of a small table may be cheaper then.
    busy.execute("analyze orders")
    joined = "select job.state from orders join pgqueue.job on job.id = orders.id"
    for question in (joined, query("job").replace("$1", "(select id from orders limit 1)")):
        plans = plans_of(busy, lambda question=question: busy.execute(question).fetchall())  # type: ignore[misc]
        assert "Seq Scan" not in {node["Node Type"] for node in scans(plans)}
        assert rows_read(plans) <= 60


@pytest.mark.parametrize("where", ["", "where state = 'ready'", "where state = 'succeeded'", "where state = 'dead'"])
def test_the_view_in_order_of_id_stops_at_a_limit(busy: Conn, where: str) -> None:
    question = f"select id, last_error from pgqueue.job {where} order by id desc limit 20"
    plans = plans_of(busy, lambda: busy.execute(question).fetchall())
    assert rows_read(plans) < 500


def test_how_full_the_queues_are_is_told_from_a_bounded_number_of_rows(busy: Conn) -> None:
    depths: list[queues.Depths] = []
    plans = plans_of(busy, lambda: depths.append(execute(busy, queues.depths(most=1000))))
    assert "Seq Scan" not in {node["Node Type"] for node in scans(plans)}
    # Twice for jobs, once for dead ones, and the names; the sample reads 2,000 pages at most, here all.
    walked = [plan for plan in scans(plans) if plan["Node Type"] != "Sample Scan"]
    assert sum(rows_of(node) for node in walked) <= 3 * 1000 + 20 * 10
    (found,) = depths
    assert len(found.queues) == 20
    assert sum(row.dead for row in found.queues) == pytest.approx(TWENTIETH, rel=0.3)
    assert sum(row.ready for row in found.queues) == pytest.approx(0.9 * TWENTIETH, rel=0.3)
    assert sum(row.running + row.ahead for row in found.queues) == 320


def test_who_holds_jobs_is_told_from_a_bounded_number_of_rows(busy: Conn) -> None:
    found: list[Any] = []
    plans = plans_of(busy, lambda: found.append(execute(busy, workers.holders(1000))))
    assert "Seq Scan" not in {node["Node Type"] for node in scans(plans)}
    assert rows_read(plans) <= 2 * 1000 + 20 * 10
    assert found == [(dict.fromkeys(range(1, 41), 8), True)]
