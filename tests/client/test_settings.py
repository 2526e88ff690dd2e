"""Whatever a server, a role or a session is set to, every way in sends the same and reads the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

import pgqueue
from pgqueue.store import dead, execute
from pgqueue.store.bulk import FEWEST
from tests.conftest import Connect
from tests.factories import TARGET, Conn, claim, claim_one, count, enlist, fail, release, settle

# Strange, and each of them some program's default somewhere.
SETTINGS = {
    "array_nulls": "off",
    "backslash_quote": "off",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "DateStyle": "SQL, DMY",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "enable_indexscan": "off",
    "escape_string_warning": "on",
    "extra_float_digits": "-15",
    "IntervalStyle": "sql_standard",
    "lc_numeric": "C",
    "plan_cache_mode": "force_custom_plan",
    "quote_all_identifiers": "on",
    "row_security": "off",
    "search_path": "",
    "standard_conforming_strings": "off",
    "synchronize_seqscans": "off",
    "TimeZone": "America/Sao_Paulo",
    "transform_null_equals": "on",
    "xmlbinary": "hex",
}
WHEN = datetime(2030, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
NASTY = "back\\slash 'quote' \"double\" null {a,b} é"
ARGS = [NASTY, None, 1.1]
GIVEN = UUID("0190a0b0-0000-7000-8000-000000000001")
OPTIONS: dict[str, Any] = {
    "queue": "NULL",
    "priority": 3,
    "timeout": 1.25,
    "max_attempts": 4,
    "limit_key": NASTY,
    "store_result": False,
    "labels": {NASTY: NASTY},
}
SHOWN = """
select job.queue, job.priority, job.run_at, extract(epoch from job.expires_at - job.run_at)::float8, job.timeout,
       job.max_attempts, job.unique_key, job.limit_key, job.store_result, job.labels::text, job.args::text, job.target
from pgqueue.jobs as job where job.id = %s
"""


def by_enqueue(conn: Conn, **options: Any) -> UUID:
    return pgqueue.enqueue(conn, TARGET, ARGS, **options).id


def by_many(conn: Conn, **options: Any) -> UUID:
    others = [pgqueue.NewJob(TARGET), pgqueue.NewJob(TARGET, queue="other", delay=timedelta(days=200))]
    return pgqueue.enqueue_many(conn, [*others, pgqueue.NewJob(TARGET, ARGS, **options)])[-1]


def by_copy(conn: Conn, **options: Any) -> UUID:
    new = [pgqueue.NewJob(TARGET, ARGS, **options), *[pgqueue.NewJob(TARGET)] * FEWEST]
    first, *rest = pgqueue.enqueue_many(conn, new)
    assert pgqueue.get_job(conn, rest[-1]).queue == "default"
    return first


def by_task(conn: Conn, **options: Any) -> UUID:
    return pgqueue.Task(_task).using(**options).enqueue(conn, *ARGS).id


def _task(text: str, nothing: None, number: float) -> None: ...


WAYS: list[tuple[Callable[..., UUID], dict[str, Any]]] = [
    (by_enqueue, {"run_at": WHEN}),
    (by_enqueue, {"run_at": WHEN, "ttl": 86_400.5, "unique_key": f"one {NASTY}"}),
    (by_many, {"run_at": WHEN, "ttl": 86_400.5}),
    (by_many, {"run_at": WHEN, "ttl": 86_400.5, "unique_key": f"many {NASTY}"}),
    (by_task, {"run_at": WHEN, "ttl": 86_400.5}),
    (by_copy, {}),
]


@pytest.fixture(params=SETTINGS)
def hostile(request: pytest.FixtureRequest, db: Conn, connect: Connect) -> Conn:
    """A connection to a database where one setting is otherwise."""
    change = sql.SQL("alter database {} set {} = {}")
    name: str = request.param
    db.execute(change.format(sql.Identifier(db.info.dbname), sql.Identifier(name), SETTINGS[name]))
    conn = connect(autocommit=True)
    if name == "client_encoding":
        # What the client asks for wins over the database's.
        conn.execute("set client_encoding = 'LATIN1'")
    found = conn.execute("select current_setting(%s)", [name]).fetchone()
    assert found is not None
    assert found[0].replace('""', "") == SETTINGS[name]
    return conn


def test_every_way_in_and_every_move_are_the_same_whatever_is_set(hostile: Conn, db: Conn) -> None:
    for way, options in WAYS:
        check_way(hostile, db, way, OPTIONS | options)
    hostile.execute("truncate pgqueue.jobs")
    # The first rounds by psycopg's cursors, the last by what they have prepared.
    for _ in range(7):
        check_moves(hostile, db)


def check_way(hostile: Conn, db: Conn, way: Callable[..., UUID], given: dict[str, Any]) -> None:
    made = way(hostile, **given)
    row = db.execute(SHOWN, [made]).fetchone()
    assert row is not None
    queue, priority, run_at, ttl, *others, labels, args, target = row
    assert (queue, priority, ttl) == ("NULL", 3, given.get("ttl"))
    assert others == [1.25, 4, given.get("unique_key"), NASTY, False]
    assert run_at == given.get("run_at", run_at)
    assert args == '["back\\\\slash \'quote\' \\"double\\" null {a,b} é",null,1.1]'
    assert NASTY.split()[1] in labels
    assert target in (TARGET, f"{__name__}:_task")
    job = pgqueue.get_job(hostile, made)
    assert (job.args, job.labels, job.run_at) == (ARGS, {NASTY: NASTY}, run_at)


def check_moves(hostile: Conn, db: Conn) -> None:
    worker = enlist(hostile, queues=["default", NASTY])
    pgqueue.enqueue_many(hostile, [pgqueue.NewJob(TARGET, [number], timeout=math.inf) for number in range(3)])
    one, two, three = claim(hostile, worker, 3)
    settle(hostile, one)
    fail(hostile, two, None)
    release(hostile, three)
    states = [pgqueue.get_job(hostile, each.id).state for each in (one, two, three)]
    assert states == ["succeeded", "dead", "ready"]
    assert [each.outcome for each in pgqueue.attempts(hostile, two.id)] == ["failed"]
    assert pgqueue.retry(hostile, two.id) == "ready"
    assert pgqueue.cancel(hostile, two.id) == "cancelled"
    assert pgqueue.cancel(hostile, three.id) == "cancelled"
    lone = claim_one(hostile, queue="lone")
    fail(hostile, lone, 60.0)
    assert pgqueue.get_job(db, lone.id).state == "retrying"


@pytest.mark.parametrize("way", [by_enqueue, by_many, by_copy])
def test_an_encoding_that_has_not_the_letter_is_told(db: Conn, way: Callable[..., UUID]) -> None:
    db.execute("set client_encoding = 'LATIN1'")
    with pytest.raises(pgqueue.UsageError, match=r"client_encoding has no '€'; say `set client_encoding = 'utf8'`"):
        way(db, labels={"price": "10 €"})
    assert count(db, "jobs") == 0


ZONES = ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]
# From any day of the year past a change of clocks.
FAR = timedelta(days=200)


def by_sql(conn: Conn, **options: timedelta) -> UUID:
    row = conn.execute(
        f"select pgqueue.enqueue('{TARGET}', {next(iter(options))} => %s)", [*options.values()]
    ).fetchone()
    assert row is not None
    made: UUID = row[0]
    return made


def by_key(conn: Conn, **options: timedelta) -> UUID:
    return by_enqueue(conn, unique_key=str(options), **options)


def by_many_with_keys(conn: Conn, **options: timedelta) -> UUID:
    return by_many(conn, unique_key=f"many {options}", **options)


@pytest.mark.parametrize("zone", ZONES)
def test_a_duration_is_elapsed_seconds_whatever_the_clocks_do(db: Conn, zone: str) -> None:
    db.execute(f"set timezone = '{zone}'")
    for style in ("postgres", "sql_standard", "iso_8601"):
        db.execute(f"set intervalstyle = '{style}'")
        for way in (by_enqueue, by_key, by_many, by_many_with_keys, by_task, by_sql):
            delayed = way(db, delay=FAR)
            expiring = way(db, ttl=FAR)
            # To the few seconds between the transaction's begin and the statement; never to an hour.
            assert abs(elapsed(db, "run_at - created_at", delayed) - FAR.total_seconds()) < 300, (way, style)
            assert elapsed(db, "expires_at - run_at", expiring) == FAR.total_seconds(), (way, style)


@pytest.mark.parametrize("zone", ZONES)
def test_an_age_is_elapsed_seconds_too(db: Conn, zone: str) -> None:
    db.execute(f"set timezone = '{zone}'")
    with db.transaction():
        now = db.execute("select clock_timestamp()").fetchone()
        then = execute(db, dead.moment_before(FAR))
    assert now is not None
    assert abs(now[0].timestamp() - then.timestamp() - FAR.total_seconds()) < 300


def elapsed(conn: Conn, difference: str, job_id: UUID) -> float:
    row = conn.execute(f"select extract(epoch from {difference})::float8 from pgqueue.jobs where id = %s", [job_id])
    found: float = row.fetchall()[0][0]
    return found


@pytest.mark.parametrize(("said", "days"), [("1 day", 1), ("1 month", 30), ("1 year", 365.25), ("1 month 2 days", 32)])
def test_a_month_in_sql_is_thirty_days(db: Conn, said: str, days: float) -> None:
    db.execute("set timezone = 'Europe/Berlin'")
    db.execute("select pgqueue.enqueue('a:b', delay => %s, ttl => %s, job_id => %s)", [said, said, GIVEN])
    row = db.execute("select run_at - created_at, expires_at - run_at from pgqueue.jobs").fetchone()
    assert row is not None
    assert abs(row[0] - timedelta(days=days)) < timedelta(minutes=5)
    assert row[1] == timedelta(days=days)
