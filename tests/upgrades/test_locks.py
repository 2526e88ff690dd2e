"""What `pgqueue migrate --check` says of locks is what pg_locks shows: of each migration, and of the whole."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
import sqlalchemy

from pgqueue import migrate as migration
from pgqueue import revisions
from pgqueue.giving_way import EVERYTHING
from pgqueue.migration_plan import WAITS, plan
from pgqueue.table_locks import Lock, Reader, TableLock, Unreadable, Work, strongest
from tests.races.test_migrating import at_revision, upgrade
from tests.waiting import wait_until

# Of tables and views alone; indexes follow their tables.
HELD = """
select c.relname, l.mode
from pg_locks as l join pg_class as c on c.oid = l.relation join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'pgqueue' and c.relkind in ('r', 'p', 'v') and l.granted and l.pid = {pid}
"""


def held(conn: sqlalchemy.Connection) -> dict[str, Lock]:
    """The strongest lock that this connection has on each table and view of pgqueue."""
    rows = conn.exec_driver_sql(HELD.format(pid="pg_backend_pid()")).all()
    return strongest(TableLock(name, mode_of(mode)) for name, mode in rows)


def mode_of(name: str) -> Lock:
    """PostgreSQL's name in pg_locks, AccessExclusiveLock, as ours."""
    return next(lock for lock in Lock if f"{lock.words.title().replace(' ', '')}Lock" == name)


def known(conn: sqlalchemy.Connection) -> set[str]:
    texts = (
        "select relname from pg_class where relnamespace = to_regnamespace('pgqueue') and relkind in ('r', 'p', 'v')"
    )
    return {row[0] for row in conn.exec_driver_sql(texts)}


def test_each_migration_locks_what_its_text_was_read_to_lock(bare_dsn: str) -> None:
    reader = Reader()
    with migration.opened(bare_dsn) as conn:
        with conn.begin():
            conn.exec_driver_sql(migration.CREATE_SCHEMA)
        for revision in revisions.coming(None):
            reader.have()
            said = [lock for statement in revision.statements for lock in reader.read(statement)]
            with conn.begin():
                before = known(conn)
                upgrade(conn, revision.name)
                shown = {name: lock for name, lock in held(conn).items() if name in before}
            # Alembic makes its own table with the first, and reads it before each.
            assert {**strongest(said), "alembic_version": Lock.ROW_EXCLUSIVE} == {
                **shown,
                "alembic_version": Lock.ROW_EXCLUSIVE,
            }, revision.name


def test_what_is_built_beside_lets_claims_and_reads_pass(bare_dsn: str) -> None:
    built = [each for revision in revisions.coming(None) for each in revision.beside if "concurrently" in each]
    assert built
    reader = Reader()
    for revision in revisions.coming(None):
        for statement in revision.statements:
            reader.read(statement)
    reader.have()
    assert {lock.lock for each in built for lock in reader.read(each)} == {Lock.SHARE_UPDATE_EXCLUSIVE}
    assert WAITS[Lock.SHARE_UPDATE_EXCLUSIVE] == ()


def test_an_index_that_is_built_beside_holds_what_is_said(bare_dsn: str) -> None:
    at_revision(bare_dsn, revisions.names()[-1])
    statement = "create index concurrently jobs_beside on pgqueue.jobs (target)"
    (said,) = Reader().read(statement)
    with (
        psycopg.connect(bare_dsn) as reading,
        psycopg.connect(bare_dsn, autocommit=True) as building,
        psycopg.connect(bare_dsn) as looking,
    ):
        reading.execute("update pgqueue.jobs set labels = null")
        pid = building.info.backend_pid
        thread = threading.Thread(target=building.execute, args=[statement])
        thread.start()
        try:
            shown = wait_until(lambda: looking.execute(HELD.format(pid=pid)).fetchall(), 20, "it waits for a writer")  # type: ignore[call-overload]
        finally:
            reading.commit()
            thread.join(30)
    assert {(name, mode_of(mode)) for name, mode in shown} == {(said.table, said.lock)}


@pytest.mark.parametrize("start", [*revisions.names()[1:-1][-2:], "the same"])
def test_the_whole_migration_holds_the_locks_that_the_check_tells(bare_dsn: str, start: str) -> None:
    if start == "the same":
        migration.migrate(bare_dsn)
        with psycopg.connect(bare_dsn) as other:
            other.execute("comment on schema pgqueue is 'functions of another release'")
    else:
        at_revision(bare_dsn, start)
    told = plan(bare_dsn)
    with migration.opened(bare_dsn) as conn, conn.begin() as transaction:
        before = known(conn)
        assert migration._migrate(conn) is True
        shown = {
            name: lock.words
            for name, lock in held(conn).items()
            # Reading is in nobody's way.
            if name in before and lock > Lock.ROW_EXCLUSIVE
        }
        transaction.rollback()
    assert told.locks == shown
    assert (told.state, bool(told.steps)) == (("current", False) if start == "the same" else ("behind", True))


def test_the_check_changes_nothing_and_tells_who_is_in_the_way(bare_dsn: str) -> None:
    at_revision(bare_dsn, revisions.names()[-2])
    with psycopg.connect(bare_dsn) as other:
        other.execute("select count(*) from pgqueue.jobs")
        told = plan(bare_dsn)
        assert [each for each in told.blockers if "jobs" in each and "AccessShareLock" in each]
        assert told.wait == EVERYTHING
    assert migration.status(bare_dsn).state == "behind"


def test_the_check_reckons_by_the_sizes_of_tables(bare_dsn: str) -> None:
    at_revision(bare_dsn, "0002")
    small = plan(bare_dsn)
    with psycopg.connect(bare_dsn) as conn:
        conn.execute(
            "insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, queue, target,"
            " args, reason) select gen_random_uuid(), now(), now(), 1, 5, 1, 0, 'q', 'a:b', '{}', 'exhausted'"
            " from generate_series(1, 20000)"
        )
    large = plan(bare_dsn)

    def of_index(found: Any) -> Any:
        return next(step for step in found.steps if "dead_jobs_queue" in step.statement)

    assert (of_index(small).rows, of_index(small).work) == (0, Work.INDEXES)
    # Never analysed: by the size of its file.
    assert 5_000 < of_index(large).rows < 80_000
    assert large.pause > small.pause


@pytest.mark.parametrize(
    "statement",
    [
        "vacuum full pgqueue.jobs",
        "do $$ begin alter table pgqueue.jobs add column a int; end $$",
        "do $$ begin execute 'drop table pgqueue.jobs'; end $$",
        "alter table pgqueue.jobs cluster on jobs_pkey",
        "drop index pgqueue.nobody_made_it",
    ],
)
def test_what_cannot_be_read_is_an_error_and_no_guess(statement: str) -> None:
    with pytest.raises(Unreadable):
        Reader().read(statement)


@pytest.mark.parametrize(
    ("statement", "lock", "work"),
    [
        ("alter table pgqueue.jobs add column a int default 1", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE),
        ("alter table pgqueue.jobs add column a int default random()", Lock.ACCESS_EXCLUSIVE, Work.REWRITES),
        ("alter table pgqueue.jobs add column a int check (a in (1, 2))", Lock.ACCESS_EXCLUSIVE, Work.READS),
        ("alter table pgqueue.jobs add constraint a check (b > 1) not valid", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE),
        ("alter table pgqueue.jobs validate constraint a", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS),
        ("alter table pgqueue.jobs alter column a type bigint", Lock.ACCESS_EXCLUSIVE, Work.REWRITES),
        ("alter table pgqueue.jobs set (fillfactor = 60)", Lock.SHARE_UPDATE_EXCLUSIVE, Work.AT_ONCE),
        ("create index i on pgqueue.jobs (target)", Lock.SHARE, Work.INDEXES),
        ("create policy p on pgqueue.jobs using (true)", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE),
        ("update pgqueue.jobs set cost = 1", Lock.ROW_EXCLUSIVE, Work.REWRITES),
    ],
)
def test_statements_are_read_as_postgresql_runs_them(bare_dsn: str, statement: str, lock: Lock, work: Work) -> None:
    assert Reader().read(statement) == [TableLock("jobs", lock, work, Reader().narrows(statement))]
    with migration.opened(bare_dsn) as conn:
        with conn.begin():
            for text in (*SCENE, *(made for part, made in NEEDED.items() if part in statement)):
                conn.exec_driver_sql(text)
        with conn.begin():
            before = conn.exec_driver_sql(FILE_OF_JOBS).scalar()
            conn.exec_driver_sql(statement)
            assert held(conn)["jobs"] == lock
            rewritten = conn.exec_driver_sql(FILE_OF_JOBS).scalar() != before
    assert rewritten == (work is Work.REWRITES and statement.startswith("alter"))


SCENE = ("create schema pgqueue", "create table pgqueue.jobs (target text, b int, cost int)")
NEEDED = {
    "alter column a type": "alter table pgqueue.jobs add column a int",
    "validate constraint": "alter table pgqueue.jobs add constraint a check (b > 1) not valid",
}
FILE_OF_JOBS = "select relfilenode from pg_class where oid = 'pgqueue.jobs'::regclass"
