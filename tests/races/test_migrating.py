"""Every migration beside readers, producers and workers at load: it comes through, and nobody notices but by waiting.

Nothing here knows what a migration does: each revision but the last is a start, so the next one is tested, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.pool import NullPool

from pgqueue import migrate as migration
from pgqueue import revisions
from pgqueue.embedded import Server
from pgqueue.migrate import migrate, status
from tests.store.test_migrate import created
from tests.waiting import wait_until

REVISIONS = revisions.names()[:-1]

# The views as the first revisions had them: those of today read what came later.
FIRST_VIEWS = (Path(__file__).parent / "first_views.sql").read_text()

# What has been in the schema since its beginning, in every order in which somebody may lock it.
ACTS: dict[str, list[str]] = {
    "a reader of a view": ["select count(*) from pgqueue.job"],
    "a reader of all jobs": [
        "select id, state, reason from pgqueue.job where state = 'dead'",
        "select queue, ready, dead from pgqueue.queue_stats",
    ],
    # Who goes the other way round may be met on the way: not by all at every moment.
    "a reader of a table, then a view": [
        "select count(*) from pgqueue.jobs",
        "select count(*) from pgqueue.job where state = 'dead'",
        "commit; select pg_sleep(0.5)",
    ],
    "a producer": ["insert into pgqueue.jobs (id, target) values (gen_random_uuid(), 'a:b')", "select pg_sleep(0.005)"],
    "a worker": [
        "update pgqueue.jobs set worker = 1, claim = claim + 1 where id = any (array("
        "select id from pgqueue.jobs where worker is null limit 5 for no key update skip locked))",
        "with gone as (delete from pgqueue.jobs where id = any (array("
        "select id from pgqueue.jobs where worker = 1 limit 5 for update skip locked)) returning *)"
        " insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)"
        " select id, claim, 1, 'succeeded', queue, target from gone",
        "update pgqueue.workers set expires_at = now()",
    ],
}


def upgrade(conn: sqlalchemy.Connection, to: str) -> None:
    """Run the migrations that a schema lacks, up to a revision, and nothing else."""
    for each in revisions.coming(revisions.current(conn), to):
        for statement in each.statements:
            migration.run(conn, statement)


def at_revision(dsn: str, revision: str) -> None:
    """A schema as that revision has it, with the views over it."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    with engine.begin() as conn:
        conn.exec_driver_sql(migration.CREATE_SCHEMA)
        upgrade(conn, revision)
        conn.exec_driver_sql(FIRST_VIEWS)


@contextmanager
def load(dsn: str) -> Iterator[tuple[list[BaseException], Callable[[], int]]]:
    """Everybody at work, two of each; answers what went wrong for them, and how often they have done their work."""
    ended = threading.Event()
    faults: list[BaseException] = []
    done = dict.fromkeys((f"{who} {number}" for who in ACTS for number in range(2)), 0)

    def work(name: str, statements: list[str]) -> None:
        try:
            with psycopg.connect(dsn) as conn:
                while not ended.is_set():
                    for statement in statements:
                        conn.execute(statement)
                    conn.commit()
                    done[name] += 1
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(name, ACTS[name[:-2]])) for name in done]
    for thread in threads:
        thread.start()
    try:
        yield faults, lambda: min(done.values())
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)


@pytest.mark.parametrize(
    "revision",
    # The first, which runs them all, and the last by default: each takes seconds.
    [
        *(
            each if each in (REVISIONS[0], REVISIONS[-1]) else pytest.param(each, marks=pytest.mark.faults)
            for each in REVISIONS
        ),
        "the same",
    ],
)
def test_p14_a_migration_beside_everybody_at_work_kills_nobodys_query(
    server: Server, database: str, revision: str
) -> None:
    with created(server, f"{database}_at_work") as dsn:
        if revision == "the same":
            migrate(dsn)
            with psycopg.connect(dsn) as conn:
                conn.execute("comment on schema pgqueue is 'functions of another release'")
        else:
            at_revision(dsn, revision)
        with load(dsn) as (faults, turns):
            wait_until(lambda: turns() >= 3 or faults, 20, "everybody at work")
            assert migrate(dsn) is True
            after = turns()
            wait_until(lambda: turns() >= after + 3 or faults, 20, "everybody at work again")
        assert [repr(fault) for fault in faults] == []
        assert (status(dsn).state, status(dsn).functions) == ("current", True)


def test_p14_who_holds_a_table_and_wants_a_view_is_not_the_one_who_is_ended(server: Server, database: str) -> None:
    """The deadlock, built: a reader has the table that the migration waits for, and waits for the view that it has."""
    with created(server, f"{database}_deadlock") as dsn:
        at_revision(dsn, REVISIONS[0])
        migrating: list[Any] = []
        with psycopg.connect(dsn) as reader, psycopg.connect(dsn, autocommit=True) as watcher:
            reader.execute("select count(*) from pgqueue.jobs")
            thread = threading.Thread(target=lambda: migrating.append(migrate(dsn)))
            thread.start()
            waiting = "select from pg_locks where not granted and relation = 'pgqueue.jobs'::regclass"
            wait_until(lambda: watcher.execute(waiting).fetchall(), message="the migration waits for the table")
            reader.execute("select count(*) from pgqueue.job")
            reader.commit()
            thread.join(30)
        assert migrating == [True]


def test_p14_many_waiting_jobs_are_indexed_anew_beside_claims(server: Server, database: str) -> None:
    """No claim waits for a lock longer than the lock timeout: it would be ended, and tell."""
    with created(server, f"{database}_many") as dsn:
        at_revision(dsn, "0003")
        with psycopg.connect(dsn) as conn:
            conn.execute(
                "insert into pgqueue.jobs (id, target) select gen_random_uuid(), 'a:b' from generate_series(1, 20000)"
            )
        ended = threading.Event()
        claims: list[int] = []
        faults: list[BaseException] = []

        def claim() -> None:
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute("set lock_timeout = '2100ms'")
                while not ended.is_set():
                    try:
                        found = conn.execute(ACTS["a worker"][0])
                        claims.append(found.rowcount)
                    except psycopg.Error as fault:
                        faults.append(fault)
                    ended.wait(0.005)

        thread = threading.Thread(target=claim)
        thread.start()
        try:
            wait_until(lambda: claims)
            assert migrate(dsn) is True
        finally:
            ended.set()
            thread.join(30)
        assert [repr(fault) for fault in faults] == []
        with psycopg.connect(dsn) as conn:
            names = conn.execute(
                "select c.relname, i.indisvalid from pg_index as i join pg_class as c on c.oid = i.indexrelid"
                " where i.indrelid = 'pgqueue.jobs'::regclass"
                " and c.relname in ('jobs_claim', 'jobs_lane', 'jobs_coming')"
            ).fetchall()
            assert sorted(names) == [("jobs_claim", True), ("jobs_coming", True), ("jobs_lane", True)]
            plan = "\n".join(row[0] for row in conn.execute("select pg_get_indexdef('pgqueue.jobs_claim'::regclass)"))
            assert "lane IS NULL" in plan


def test_p14_an_index_whose_building_was_cut_off_is_built_anew(server: Server, database: str) -> None:
    with created(server, f"{database}_cut") as dsn:
        at_revision(dsn, "0003")
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("insert into pgqueue.jobs (id, target) values (gen_random_uuid(), 'a:b')")
            conn.execute('alter table pgqueue.jobs add column lane text collate "C", add column lined boolean')
            conn.execute("create index jobs_lane on pgqueue.jobs (queue) where lined")
            conn.execute("update pg_index set indisvalid = false where indexrelid = 'pgqueue.jobs_lane'::regclass")
        assert migrate(dsn) is True
        with psycopg.connect(dsn) as conn:
            row = conn.execute("select pg_get_indexdef('pgqueue.jobs_lane'::regclass)").fetchone()
            assert row is not None
            assert "lane" in row[0]


@pytest.mark.parametrize("bound", [False, True])
def test_p14_who_enqueues_in_sql_as_the_last_release_did_goes_on(server: Server, database: str, *, bound: bool) -> None:
    """Its function had one argument less; a function of somebody's own may be bound to it."""
    with created(server, f"{database}_words") as dsn:
        at_revision(dsn, "0003")
        with psycopg.connect(dsn) as conn:
            conn.execute(
                "create function pgqueue.enqueue(target text, args json default '{}', queue text default null,"
                " priority int default null, delay interval default null, run_at timestamptz default null,"
                " ttl interval default null, timeout interval default null, max_attempts int default null,"
                " unique_key text default null, limit_key text default null, store_result boolean default null,"
                " labels jsonb default null, job_id uuid default null)"
                " returns uuid language sql as $$ insert into pgqueue.jobs (id, target)"
                " values (gen_random_uuid(), target) returning id $$"
            )
            if bound:
                conn.execute("create function mine() returns uuid begin atomic; select pgqueue.enqueue('a:b'); end")
        assert migrate(dsn) is True
        with psycopg.connect(dsn) as conn:
            conn.execute("select pgqueue.enqueue('a:b', '[1]', queue => 'mail')")
            if bound:
                conn.execute("select mine()")
            assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (1 + bound,)
