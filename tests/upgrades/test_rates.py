"""The rates by which `pgqueue migrate --check` reckons, measured: an estimate is no promise, but of the right size."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from pgqueue.migrate import migrate
from pgqueue.migration_plan import RATES, STATEMENT, plan
from pgqueue.store.functions import repeatables
from pgqueue.table_locks import Work

pytestmark = pytest.mark.upgrades

ROWS = 300_000
FILL = f"""
insert into pgqueue.rates
  (id, run_at, created_at, claim, priority, attempt, crashes, queue, target, args, reason, error_type, error)
select gen_random_uuid(), now(), now(), 1, 5, 1, 0, 'mail', 'shop.tasks:send_receipt', '{{"order_id": 4711}}',
       'exhausted', 'TimeoutError', 'no answer in 30 s'
from generate_series(1, {ROWS})
"""
# One statement of each kind that has a rate.
WORKS = {
    Work.READS: "alter table pgqueue.rates add constraint rates check (claim > 0)",
    Work.INDEXES: "create index rates_queue on pgqueue.rates (queue, id)",
    Work.REWRITES: "alter table pgqueue.rates alter column claim type bigint",
}
# How far an estimate may be off: another machine, a disk, others at work.
FACTOR = 5


def seconds_of(conn: psycopg.Connection[Any], statement: str) -> float:
    began = time.monotonic()
    conn.execute(statement)  # type: ignore[call-overload]  # a text of ours
    return time.monotonic() - began


def test_the_rates_are_about_those_of_this_machine(db: psycopg.Connection[Any]) -> None:
    # Like the other, but with no view over it.
    db.execute("create table pgqueue.rates (like pgqueue.dead_jobs including defaults)")
    db.execute(FILL)  # type: ignore[call-overload]
    db.execute("vacuum analyze pgqueue.rates")
    measured = {work: ROWS / seconds_of(db, statement) for work, statement in WORKS.items()}
    print({work: (f"{rate:,.0f} rows/s", f"reckoned with {RATES[work]:,}") for work, rate in measured.items()})
    for work, rate in measured.items():
        assert RATES[work] / FACTOR < rate < RATES[work] * FACTOR, work


def test_functions_and_views_take_about_as_long_as_reckoned(db: psycopg.Connection[Any], dsn: str) -> None:
    db.execute("comment on schema pgqueue is 'functions of another release'")
    reckoned = plan(dsn).pause
    assert reckoned == pytest.approx(STATEMENT * len([*repeatables()]), abs=0.01)
    began = time.monotonic()
    migrate(dsn)
    took = time.monotonic() - began
    print(f"{took:.2f} s with connecting, reckoned {reckoned:.2f} s")
    assert took < FACTOR * reckoned + 1
