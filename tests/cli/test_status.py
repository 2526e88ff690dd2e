"""`pgqueue status`, `queues` and `workers`: how full the queues are, and who works."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import psycopg
import pytest

from pgqueue.cli.widths import fitting
from pgqueue.store import execute, queues, tallies
from pgqueue.store.schema import NEWEST_REVISION
from tests.cli.conftest import Command, Start
from tests.cli.moves import WORKER, buried, claimed

Enqueue = Callable[..., str]
Conn = psycopg.Connection[Any]


@pytest.fixture
def busy(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    """A job running, one ready, one scheduled, one dead; queue `mail` is paused."""
    claimed(conn, enqueue("send_receipt"))
    enqueue("send_receipt")
    enqueue("send_receipt", "--delay", "1h")
    buried(conn, enqueue("break_down"))
    pgqueue("queues", "pause", "mail")


@pytest.mark.usefixtures("busy")
def test_status_counts_jobs_by_state(pgqueue: Command) -> None:
    shown = pgqueue("status").out
    assert shown.startswith("pgqueue on ")
    assert f" · schema {NEWEST_REVISION} · 1 worker, 1 of 4 slots busy · data of " in shown.splitlines()[0]
    lines = [line.split() for line in shown.splitlines()]
    assert ["QUEUE", "BAR", "READY", "LATER", "RUN", "AHEAD", "RETRY", "DEAD", "OLDEST", "IN/MIN"] in [
        line[:10] for line in lines
    ]
    assert ["default", "1", "1", "1", "0", "1"] in [[line[0], *line[2:7]] for line in lines if len(line) > 7]
    assert ["mail", "0", "0", "0", "0", "0", "paused"] in lines
    assert [str(WORKER), "shop-1", "99", "mail", "thread", "4", "1"] in [line[:7] for line in lines]


@pytest.mark.usefixtures("busy")
def test_status_as_json(pgqueue: Command) -> None:
    found = pgqueue("status", "--json").json
    assert found["revision"] == NEWEST_REVISION
    assert (found["estimates"], found["all_queues"]) == (None, True)
    default, mail = found["queues"]
    assert (default["ready"], default["running"], default["dead"], default["paused"]) == (1, 1, 1, False)
    assert default["oldest_ready_age"] >= 0
    assert (mail["queue"], mail["paused"]) == ("mail", True)
    assert [worker["id"] for worker in found["workers"]] == [WORKER]


def test_status_of_a_fresh_database(pgqueue: Command) -> None:
    shown = pgqueue("status").out
    assert "No queue has a job." in shown
    assert "No worker runs" in shown


@pytest.mark.usefixtures("busy")
def test_jobs_that_cannot_be_looked_at_in_time_are_estimated(pgqueue: Command, conn: Conn) -> None:
    conn.execute("analyze pgqueue.jobs")
    conn.commit()
    conn.execute("lock table pgqueue.jobs in access exclusive mode")
    ran = pgqueue("status")
    assert ran.code == 0
    assert "these are estimates" in ran.err
    assert "jobs: about 3" in ran.out
    assert "attempts: unknown" in ran.out
    assert str(WORKER) in ran.out
    assert pgqueue("status", "--json").json["estimates"]["jobs"] == 3
    assert "did not answer in time" in pgqueue("queues", "list").err


def test_a_worker_runs_no_more_than_it_has_slots(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    for _ in range(5):
        claimed(conn, enqueue("send_receipt"))
    conn.execute("update pgqueue.workers set concurrency = 4")
    conn.commit()
    (queue,) = pgqueue("queues", "list", "--json").json
    assert (queue["running"], queue["ahead"], queue["estimated"]) == (4, 1, [])
    (worker,) = pgqueue("status", "--json").json["workers"]
    assert (worker["running"], worker["ahead"], worker["estimated"]) == (4, 1, [])
    assert pgqueue("workers", "list", "--json").json == [worker]
    titles, cells = (line.split() for line in pgqueue("workers", "list").out.splitlines())
    assert cells[titles.index("RUNNING") : titles.index("RUNNING") + 2] == ["4", "1"]


def test_numbers_that_were_not_counted_say_so(
    pgqueue: Command, enqueue: Enqueue, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues.depths, "__defaults__", (None, 4))
    claimed(conn, enqueue("send_receipt"))
    conn.execute("insert into pgqueue.jobs (id, target) select pgqueue.uuid7(), 'a:b' from generate_series(1, 1234)")
    conn.commit()
    (row,) = pgqueue("queues", "list", "--json").json
    assert (row["ready"], row["estimated"]) == (1234, ["ready", "running", "ahead"])
    assert "≈ 1,200" in pgqueue("status").out
    assert "≈" not in pgqueue("dead", "list").out


def test_queues_are_listed_page_by_page(pgqueue: Command, conn: Conn) -> None:
    conn.execute(
        "insert into pgqueue.jobs (id, target, queue)"
        " select pgqueue.uuid7(), 'a:b', 'q' || lpad((n % 50)::text, 3, '0') from generate_series(0, 52) as n"
    )
    conn.commit()
    ran = pgqueue("queues", "list", "-n", 20)
    assert ran.out.splitlines()[-1].split()[0] == "q019"
    assert ran.err == "there are more; go on with --after q019\n"
    ran = pgqueue("queues", "list", "--after", "q039")
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == [f"q0{n}" for n in range(40, 50)]
    assert ran.err == ""
    assert len(pgqueue("queues", "list", "--json").json) == 50


def test_status_shows_the_fullest_of_many_queues(pgqueue: Command, conn: Conn) -> None:
    conn.execute(
        "insert into pgqueue.jobs (id, target, queue)"
        " select pgqueue.uuid7(), 'a:b', 'q' || n % 50 from generate_series(0, 52) as n"
    )
    conn.commit()
    shown = pgqueue("status").out
    assert "These are the fullest" in shown
    assert [line.split()[0] for line in shown.splitlines()[3:6]] == ["q0", "q1", "q2"]
    found = pgqueue("status", "--json").json
    assert (len(found["queues"]), found["all_queues"]) == (40, False)


def test_status_repeats_until_interrupted(start: Start) -> None:
    process = start("status", "-i", "0.05", PYTHONUNBUFFERED="1")
    assert process.stdout
    seen = 0
    while seen < 3:
        seen += "pgqueue on " in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stderr
    assert process.stderr.read() == ""


@pytest.mark.usefixtures("busy")
def test_queues_are_listed_with_the_names_of_the_view(pgqueue: Command, conn: Conn) -> None:
    assert "default" in pgqueue("queues", "list").out
    columns = conn.execute("select * from pgqueue.queue_stats limit 0").description
    assert columns
    listed = list(pgqueue("queues", "list", "--json").json[0])
    # Behind them stands what is said of the queue.
    assert listed[: len(columns)] == [column.name for column in columns]


def test_a_paused_queue_is_resumed(pgqueue: Command) -> None:
    assert pgqueue("queues", "pause", "mail", "web").out == "mail is paused\nweb is paused\n"
    assert pgqueue("queues", "resume", "mail").out == "mail goes on\n"
    assert [queue["paused"] for queue in pgqueue("queues", "list", "--json").json] == [False, True]


def test_a_queue_is_paused_for_a_while_and_the_list_says_until_when(pgqueue: Command, conn: Conn) -> None:
    assert pgqueue("queues", "pause", "mail", "--for", "10m").out == "mail is paused for 0:10:00\n"
    (queue,) = pgqueue("queues", "list", "--json").json
    assert queue["paused"]
    assert queue["paused_until"] is not None
    assert "paused until 2" in pgqueue("queues", "list").out
    conn.execute("update pgqueue.queues set paused_until = now()")
    conn.commit()
    (queue,) = pgqueue("queues", "list", "--json").json
    assert (queue["paused"], queue["paused_until"]) == (False, None)
    assert pgqueue("queues", "pause", "mail", "--for", "0s").code == 2


@pytest.mark.usefixtures("busy")
def test_workers_are_listed(pgqueue: Command, conn: Conn) -> None:
    (worker,) = pgqueue("workers", "list", "--json").json
    assert (worker["id"], worker["host"], worker["queues"], worker["running"]) == (WORKER, "shop-1", ["mail"], 1)
    assert "alive" in pgqueue("workers", "list").out
    conn.execute("update pgqueue.workers set expires_at = now()")
    conn.commit()
    assert "expired" in pgqueue("workers", "list").out


@pytest.mark.usefixtures("busy")
def test_workers_whose_jobs_cannot_be_looked_at_are_listed_without(pgqueue: Command, conn: Conn) -> None:
    conn.execute("lock table pgqueue.jobs in access exclusive mode")
    ran = pgqueue("workers", "list", "--json")
    assert "RUNNING is not known" in ran.err
    assert [row["running"] for row in ran.json] == [None]


def test_nobody_works(pgqueue: Command) -> None:
    assert pgqueue("workers", "list").out.startswith("No worker runs; start one:")


def test_a_queue_without_a_name_cannot_be_paused(pgqueue: Command) -> None:
    ran = pgqueue("queues", "pause", "mail", "")
    assert (ran.code, ran.out) == (2, "")


def test_a_misspelt_queue_is_told_from_those_with_jobs(pgqueue: Command) -> None:
    pgqueue("enqueue", "a:b", "--queue", "mail")
    ran = pgqueue("queues", "pause", "mial")
    assert (ran.code, ran.err) == (0, "no job waits in mial; jobs wait in mail\n")
    assert pgqueue("queues", "pause", "mail").err == ""


def tally(conn: Conn, minutes: int, **said: Any) -> None:
    """What a worker has counted so long ago."""
    given = {"queue": "mail", "target": "shop:send", "outcome": "succeeded", "n": 30, "ended": 30}
    told = {**given, "minute": (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(), **said}
    execute(conn, tallies.append(json.dumps([told])))
    conn.commit()


def line_of(shown: str, queue: str) -> str:
    (line,) = [line for line in shown.splitlines() if line.startswith(f"{queue} ")]
    return line


def test_status_says_how_fast_a_queue_fills_and_when_it_is_empty(pgqueue: Command, conn: Conn) -> None:
    run = [0, 0, 0, 0, 30, *([0] * 20)]
    for minutes in range(2, 8):
        tally(conn, minutes, run=run, wait=run)
    conn.execute(
        "insert into pgqueue.jobs (id, target, queue)"
        " select pgqueue.uuid7_floor(now() - n * interval '6 seconds'), 'a:b', 'mail' from generate_series(1, 200) as n"
    )
    conn.commit()
    (queue,) = pgqueue("status", "--json").json["queues"]
    assert queue["in_per_min"] == pytest.approx(10, rel=0.1)
    assert queue["out_per_min"] == pytest.approx(30, rel=0.35)
    assert 0.011 < queue["run_p50"] <= 0.024
    assert 300 < queue["drain"] < 1200
    assert not queue["growing"]
    assert "≈ 1" in line_of(pgqueue("status").out, "mail")
    conn.execute(
        "insert into pgqueue.jobs (id, target, queue)"
        " select pgqueue.uuid7(), 'a:b', 'mail' from generate_series(1, 900)"
    )
    conn.commit()
    assert line_of(pgqueue("status").out, "mail").endswith("never ▲ growing")


def test_status_tells_of_a_new_cause(pgqueue: Command, conn: Conn) -> None:
    tally(conn, 0, outcome="failed", cause="9f2c00000001", error_type="ConnectionError", error="no route", n=31)
    assert (
        "! new cause: 9f2c00000001 ConnectionError in shop:send (31)   pgqueue causes show 9f2c00000001"
        in pgqueue("status").out
    )
    assert pgqueue("status", "--json").json["new_causes"][0]["failures"] == 31


ALARMS = [
    (["--max-age", "5m"], "a job of mail has been ready for 10 min, longer than 5 min"),
    (["--max-dead", "0"], "1 job is dead, more than 0"),
    (["--max-depth", "mail=2"], "3 jobs are ready in mail, more than 2"),
    (["--max-depth", "2"], "3 jobs are ready in mail, more than 2"),
    (["--need-workers"], "no worker is alive"),
]


@pytest.fixture
def troubled(pgqueue: Command, enqueue: Enqueue, conn: Conn) -> None:
    buried(conn, enqueue("break_down"))
    for _ in range(3):
        enqueue("send_receipt", "--queue", "mail")
    conn.execute("update pgqueue.jobs set run_at = now() - interval '10 minutes'")
    conn.execute("update pgqueue.workers set expires_at = now()")
    conn.commit()


@pytest.mark.usefixtures("troubled")
@pytest.mark.parametrize(("words", "said"), ALARMS)
def test_an_alarm_is_one_line_and_an_exit_code(pgqueue: Command, words: list[str], said: str) -> None:
    ran = pgqueue("status", *words)
    assert (ran.code, ran.out) == (1, f"ALARM: {said}\n")
    ran = pgqueue("status", *words, "--json")
    assert (ran.code, ran.json["alarms"]) == (1, [said])


@pytest.mark.usefixtures("troubled")
def test_without_trouble_an_alarm_says_ok(pgqueue: Command, conn: Conn) -> None:
    words = ["--max-age", "1h", "--max-dead", "5", "--max-depth", "mail=10", "--max-depth", "100"]
    assert (pgqueue("status", *words).code, pgqueue("status", *words).out) == (0, "OK\n")
    conn.execute("update pgqueue.workers set expires_at = now() + interval '1 hour', queues = '{web}'")
    conn.commit()
    assert pgqueue("status", "--need-workers").out == "ALARM: no worker serves mail, where 3 jobs are ready\n"
    conn.execute("update pgqueue.workers set queues = null")
    conn.commit()
    assert pgqueue("status", "--need-workers").code == 0
    assert pgqueue("status", "--max-depth", "mail=many").code == 2


def test_a_narrow_terminal_is_spared_columns_and_keeps_what_matters() -> None:
    row = {"QUEUE": "mail", "BAR": "▇▇▇▇", "READY": "1,000", "LATER": "200", "DRAIN": "never"}
    columns = {title: itemgetter(title) for title in row}
    for room, kept in (
        (None, list(row)),
        (80, list(row)),
        (27, ["QUEUE", "BAR", "READY", "DRAIN"]),
        (20, ["QUEUE", "READY", "DRAIN"]),
    ):
        assert list(fitting(columns, [row], ("LATER", "BAR"), room)) == kept
