"""What looks on: headers of jobs, what is asked for machines, and what people ask of a job, a queue and the past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.search import parse
from pgqueue.secrecy import ALL, Secrecy
from pgqueue.store import (
    arg_indexes,
    awaiting,
    ends,
    enqueueing,
    execute,
    explaining,
    forecasting,
    jobs,
    metrics,
    moments,
    past,
    reports,
    searching,
    secrecy,
    showing,
)
from tests import factories

Conn = psycopg.Connection[Any]
HEADERS = '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'


def headed_on(conn: Conn) -> None:
    """Headers are noted behind an enqueue; and slots are asked for, as by an autoscaler."""
    job = factories.enqueue(conn, unique_key="headed", queue="kept")
    execute(conn, enqueueing.note_headers([job], [HEADERS]))
    assert execute(conn, jobs.headers([job])) == {job: HEADERS}
    row = conn.execute("select pgqueue.wanted_slots('kept', '30 s')").fetchone()
    assert row is not None
    assert row[0] > 0


def looked_on(conn: Conn) -> None:
    """An attempt notes itself, and a scraper asks."""
    taken = factories.claim_one(conn, queue="looked")
    factories.fail(conn, taken, 60.0)
    execute(conn, jobs.note_attempts([factories.failure(taken)._replace(headers=HEADERS)]))
    assert execute(conn, jobs.headers([taken.id])) == {taken.id: HEADERS}
    assert execute(conn, metrics.numbers())
    assert execute(conn, metrics.paces(["default", "none"]))


def explained_on(conn: Conn) -> None:
    """A job and a queue are explained and shown, beside limits, and the last hour is drawn."""
    job = factories.enqueue(conn, limit_key="explained")
    running = factories.claim_one(conn, queue="looked")
    ended = factories.claim_one(conn, queue="looked")
    factories.settle(conn, ended)
    for each in (job, running.id, ended.id):
        assert execute(conn, explaining.job(each)) is not None
        assert execute(conn, showing.shown(each)) is not None
    execute(conn, explaining.queue("default"))
    assert [found.id for found in execute(conn, searching.jobs_of([job]))] == [job]
    now = execute(conn, reports.now())
    execute(conn, past.past(now - timedelta(hours=1), now, timedelta(minutes=5)))
    assert forecasting.basis(conn, "default").ready
    assert moments.then(conn, now, now).at == now
    assert moments.ran_at(conn, now).looked
    execute(conn, moments.note_release("planted", "here"))
    # Its triggers are called.
    conn.execute("update pgqueue.audit set who = who")
    assert [act.filter for act in execute(conn, moments.acts_about(now)) if act.action == "release"] == ["planted"]


def followed_on(conn: Conn) -> None:
    """Ends are followed, and an argument is indexed and searched for; `conn` is in autocommit mode."""
    assert execute(conn, awaiting.follow())
    taken = factories.claim_one(conn, {"user": 7}, queue="looked")
    factories.settle(conn, taken)
    (ended,) = execute(conn, ends.of([taken.id], taken.run_at))
    assert ended in execute(conn, ends.lately(20_000))
    for table in arg_indexes.TABLES:
        execute(conn, arg_indexes.create(table, "args.user"))
        execute(conn, arg_indexes.describe(table, "args.user"))
    asked = parse("args.user=7 state:succeeded,dead", execute(conn, reports.now()))
    assert taken.id in [each.id for each in searching.search(conn, asked).candidates]
    for row in execute(conn, arg_indexes.listed()):
        execute(conn, arg_indexes.drop(row.name))
    conn.execute("select pg_catalog.pg_advisory_unlock_all()")


def asked_as_before_on(conn: Conn) -> None:
    """A worker of the last release beats and fails."""
    conn.execute("select pgqueue.heartbeat(0, interval '1 second')")
    nothing = ", ".join("'{}'" for _ in range(8))
    conn.execute(f"select pgqueue.fail(0, {nothing})")


def hidden_on(conn: Conn) -> None:
    """A worker tells what is sensitive, and somebody is shown a job."""
    said = Secrecy(ALL).said()
    execute(conn, secrecy.declare({(factories.TARGET, said)}))
    assert factories.TARGET in execute(conn, secrecy.every())
    assert execute(conn, secrecy.declared([factories.TARGET]))[factories.TARGET] == (Secrecy(ALL),)
