"""What the database is asked for Prometheus: right, bounded, and no more often than need be."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import psycopg
import pytest

from pgqueue.bench.growth import Shape, fill
from pgqueue.embedded import Server
from pgqueue.job import Claim, JobState
from pgqueue.metrics import families
from pgqueue.metrics.database import QUESTIONS, DatabaseNumbers
from pgqueue.metrics.names import OF_DATABASE
from pgqueue.store.looking import look
from tests.conftest import Connect
from tests.factories import Conn, claim_one, enlist, enqueue, expire, make, settle
from tests.metrics.reading import Labels, fetched, samples
from tests.postgres import ROOT
from tests.store.plans import plans_of, rows_read, scans

Asked = Callable[[], dict[tuple[str, Labels], float]]


@pytest.fixture
def asked(dsn: str) -> Iterator[Asked]:
    """Ask anew: every number by name and labels."""
    numbers = DatabaseNumbers(dsn, kept=0.0)
    yield lambda: samples(families.rendered(numbers.collected, "")[1].decode())
    numbers.close()


def ran_for(conn: Conn, seconds: float) -> Claim:
    """A job that has run for so long."""
    taken = claim_one(conn)
    conn.execute("update pgqueue.jobs set started_at = now() - make_interval(secs => %s)", [seconds])
    return taken


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def test_jobs_are_told_by_state_with_whether_they_were_counted(db: Conn, asked: Asked) -> None:
    for state in (JobState.DEAD, JobState.RETRYING, JobState.SCHEDULED, JobState.READY, JobState.READY):
        make(db, state)
    db.execute("select pgqueue.pause_queue('paused')")
    found = asked()
    of = {state: found["pgqueue_queue_jobs", (("queue", "default"), ("state", state))] for state in ("ready", "dead")}
    assert of == {"ready": 2, "dead": 1}
    assert found["pgqueue_queue_jobs_exact", (("queue", "default"), ("state", "ready"))] == 1
    assert found["pgqueue_dead_jobs", (("queue", "default"),)] == 1
    assert found["pgqueue_queue_oldest_ready_seconds", (("queue", "default"),)] > 0
    assert found["pgqueue_queue_paused", (("queue", "paused"),)] == 1


def test_workers_are_told_by_state(db: Conn, asked: Asked) -> None:
    alive, quiet, lost = (enlist(db) for _ in range(3))
    db.execute("select pgqueue.ask(%s, 'quiet')", [quiet])
    expire(db, lost)
    assert alive
    found = asked()
    assert {state: found["pgqueue_workers", (("state", state),)] for state in ("alive", "quiet", "lost")} == {
        "alive": 1,
        "quiet": 1,
        "lost": 1,
    }


def test_a_transaction_that_holds_the_horizon_is_told(connect: Connect, asked: Asked) -> None:
    before = asked()["pgqueue_horizon_age_seconds", ()]
    holder = connect()
    holder.execute("set transaction isolation level repeatable read")
    holder.execute("select pg_sleep(0.2) from pg_class limit 1")
    assert asked()["pgqueue_horizon_age_seconds", ()] >= max(before, 0.2)


def test_open_alerts_are_told_by_kind(db: Conn, asked: Asked) -> None:
    insert = "insert into pgqueue.alerts (key, kind, object, state) values (%s, %s, '', %s)"
    for key, kind, state in [
        ("a", "stalled", "open"),
        ("b", "stalled", "gathering"),
        ("c", "dead", "well"),
        ("d", "odd", "open"),
    ]:
        db.execute(insert, [key, kind, state])
    found = {labels[0][1]: value for (name, labels), value in asked().items() if name == "pgqueue_alerts_open"}
    assert {kind for kind, n in found.items() if n} == {"stalled"}
    assert found["stalled"] == 2
    assert "dead" in found


def test_new_causes_are_told(db: Conn, asked: Asked) -> None:
    db.execute("insert into pgqueue.causes (cause, target, first_at) values ('old', 'a:b', now() - interval '2 hours')")
    before = asked()["pgqueue_causes_new", ()]
    db.execute("insert into pgqueue.causes (cause, target) values ('new', 'a:b')")
    assert asked()["pgqueue_causes_new", ()] == before + 1


def test_a_late_tick_is_told(db: Conn, asked: Asked) -> None:
    db.execute("select pgqueue.schedule('report', 'shop:report', cron => '0 3 * * *')")
    db.execute("update pgqueue.schedules set next_at = now() - interval '1 hour', tzdata = 'x'")
    assert asked()["pgqueue_schedule_late_seconds", (("schedule", "report"),)] >= 3600


def test_a_backlog_is_told_in_the_time_that_the_slots_need(db: Conn, asked: Asked) -> None:
    enlist(db, concurrency=5)
    settle(db, ran_for(db, 2.0))
    for _ in range(10):
        enqueue(db)
    assert asked()["pgqueue_queue_backlog_seconds", (("queue", "default"),)] == pytest.approx(10 * 2.0 / 6, rel=0.1)


def test_every_metric_of_the_database_is_told(db: Conn, asked: Asked) -> None:
    enqueue(db)
    enlist(db)
    db.execute("select pgqueue.schedule('report', 'shop:report', cron => '0 3 * * *')")
    db.execute("update pgqueue.schedules set next_at = now() - interval '1 hour', tzdata = 'x'")
    assert {metric.name for metric in OF_DATABASE} - {name for name, _ in asked()} == set()


def test_many_who_ask_are_given_one_answer(dsn: str, db: Conn) -> None:
    numbers = DatabaseNumbers(dsn)
    first = samples(families.rendered(numbers.collected, "")[1].decode())
    enqueue(db)
    assert samples(families.rendered(numbers.collected, "")[1].decode()) == first
    numbers.close()


def test_of_ten_thousand_queues_so_many_are_told(db: Conn, asked: Asked) -> None:
    db.execute("select pgqueue.enqueue('shop:send', queue => 'q' || n) from generate_series(1, 10000) as n")
    db.execute("analyze pgqueue.jobs")
    assert len([name for name, _ in asked() if name == "pgqueue_queue_paused"]) <= 200


def test_a_database_that_is_away_is_told_as_an_error_and_asked_again(private_server: Server) -> None:
    from pgqueue.migrate import migrate

    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    numbers = DatabaseNumbers(dsn, kept=0.0)

    def found() -> dict[tuple[str, Labels], float]:
        return samples(families.rendered(numbers.collected, "")[1].decode())

    assert found()["pgqueue_scrape_errors_total", ()] == 0
    private_server.stop("immediate")
    assert found()["pgqueue_scrape_errors_total", ()] == 1
    assert ("pgqueue_notify_queue_usage_ratio", ()) not in found()
    private_server.start()
    assert ("pgqueue_notify_queue_usage_ratio", ()) in found()
    numbers.close()


def test_the_exporter_answers_until_it_is_told_to_stop(dsn: str, conn: psycopg.Connection[object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pgqueue", "exporter", "--dsn", dsn, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}/metrics" in process.stderr.readline()
        status, kind, text = fetched(port)
        assert (status, kind.startswith("application/openmetrics-text")) == (200, True)
        assert ("pgqueue_notify_queue_usage_ratio", ()) in samples(text)
        assert fetched(port, path="/else")[0] == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("analysed", [True, False])
def test_what_is_asked_of_the_database_reads_a_bounded_number_of_rows(db: Conn, dsn: str, analysed: bool) -> None:
    fill(dsn, Shape(name="much", ready=30_000, future=10_000, foreign=10_000, history=30_000))
    if analysed:
        db.execute("analyze pgqueue.jobs, pgqueue.attempts")
    told: list[object] = []
    plans = plans_of(db, lambda: told.extend(look(db, question) for question in QUESTIONS))
    assert None not in told
    assert {node["Node Type"] for node in scans(plans)} <= {"Index Scan", "Index Only Scan", "Sample Scan"}
    # 10,000 jobs of each queue on each side of now, 2,000 attempts; and a sample of 2,000 pages.
    assert rows_read([plan for plan in plans if "Sample Scan" not in str(plan)]) <= 40_000


def test_a_role_that_may_only_read_will_do(db: Conn, dsn: str, database: str) -> None:
    enqueue(db)
    role = f"watcher_{database}"
    db.execute(f"create role {role} login; grant usage on schema pgqueue to {role}")
    db.execute(f"grant select on all tables in schema pgqueue to {role}")
    try:
        numbers = DatabaseNumbers(psycopg.conninfo.make_conninfo(dsn, user=role))
        found = samples(families.rendered(numbers.collected, "")[1].decode())
        numbers.close()
        assert found["pgqueue_scrape_errors_total", ()] == 0
        assert found["pgqueue_queue_jobs", (("queue", "default"), ("state", "ready"))] == 1
        with psycopg.connect(dsn, user=role) as conn:
            assert conn.execute("select pgqueue.wanted_slots('default', '30 s')").fetchall() == [(1,)]
    finally:
        db.execute(f"drop owned by {role}; drop role {role}")
