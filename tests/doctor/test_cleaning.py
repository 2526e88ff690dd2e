"""Who keeps dead rows is found, and gone after the cure was executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.conftest import Connect
from tests.doctor.conftest import Examine, cure
from tests.factories import Conn, claim, enlist, fill, settle
from tests.waiting import wait_until

NONE = timedelta(0)


@pytest.fixture
def holding(connect: Connect) -> Iterator[psycopg.Connection[Any]]:
    """A session that has looked, in a transaction that it left open."""
    conn = connect(application_name="psql")
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    conn.execute("select 1 from pgqueue.jobs limit 1")
    yield conn
    if not conn.closed:
        conn.close()


def test_an_open_transaction_holds_the_horizon_until_it_is_ended(
    db: Conn, holding: psycopg.Connection[Any], examine: Examine
) -> None:
    assert examine("horizon").status == "ok", "it is young"
    found = examine("horizon", horizon=NONE)
    pid = holding.info.backend_pid
    assert (found.status, found.cure) == ("warn", f"select pg_terminate_backend({pid});")
    assert found.text.startswith(f"pid {pid} (postgres, psql, idle in transaction) has a transaction open, for ")
    assert examine("horizon", horizon=NONE, horizon_fails=NONE).status == "FAIL"
    cure(db, found)
    wait_until(lambda: examine("horizon", horizon=NONE).status == "ok")


def test_a_prepared_transaction_holds_the_horizon_until_it_is_ended(
    db: Conn, connect: Connect, examine: Examine
) -> None:
    with connect(autocommit=True) as other:
        other.execute("begin; insert into pgqueue.queues (name) values ('x'); prepare transaction 'it''s mine'")
    found = examine("horizon", horizon=NONE)
    assert found.text.startswith("prepared transaction it's mine of postgres was not committed, for ")
    assert found.cure == "rollback prepared 'it''s mine';  -- or: commit prepared 'it''s mine';"
    cure(db, found)
    assert examine("horizon", horizon=NONE).status == "ok"


def test_dead_rows_before_the_first_jobs_are_counted_until_they_are_cleaned_away(
    db: Conn, holding: psycopg.Connection[Any], examine: Examine
) -> None:
    worker = enlist(db)
    fill(db, 2500)
    settle(db, *claim(db, worker, 2400))
    found = examine("head")
    assert found.status == "warn"
    # Some have more than one entry: there was no room for their claim beside them.
    assert re.match(r"2,[4-9]\d\d entries of ended jobs lie before the first jobs", found.text)
    assert examine("head", walked_fails=2000).status == "FAIL"
    holding.close()
    wait_until(lambda: examine("horizon", horizon=NONE).status == "ok")
    cure(db, found)
    assert examine("head").status == "ok"


def test_what_nobody_needs_any_more_is_passed_by(db: Conn, examine: Examine) -> None:
    worker = enlist(db)
    fill(db, 2500)
    settle(db, *claim(db, worker, 2400))
    assert examine("head").status == "ok"


def test_a_table_without_autovacuum_has_it_again_after_the_cure(db: Conn, examine: Examine) -> None:
    db.execute("alter table pgqueue.jobs set (autovacuum_enabled = off)")
    found = examine("autovacuum")
    assert found.status == "FAIL"
    assert "autovacuum is off for pgqueue.jobs" in found.text
    assert "alter table pgqueue.jobs reset (autovacuum_enabled);" in found.sql
    db.execute("alter table pgqueue.jobs reset (autovacuum_enabled)")
    assert "pgqueue.jobs" not in examine("autovacuum").text


def test_very_many_dead_rows_are_vacuumed_by_the_cure(db: Conn, examine: Examine) -> None:
    fill(db, 1000)
    db.execute("delete from pgqueue.jobs; select pg_stat_force_next_flush()")
    found = examine("autovacuum", dead_rows=500)
    assert "pgqueue.jobs has 1000 dead rows beside 0 live ones, vacuumed never" in found.text
    db.execute("vacuum (analyze) pgqueue.jobs")
    assert "vacuum (analyze) pgqueue.jobs;" in found.sql
    assert "pgqueue.jobs has" not in examine("autovacuum", dead_rows=500).text


def test_a_table_far_larger_than_its_rows_is_small_after_the_cure(db: Conn, examine: Examine) -> None:
    fill(db, 10_000)
    db.execute("delete from pgqueue.jobs where id not in (select id from pgqueue.jobs order by id desc limit 10)")
    db.execute("vacuum (analyze, truncate off) pgqueue.jobs")
    found = examine("bloat", bloat_bytes=100_000)
    assert found.status == "warn"
    assert "table jobs has " in found.text
    assert "index jobs_claim has " in found.text
    cure(db, found)
    assert examine("bloat", bloat_bytes=100_000).status == "ok"
