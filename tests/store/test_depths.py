"""Depths over time: a row a queue and minute, exact where it says so, noted by one worker, and made fewer with age."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, queues, tallies
from tests.conftest import Connect
from tests.factories import HOUR, Conn, count, enlist, fill, make

AGES = [timedelta(minutes=5), timedelta(hours=60), timedelta(days=120), timedelta(days=900)]


def noted(conn: Conn) -> dict[str, tuple[int, int, int, int, bool]]:
    rows = conn.execute("select queue, ready, later, running, dead, exact from pgqueue.depths").fetchall()
    return {row[0]: tuple(row[1:]) for row in rows}  # type: ignore[misc]  # of this length


def back(conn: Conn, minutes: int = 1) -> None:
    """As if it had been done so long ago."""
    conn.execute("update pgqueue.duties set done_at = done_at - make_interval(mins => %s)", [minutes])
    conn.execute("update pgqueue.depths set minute = minute - make_interval(mins => %s)", [minutes])


def test_what_is_marked_exact_is_what_there_is(db: Conn) -> None:
    chance = random.Random(11)
    states = [JobState.SCHEDULED, JobState.RETRYING, JobState.RUNNING, JobState.DEAD]
    for _ in range(60):
        make(db, chance.choice(states), queue=chance.choice(["mail", "web", "default"]))
    for queue in ("mail", "web"):
        fill(db, chance.randrange(20), queue=queue)
    execute(db, tallies.note_depths())
    truth = db.execute(
        "select queue, count(*) filter (where state = 'ready'),"
        " count(*) filter (where state in ('scheduled', 'retrying')),"
        " count(*) filter (where state = 'running'), count(*) filter (where state = 'dead'), true"
        " from pgqueue.job where state <> all ('{succeeded,cancelled}') group by queue"
    ).fetchall()
    assert noted(db) == {row[0]: tuple(row[1:]) for row in truth}


def test_status_counts_what_there_is_where_it_says_that_it_counted(conn: Conn) -> None:
    fill(conn, 300, queue="big")
    fill(conn, 3, queue="small")
    for found in execute(conn, queues.depths(None, 40)).queues:
        truth = conn.execute("select count(*) from pgqueue.jobs where queue = %s", [found.queue]).fetchone()
        if "ready" not in found.estimated:
            assert (found.ready,) == truth
    (big, small) = execute(conn, queues.depths(None, 40)).queues
    assert "ready" in big.estimated
    assert "ready" not in small.estimated


def test_a_minute_is_noted_once_whoever_asks(connect: Connect) -> None:
    conn, other = connect(autocommit=True), connect()
    fill(conn, 3)
    assert execute(conn, tallies.note_depths()) == 1
    assert execute(conn, tallies.note_depths()) is None
    back(conn)
    # Somebody has it in hand: nobody waits for that.
    other.execute("select from pgqueue.duties where name = 'depths' for update")
    assert execute(conn, tallies.note_depths()) is None
    other.rollback()
    assert execute(conn, tallies.note_depths()) == 1
    assert count(conn, "depths") == 2


def test_a_queue_that_has_become_empty_says_so_once(conn: Conn) -> None:
    fill(conn, 3, queue="mail")
    execute(conn, tallies.note_depths())
    conn.execute("delete from pgqueue.jobs")
    for _ in range(3):
        back(conn)
        execute(conn, tallies.note_depths())
    rows = conn.execute("select ready from pgqueue.depths order by minute").fetchall()
    assert rows == [(3,), (0,)]


def test_it_says_how_many_came_in_and_how_long_the_oldest_has_waited(conn: Conn) -> None:
    enlist(conn)
    fill(conn, 4, queue="mail")
    conn.execute("update pgqueue.jobs set run_at = now() - interval '90 s'")
    execute(conn, tallies.note_depths())
    (row,) = execute(conn, tallies.depths(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)))
    assert (row.entered, row.ready, row.span) == (4, 4, 60)
    assert row.oldest == pytest.approx(90, abs=10)


def test_old_rows_become_one_an_hour_and_one_a_day(conn: Conn) -> None:
    for age in AGES:
        for n in range(90):
            conn.execute(
                "insert into pgqueue.depths (minute, queue, ready, later, running, dead, oldest, entered, exact)"
                " select date_trunc('day', now() - %s, 'UTC') + make_interval(mins => %s), 'mail', %s, 0, 0, 0,"
                " %s, 1, true",
                [age, n, n, 1000 - n],
            )
    recent = conn.execute("select count(*) from pgqueue.depths where minute > now() - interval '2 days'").fetchone()
    while execute(conn, tallies.merge(17)):
        pass
    rows = conn.execute(
        "select span, count(*), max(ready), max(oldest), sum(entered) from pgqueue.depths group by 1 order by 1"
    ).fetchall()
    assert recent == (90,)
    assert rows[0] == (60, 90, 89, 1000, 90)
    assert rows[1] == (3600, 2, 89, 1000, 90)
    assert rows[2] == (86400, 1, 89, 1000, 90)
    assert len(rows) == 3


def test_scheduled_jobs_are_later(conn: Conn) -> None:
    fill(conn, 2, delay=HOUR)
    execute(conn, tallies.note_depths())
    assert noted(conn) == {"default": (0, 2, 0, 0, True)}
