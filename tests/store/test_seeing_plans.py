"""What people ask over time reads a bounded number of rows by index, however much there is, analysed or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.job import JobState
from pgqueue.store import causes, execute, forecasting, moments, past, rates, showing, tallies
from pgqueue.store.listing import Asked, page
from pgqueue.store.looking import look
from tests.factories import Conn
from tests.postgres import Databases
from tests.store.crowds import crowd
from tests.store.plans import nodes, plans_of, rows_of, scans

SIZE = 10_000
READ = frozenset({"jobs", "attempts", "dead_jobs", "tallies", "depths", "causes"})
# Two days of 20 queues with a task each, by minute, and older ones by hour; of half the dead jobs one cause in 100.
HISTORY = """
insert into pgqueue.tallies (minute, span, queue, target, outcome, cause, n, ended, wait, run)
select date_trunc('minute', now()) - n * interval '3 minutes', 60, 'q' || n % 20, 'shop.tasks:send_' || n % 7,
       case n % 9 when 0 then 'failed' else 'succeeded' end, case n % 9 when 0 then lpad(to_hex(n % 100), 12, '0') end,
       10, 9, array_fill(1, array[25]), array_fill(1, array[25])
from generate_series(1, 40000) as n
"""
DEPTHS = """
insert into pgqueue.depths (minute, queue, ready, later, running, dead, oldest, entered, exact)
select date_trunc('minute', now()) - n * interval '3 minutes', 'q' || q, 10, 1, 1, 1, 5, 3, true
from generate_series(1, 900) as n, generate_series(0, 19) as q
"""
CAUSES = (
    "update pgqueue.dead_jobs set cause = lpad(to_hex(abs(hashtext(id::text)) % 100), 12, '0')"
    " where abs(hashtext(id::text)) % 2 = 0"
)


@pytest.fixture(scope="module", params=["never", "full"])
def crowded(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a busy system with a month behind it, analysed or not."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    crowd(dsn, SIZE, 20)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(HISTORY)
        conn.execute(CAUSES)
        conn.execute(DEPTHS)
        if request.param == "full":
            conn.execute("vacuum (analyze)")
    yield dsn
    databases.drop(name)


@pytest.fixture
def busy(crowded: str) -> Iterator[Conn]:
    with psycopg.connect(crowded, autocommit=True) as conn:
        yield conn


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


STEP = timedelta(minutes=5)
# What is asked, and how many rows it may read.
QUESTIONS: dict[str, tuple[Callable[[Conn], Any], int]] = {
    "timings of an hour": (lambda conn: execute(conn, tallies.timings(ago(1))), 100),
    "timings of a day": (lambda conn: execute(conn, tallies.timings(ago(24), "target")), 1_000),
    "throughput": (lambda conn: execute(conn, tallies.throughput(ago(6), ago(0))), 300),
    "how full all queues were": (lambda conn: execute(conn, past.past(ago(6), ago(0), STEP)), 6_000),
    "how full a queue was": (lambda conn: execute(conn, past.past(ago(6), ago(0), STEP, "q7")), 500),
    "a job for a page": (lambda conn: execute(conn, showing.shown(UUID(int=0))), 10),
    "a forecast": (lambda conn: forecasting.basis(conn, "q7"), 30_000),
    "how it was": (lambda conn: moments.then(conn, ago(3), ago(0)), 2_000),
    "what ran": (lambda conn: moments.ran_at(conn, ago(3), 1_000), 2_500),
    "what was done": (lambda conn: execute(conn, moments.acts_about(ago(3))), 100),
    "rates": (lambda conn: execute(conn, rates.rates()), 3_000),
    "what came in": (lambda conn: execute(conn, tallies.entered(timedelta(hours=1))), 100),
    "new causes": (lambda conn: execute(conn, causes.new(timedelta(minutes=10), 3)), 500),
    "one cause": (lambda conn: execute(conn, causes.one("00000000000a")), 3_000),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_over_time_reads_a_bounded_number_of_rows_by_index(busy: Conn, name: str) -> None:
    ask, most = QUESTIONS[name]
    # As the command line asks.
    found = plans_of(busy, lambda: look(busy, ask))
    read = [node for plan in found for node in nodes(plan) if node.get("Relation Name") in READ]
    walked = [node for node in read if node["Actual Loops"] and "Scan" in node["Node Type"]]
    assert {node["Node Type"] for node in walked} <= {"Index Scan", "Index Only Scan", "Tid Scan"}
    assert sum(map(rows_of, walked)) <= most


def test_a_look_at_what_is_wrong_reads_a_bounded_number_of_rows_by_index(busy: Conn) -> None:
    busy.execute("insert into pgqueue.alert_channels (name, kind, settings) values ('ops', 'command', '{}')")
    try:
        with busy.transaction(force_rollback=True):
            busy.execute("update pgqueue.duties set done_at = '2000-01-01' where name = 'alerts'")
            found = plans_of(busy, lambda: busy.execute("select pgqueue.look_for_alerts()"))
    finally:
        busy.execute("delete from pgqueue.alert_channels")
    read = [node for plan in found for node in nodes(plan) if node.get("Relation Name") in READ]
    walked = [node for node in read if node["Actual Loops"] and "Scan" in node["Node Type"]]
    assert {node["Relation Name"] for node in walked} >= {"jobs", "tallies", "depths"}
    assert {node["Node Type"] for node in walked} <= {"Index Scan", "Index Only Scan", "Tid Scan"}
    assert sum(map(rows_of, walked)) <= 4_000


def test_dead_jobs_of_a_cause_are_found_by_index(busy: Conn) -> None:
    asked = Asked(states=frozenset({JobState.DEAD}), cause="00000000000a", limit=5)
    read = scans(plans_of(busy, lambda: page(busy, asked)))
    assert {node["Node Type"] for node in read} == {"Index Scan"}
    assert sum(map(rows_of, read)) <= 20


def test_all_causes_are_listed_by_probes(busy: Conn) -> None:
    found: list[Any] = []
    plans = plans_of(busy, lambda: found.extend(execute(busy, causes.listed())))
    read = [node for plan in plans for node in nodes(plan) if node.get("Relation Name") in READ]
    assert "Seq Scan" not in {node["Node Type"] for node in read if node["Actual Loops"]}
    assert len({row.cause for row in found}) == len(found)
    assert sum(row.dead for row in found) == pytest.approx(SIZE / 2, rel=0.1)
