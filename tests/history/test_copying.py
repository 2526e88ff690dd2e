"""History gets partitions beside whoever is at work: nothing is lost, doubled or forgotten, wherever it is cut off."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pgqueue import migrate as migration
from pgqueue import partitioning
from pgqueue.errors import SchemaError
from pgqueue.partitioning import partition_history
from pgqueue.store import execute
from pgqueue.store.partitions import Copying, forget_copies
from tests.conftest import Connect
from tests.factories import (
    Conn,
    claim_one,
    count,
    enlist,
    enqueue,
    expire,
    fail,
    outcomes,
    reap,
    settle,
    state,
)
from tests.history.filling import attempt, dead, everything, fill, names
from tests.history.working import at_work
from tests.waiting import wait_until

TABLES = ("attempts", "dead_jobs")
OBJECTS = """
select c.relname, c.relkind = any ('{r,p}') as is_table, pg_get_userbyid(c.relowner), c.relacl::text,
       obj_description(c.oid, 'pg_class')
from pg_class as c
where c.relnamespace = 'pgqueue'::regnamespace and c.relname ~ '^(attempts|dead_jobs)' and not c.relispartition
  and c.relkind in ('r', 'p', 'i', 'I') and c.relname !~ '_[0-9]{6,8}_'
order by 1
"""
COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl::text,
       pg_get_expr(d.adbin, d.adrelid)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.oid = any ('{pgqueue.attempts,pgqueue.dead_jobs,pgqueue.job}'::regclass[])
order by 1, a.attnum
"""


def leftovers(conn: Conn) -> list[str]:
    """What copying has made, and not taken away again."""
    rows = conn.execute(
        "select relname::text from pg_class where relnamespace = 'pgqueue'::regnamespace"
        " and relname ~ '_(copy|before)(_|$)|^partitioning'"
        " union all select proname::text from pg_proc where proname ~ '^mirror_|^hold_.*_copy$'"
        " union all select tgname::text from pg_trigger where tgname ~ '^copy_'"
    )
    return [row[0] for row in rows]


@pytest.fixture
def db(connect: Connect) -> Conn:
    """A database without partitions; each statement commits."""
    return connect(autocommit=True)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitioning, "BATCH", 100)


@pytest.fixture
def reader(db: Conn) -> Iterator[str]:
    name = f"reader_{db.info.dbname}"
    db.execute(f"create role {name}")
    yield name
    db.execute(f"drop owned by {name}; drop role {name}")


def test_the_tables_are_as_they_were_but_for_their_partitions(db: Conn, dsn: str, reader: str) -> None:
    fill(db, 300)
    dead(db, 3)
    dead(db, 400)
    db.execute(
        f"grant select on pgqueue.attempts to {reader}; grant select (id, queue) on pgqueue.dead_jobs to {reader}"
    )
    before = {table: everything(db, table) for table in TABLES}
    objects, columns = db.execute(OBJECTS).fetchall(), db.execute(COLUMNS).fetchall()
    shown = db.execute("select id, state, reason from pgqueue.job order by 1").fetchall()
    assert partition_history(dsn) is True
    assert {table: everything(db, table) for table in TABLES} == before
    assert (db.execute(OBJECTS).fetchall(), db.execute(COLUMNS).fetchall()) == (objects, columns)
    assert db.execute("select id, state, reason from pgqueue.job order by 1").fetchall() == shown
    assert leftovers(db) == []
    assert names(db, kind="span") | names(db, "dead_jobs", "span") > set()


def test_a_second_time_nothing_has_to_change(partitioned: str) -> None:
    assert partition_history(partitioned) is False
    assert migration.migrate(partitioned) is False


@pytest.mark.usefixtures("small_batches")
def test_p2_what_happens_while_rows_are_copied_is_in_the_copy(db: Conn, dsn: str) -> None:
    """Before, behind and after the place that the copying has reached."""
    fill(db, 900)
    first, last = (
        db.execute(f"select job_id from pgqueue.attempts order by job_id {way} limit 1").fetchone()[0]  # type: ignore[index]
        for way in ("asc", "desc")
    )
    buried, revived = dead(db, 6.9), dead(db, 0.1)
    lost = claim_one(db)
    expire(db, lost.worker)
    reap(db)
    told: list[Copying] = []
    ids: dict[str, Any] = {}

    def tell(copying: Copying) -> None:
        told.append(copying)
        if len(told) == 3:
            db.execute("delete from pgqueue.attempts where job_id = any (%s)", [[first, last]])
            # And comes again.
            ids["again"] = attempt(db, 0, job_id=first)
            ids["late"] = settle(db, lost)
            db.execute("update pgqueue.dead_jobs set args = '[2]' where id = %s", [buried])
            db.execute("select pgqueue.retry(%s)", [revived])
            db.execute("select pgqueue.cancel(%s)", [lost.id])
            settle(db, taken := claim_one(db))
            ids["settled"] = taken.id
            fail(db, taken := claim_one(db), None)
            ids["failed"] = taken.id

    partition_history(dsn, tell)
    assert len(told) > 9
    assert [state(db, ids["again"]), state(db, last), state(db, ids["settled"])] == ["succeeded", None, "succeeded"]
    assert (ids["late"], outcomes(db, lost.id)) == ({lost.id}, ["late", "cancelled"])
    assert db.execute("select args::text from pgqueue.dead_jobs where id = %s", [buried]).fetchone() == ("[2]",)
    assert (state(db, revived), state(db, ids["failed"])) == ("succeeded", "dead")
    assert count(db, "dead_jobs") == 2


def test_p2_a_row_that_somebody_is_deleting_is_not_copied_as_it_was(db: Conn, dsn: str, connect: Connect) -> None:
    """The race, built: the delete is not committed when the batch comes by."""
    fill(db, 50)
    db.execute("select pgqueue.begin_copy('attempts')")
    deleting = connect()
    deleting.execute("delete from pgqueue.attempts")
    thread = threading.Thread(target=partition_history, args=(dsn,))
    thread.start()
    waits = "select from pg_locks where not granted and relation = 'pgqueue.partitioning'::regclass"
    wait_until(lambda: db.execute(waits).fetchall(), message="the batch waits")
    deleting.commit()
    thread.join(30)
    assert count(db, "attempts") == 0


class CutError(Exception):
    """Where a test cuts the copying off."""


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("step", "turn"),
    # Half-way through the batches, and when all is copied, by default: each takes seconds.
    [
        pytest.param(
            step, turn, marks=[] if (step, turn) in {("copy_history", 1), ("end_copy", 0)} else pytest.mark.faults
        )
        for step in ("begin_copy", "copy_history", "analyze_copy", "end_copy", "drop_before", "make_spans")
        for turn in (0, 1)
    ],
)
def test_what_was_cut_off_before_any_step_goes_on(
    db: Conn, dsn: str, monkeypatch: pytest.MonkeyPatch, step: str, turn: int
) -> None:
    """Before the first and before the second of its kind: half-way through the batches, and with the second table."""
    fill(db, 250)
    buried = dead(db, 3)
    before = {table: everything(db, table) for table in TABLES}
    real = getattr(partitioning.partitions, step)
    turns = iter(range(1000))

    def cut(*values: Any) -> Any:
        if next(turns) == turn:
            raise CutError
        return real(*values)

    monkeypatch.setattr(partitioning.partitions, step, cut)
    with pytest.raises(CutError):
        partition_history(dsn)
    monkeypatch.undo()
    assert {table: everything(db, table) for table in TABLES} == before
    settle(db, claim_one(db))
    partition_history(dsn)
    assert {key: row for key, row in everything(db, "attempts").items() if key in before["attempts"]} == before[
        "attempts"
    ]
    assert (count(db, "attempts"), state(db, buried)) == (len(before["attempts"]) + 1, "dead")
    assert leftovers(db) == []


@pytest.mark.faults
def test_what_was_killed_goes_on_where_it_stood(db: Conn, dsn: str) -> None:
    fill(db, 30_000)
    before = everything(db, "attempts")
    command = [sys.executable, "-m", "pgqueue", "migrate", "--partition-history", "--dsn", dsn]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    copied = "select copied from pgqueue.partitioning where copied > 0"
    exists = "select to_regclass('pgqueue.partitioning') is not null"
    wait_until(lambda: db.execute(exists).fetchone() == (True,) and db.execute(copied).fetchone(), 20)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    reached = db.execute(copied).fetchone()
    told: list[Copying] = []
    assert partition_history(dsn, told.append) is True
    assert reached is not None
    assert told[0].copied > reached[0] > 0
    assert everything(db, "attempts") == before


def test_p14_claims_and_settlements_go_on_beside_the_copying(db: Conn, dsn: str) -> None:
    fill(db, 6_000)
    worker = enlist(db, lease=120)
    settled: list[Any] = []
    waits: list[float] = []

    def work(conn: Conn) -> None:
        conn.execute("set lock_timeout = '2s'")
        began = time.monotonic()
        taken = claim_one(conn, worker=worker)
        if len(settled) % 3:
            settle(conn, taken)
        else:
            fail(conn, taken, None)
        waits.append(time.monotonic() - began)
        settled.append(taken.id)

    with at_work(dsn, work) as await_more:
        assert partition_history(dsn) is True
        await_more(5)
    assert count(db, "attempts") == 6_300 + len(settled)
    assert count(db, "dead_jobs") == len(settled[::3])
    assert max(waits) < 2


def test_a_copy_that_is_being_vacuumed_is_waited_for(
    db: Conn, dsn: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As autovacuum does with a copy of many rows, for longer than anybody at work is made to wait."""
    fill(db, 50)
    vacuum = connect(autocommit=True)
    real = partitioning.partitions.analyze_copy
    release = threading.Timer(1, vacuum.execute, ["rollback"])

    def while_vacuumed(table: str) -> Any:
        if table == "attempts":
            vacuum.execute("begin; lock table pgqueue.attempts_copy in share update exclusive mode")
            release.start()
        return real(table)

    monkeypatch.setattr(partitioning.partitions, "analyze_copy", while_vacuumed)
    assert partition_history(dsn) is True
    release.join()
    assert leftovers(db) == []


def test_a_column_that_comes_meanwhile_is_not_forgotten(db: Conn, dsn: str) -> None:
    fill(db, 50)
    db.execute("select pgqueue.begin_copy('attempts')")
    db.execute("alter table pgqueue.attempts add column extra int default 7")
    settle(db, claim_one(db))
    assert partition_history(dsn) is True
    assert db.execute("select sum(extra) from pgqueue.attempts").fetchone() == (53 * 7,)


def test_a_migration_gives_up_a_copy_that_was_begun(db: Conn, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db.execute("select pgqueue.begin_copy('attempts'), pgqueue.begin_copy('dead_jobs')")
    db.execute("update pgqueue.alembic_version set version_num = '0014'")
    monkeypatch.setattr(migration, "_beside", lambda _: [])
    with pytest.raises(Exception, match="already exists"):
        # Revision 0015 is there; what it does first is undone with it.
        migration.migrate(dsn)
    execute(db, forget_copies())
    assert leftovers(db) == []
    settle(db, claim_one(db))


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (
            "create trigger mine before update on pgqueue.attempts for each row"
            " execute function suppress_redundant_updates_trigger()",
            "mine",
        ),
        ("create view public.seen as select * from pgqueue.dead_jobs", "view public.seen"),
        ("create publication told for table pgqueue.attempts", "publication told"),
        ("create unique index once on pgqueue.attempts (args) where false", "unique index once"),
    ],
    ids=["trigger", "view", "publication", "unique index"],
)
@pytest.mark.filterwarnings("ignore")
def test_what_somebody_else_made_on_a_table_is_named_and_nothing_done(
    db: Conn, dsn: str, made: str, named: str
) -> None:
    db.execute(made.replace("(args)", "(attempt)"))
    with pytest.raises(SchemaError, match=f"cannot be copied as it is: .*{named}"):
        partition_history(dsn)
    assert leftovers(db) == []


def test_sessions_that_had_revived_dead_jobs_go_on(db: Conn, dsn: str) -> None:
    """A function keeps the type of a row for as long as its session lasts."""
    first, second = dead(db, 2), dead(db, 1)
    assert db.execute("select pgqueue.retry(%s)", [first]).fetchone() == ("ready",)
    partition_history(dsn)
    assert db.execute("select pgqueue.retry(%s)", [second]).fetchone() == ("ready",)


def test_history_that_lies_beside_its_partitions_is_copied_anew(
    db: Conn, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after months in which no partition was made: one too large to be locked while it is read."""
    fill(db, 300)
    enqueue(db)
    partition_history(dsn)
    before = everything(db, "attempts")
    real = partitioning.partitions.is_partitioned
    monkeypatch.setattr(
        partitioning.partitions, "is_partitioned", lambda table: real("jobs" if table == "attempts" else table)
    )
    assert partition_history(dsn) is True
    monkeypatch.undo()
    assert everything(db, "attempts") == before
    assert partition_history(dsn) is False
    assert leftovers(db) == []
