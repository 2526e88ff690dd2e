"""`pgqueue schedules`: make, look at, pause, resume, run and remove schedules, and see when they will fire."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgqueue.store import declaring, execute, schedules
from tests.cli.conftest import SHOP, Command

Conn = psycopg.Connection[Any]
SEND = f"{SHOP}:send_receipt"


@pytest.fixture
def nightly(pgqueue: Command) -> str:
    """A schedule."""
    added = pgqueue(
        "schedules", "add", "nightly", SEND, "[42]", "--cron", "0 3 * * *", "--timezone", "Europe/Oslo", "-q", "mail"
    )
    assert (added.code, added.out) == (0, "nightly is scheduled\n"), added.err
    return "nightly"


def test_add_makes_a_schedule_and_changes_it(pgqueue: Command, nightly: str, conn: Conn) -> None:
    again = pgqueue(
        "schedules", "add", nightly, SEND, '{"order_id": 1}', "--every", "1h30m", "--jitter", "1m", "--catch-up", "all",
        "--cap", 5, "--grace", "10m", "--overlap", "skip", "--timeout", "none", "--label", "a=b", "--cost", 5,
    )  # fmt: skip
    assert (again.code, again.out) == (0, "nightly is changed\n"), again.err
    row = execute(conn, schedules.get(nightly))
    assert row is not None
    assert (row.every, row.jitter, row.catch_up, row.cap, row.grace) == (5400.0, 60.0, "all", 5, 600.0)
    assert conn.execute("select cost from pgqueue.schedules").fetchone() == (5,)
    assert (row.overlap, row.args, row.labels, row.cron, row.queue) == ("skip", {"order_id": 1}, {"a": "b"}, None, None)


@pytest.mark.parametrize(("every", "said"), [("5s", "every 5 s"), ("90m", "every 90 min"), ("2d", "every 2 d")])
def test_list_says_a_length_as_it_was_meant(pgqueue: Command, every: str, said: str) -> None:
    pgqueue("schedules", "add", "often", SEND, "[1]", "--every", every)
    assert said in " ".join(pgqueue("schedules", "list").out.split())


def test_what_is_misspelt_is_refused_with_the_nearest_right_one(pgqueue: Command) -> None:
    for words, said in (
        (("--cron", "0 3 * * mom"), "did you mean '0 3 * * mon'?"),
        (("--cron", "@daily", "--timezone", "Europe/Olso"), "did you mean Europe/Oslo?"),
        (("--cron", "@daily", "--catch-up", "lsat"), "did you mean last?"),
        ((), "a schedule has cron"),
    ):
        refused = pgqueue("schedules", "add", "s", SEND, *words)
        assert refused.code == 2
        assert said in refused.err


def test_list_shows_rules_and_what_keeps_one_from_firing(pgqueue: Command, nightly: str) -> None:
    pgqueue("schedules", "add", "often", SEND, "[1]", "--every", "5m")
    pgqueue("schedules", "pause", "often")
    head, *lines = pgqueue("schedules", "list").out.splitlines()
    assert head.split() == ["SCHEDULE", "RULE", "TIMEZONE", "TARGET", "LAST", "NEXT"]
    assert lines[0].split() == ["nightly", "0", "3", "*", "*", "*", "Europe/Oslo", SEND]
    assert lines[1].split() == ["often", "every", "5", "min", SEND, "paused"]
    found = pgqueue("schedules", "list", "--json").json
    assert [(row["name"], row["paused_by"], row["args"]) for row in found] == [
        ("nightly", None, [42]),
        ("often", "hand", [1]),
    ]
    page = pgqueue("schedules", "list", "-n", 1)
    assert "go on with --after nightly" in page.err
    assert pgqueue("schedules", "list", "--after", "nightly").out.splitlines()[1].startswith("often")


def test_no_schedule_says_how_to_make_one(pgqueue: Command) -> None:
    assert "pgqueue schedules add" in pgqueue("schedules", "list").out


def test_run_show_and_history_tell_of_the_jobs(pgqueue: Command, nightly: str, conn: Conn) -> None:
    job_id = pgqueue("schedules", "run", nightly).out.strip()
    assert pgqueue("jobs", "show", job_id).out.count("schedule=nightly") == 1
    shown = pgqueue("schedules", "show", nightly).out
    assert "cron         0 3 * * * in Europe/Oslo" in shown
    assert job_id in shown
    (tick,) = pgqueue("schedules", "history", nightly, "--json").json
    assert (tick["why"], tick["job_id"]) == ("by hand", job_id)
    assert pgqueue("schedules", "show", nightly, "--json").json["ticks"] == [tick]
    assert pgqueue("schedules", "remove", nightly).out == "nightly is removed\n"
    assert job_id in pgqueue("schedules", "history", nightly).out


def test_pause_and_resume(pgqueue: Command, nightly: str, conn: Conn) -> None:
    assert pgqueue("schedules", "pause", nightly).out == "nightly is paused\n"
    assert "paused by    hand" in pgqueue("schedules", "show", nightly).out
    assert pgqueue("schedules", "resume", nightly).out == "nightly goes on\n"
    assert "paused by" not in pgqueue("schedules", "show", nightly).out


@pytest.mark.parametrize("command", ["show", "history", "pause", "resume", "run", "remove", "next"])
def test_a_schedule_that_there_is_not_is_told_with_the_nearest(pgqueue: Command, nightly: str, command: str) -> None:
    ran = pgqueue("schedules", command, "nigthly")
    assert ran.code == 4
    assert "no schedule nigthly; did you mean nightly?" in ran.err


def test_what_code_declares_is_said_to_come_back(pgqueue: Command, conn: Conn) -> None:
    said = schedules.encoded({"schedule": {"name": "x:y", "target": "x:y", "every": 60.0}})
    execute(conn, declaring.declare(1, "x", [said]))
    conn.commit()
    assert "x:y is declared in code" in pgqueue("schedules", "remove", "x:y").err


def test_next_marks_where_the_clocks_change(pgqueue: Command) -> None:
    ran = pgqueue(
        "schedules", "next", "--cron", "30 2 * * *", "--timezone", "Europe/Oslo", "-n", 4,
        "--after", "2026-10-23T12:00+00:00",
    )  # fmt: skip
    assert [line.rstrip() for line in ran.out.splitlines()] == [
        "LOCAL                          UTC",
        "Sat 2026-10-24 02:30:00 +0200  2026-10-24 00:30:00",
        "Sun 2026-10-25 02:30:00 +0200  2026-10-25 00:30:00",
        "Mon 2026-10-26 02:30:00 +0100  2026-10-26 01:30:00  clocks go back 1 h before it",
        "Tue 2026-10-27 02:30:00 +0100  2026-10-27 01:30:00",
    ]


def test_next_of_an_interval_counts_from_its_last_tick(pgqueue: Command, conn: Conn) -> None:
    pgqueue("schedules", "add", "often", SEND, "[1]", "--every", "5m")
    row = execute(conn, schedules.get("often"))
    assert row is not None
    first, second = (each["utc"] for each in pgqueue("schedules", "next", "often", "-n", 2, "--json").json)
    assert first > row.last_at.isoformat()[:19]
    assert second > first


def test_next_needs_one_thing_to_tell_of(pgqueue: Command) -> None:
    assert pgqueue("schedules", "next").code == 2
    assert pgqueue("schedules", "next", "s", "--cron", "@daily").code == 2
    assert "every must be" in pgqueue("schedules", "next", "--every", "0").err
