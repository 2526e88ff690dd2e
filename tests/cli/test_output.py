"""Tables for people, JSON for programs, colour only where somebody sees it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from pgqueue.cli.brief import moment
from pgqueue.cli.output import print_table, rounded
from tests import factories
from tests.cli.conftest import Command, Start
from tests.postgres import ROOT


def test_columns_are_aligned_and_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["NAME", "N", ""], [["a", 5, None], ["long one", 1000, "x"]])
    assert capsys.readouterr().out == "NAME         N\na            5\nlong one  1000  x\n"


HOSTILE = "\x1b[31mred \x9b1m \x7f \u202egnp.exe \u2028 \x85"


def test_no_text_steers_a_terminal_whatever_prints_it(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    (job_id,) = conn.execute(
        "insert into pgqueue.jobs (id, target, queue, args, labels)"
        " values (pgqueue.uuid7(), %s, %s, %s, %s) returning id",
        ["a:b" + HOSTILE, "q" + HOSTILE, json.dumps([HOSTILE], ensure_ascii=True), json.dumps({HOSTILE: HOSTILE})],
    ).fetchone() or ("",)
    conn.commit()
    wordings = (
        ["jobs", "list"],
        ["jobs", "show", job_id],
        ["queues", "list"],
        ["status"],
        ["jobs", "list", "-q", HOSTILE],
    )
    for words in wordings:
        for more in ([], ["--json"]):
            ran = pgqueue(*words, *more)
            assert ran.code == 0
            assert all(letter.isprintable() or letter == "\n" for letter in ran.out + ran.err), words
    assert pgqueue("jobs", "show", job_id, "--json").json["args"] == [HOSTILE]
    refused = pgqueue("enqueue", "a" + HOSTILE)
    assert all(letter.isprintable() or letter == "\n" for letter in refused.err)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (12, "12 s"), (119, "119 s"), (150, "2 min"), (86_400, "24 h"), (1e6, "12 d")],
)
def test_durations_are_rounded_to_a_fitting_unit(seconds: float, expected: str) -> None:
    assert rounded(timedelta(seconds=seconds)) == expected


def test_a_long_cell_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["ERROR"], [["y" * 4000], ["z" * 200]])
    assert capsys.readouterr().out.splitlines() == ["ERROR", "y" * 199 + "…", "z" * 200]


def on_a_terminal(*words: str, **environment: str) -> str:
    """What a command prints on a terminal of its own."""
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "pgqueue", *words]
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | environment
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=env, cwd=ROOT) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # Linux says EIO when the other side is closed.
            pass
        os.close(master)
        assert process.wait(30) == 0
    return shown.decode()


def test_a_terminal_gets_colour(dsn: str) -> None:
    assert "\x1b[1mQUEUE" in on_a_terminal("--dsn", dsn, "queues", "pause", "mail") + on_a_terminal(
        "--dsn", dsn, "status"
    )


def test_a_narrow_terminal_gets_ids_that_can_be_typed_and_no_line_over_the_edge(
    dsn: str, enqueue: Callable[..., str]
) -> None:
    ids = [
        enqueue("send_receipt", "--queue", "a-queue-with-a-very-long-name-indeed", "--delay", "1h") for _ in range(2)
    ]
    shown = on_a_terminal("--dsn", dsn, "jobs", "list", NO_COLOR="1", COLUMNS="80").splitlines()
    assert all(len(line) <= 80 for line in shown)
    first = [line.split()[0] for line in shown[1:]]
    assert all(job_id.startswith(digits) for job_id, digits in zip(ids[::-1], first, strict=True))
    for job_id, digits in zip(ids[::-1], first, strict=True):
        assert job_id in on_a_terminal("--dsn", dsn, "jobs", "show", digits, NO_COLOR="1")
    assert "…" in shown[1]
    assert "ENDED" not in shown[0], "a column without a value takes room from the others"


def test_on_a_narrow_terminal_an_error_stands_below_its_job(dsn: str, conn: psycopg.Connection[Any]) -> None:
    dead = uuid4()
    conn.execute(
        "insert into pgqueue.dead_jobs (id, reason, queue, target, priority, created_at, run_at, attempt, claim,"
        " crashes, args, error_type, error) values (%s, 'exhausted', 'default', 'shop.tasks:send', 5, now(), now(), 1,"
        " 1, 0, '[]', 'ValueError', 'no such order')",
        [dead],
    )
    conn.commit()
    title, row, error = on_a_terminal("--dsn", dsn, "dead", "list", NO_COLOR="1", COLUMNS="80").splitlines()
    assert "ERROR" not in title
    assert "exhausted" in row
    assert "shop.tasks:send" in row
    assert error == "    ValueError: no such order"


def test_times_are_told_as_far_as_they_are_not_obvious() -> None:
    now = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    assert moment(datetime(2026, 3, 4, 9, 8, 7, tzinfo=UTC), now) == "09:08:07"
    assert moment(datetime(2026, 3, 5, 0, 30, tzinfo=UTC), now) == "03-05 00:30"
    assert moment(datetime(2025, 12, 31, tzinfo=UTC), now) == "2025-12-31"


def test_no_color_is_honoured(dsn: str) -> None:
    on_a_terminal("--dsn", dsn, "queues", "pause", "mail")
    shown = on_a_terminal("--dsn", dsn, "status", NO_COLOR="1")
    assert "mail" in shown
    assert "\x1b" not in shown


def test_a_pipe_gets_no_colour(shell: Command) -> None:
    shell("queues", "pause", "mail")
    shown = shell("queues", "list").out
    assert "paused" in shown
    assert "\x1b" not in shown


def test_a_reader_that_leaves_early_is_no_accident(start: Start) -> None:
    process = start("migrate", "--sql")
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()


def test_an_expanded_list_has_a_line_for_each_value_and_cuts_nothing(
    pgqueue: Command, enqueue: Callable[..., str], conn: psycopg.Connection[Any]
) -> None:
    job_id = enqueue("send_receipt", "--queue", "q" * 300)
    lines = pgqueue("jobs", "list", "-x").out.splitlines()
    assert lines[0].startswith("-[ 1 ]-")
    assert lines[1].split() == ["ID", job_id]
    assert f"QUEUE       {'q' * 300}" in lines
    assert "…" in pgqueue("jobs", "list").out
    assert "q" * 300 in pgqueue("jobs", "list", "--wide").out
    assert pgqueue("jobs", "list").out.splitlines()[0].split()[:2] == ["ID", "STATE"]


# Those that only act, or whose answer is for the one who started them.
@pytest.mark.parametrize(
    ("words", "meant"),
    [(["job", "list"], "jobs"), (["jobs", "lst"], "list"), (["jobs", "list", "--statee", "dead"], "--state")],
)
def test_a_word_that_is_no_command_or_option_names_the_nearest(pgqueue: Command, words: list[str], meant: str) -> None:
    ran = pgqueue(*words)
    assert ran.code == 2
    assert meant in ran.err


def test_the_shell_can_complete_commands_and_options() -> None:
    program = os.path.join(os.path.dirname(sys.executable), "pgqueue")
    for typed, place, meant in (("pgqueue jo", "1", "jobs"), ("pgqueue jobs list --st", "3", "--state")):
        env = os.environ | {"_PGQUEUE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": place}
        ran = subprocess.run([program], env=env, capture_output=True, text=True, timeout=60)
        assert ran.stdout.split() == [meant], ran.stderr


def test_the_shell_can_complete_queues_and_tasks_and_says_nothing_where_no_database_answers(
    dsn: str, conn: psycopg.Connection[Any]
) -> None:
    program = os.path.join(os.path.dirname(sys.executable), "pgqueue")
    factories.enqueue(conn, queue="mail")
    run = "{shop.tasks:send}"
    conn.execute("insert into pgqueue.targets (hash, names) values ('h', %s)", [run])
    conn.commit()
    for typed, place, database, meant in (
        ("pgqueue queues pause ma", "3", dsn, ["mail"]),
        ("pgqueue jobs list -q m", "4", dsn, ["mail"]),
        ("pgqueue jobs list -t shop.tasks:s", "4", dsn, ["shop.tasks:send"]),
        ("pgqueue queues pause ma", "3", "postgresql://nobody@127.0.0.1:1/nothing", []),
    ):
        env = os.environ | {"_PGQUEUE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": place}
        ran = subprocess.run([program], env=env | {"PGQUEUE_DSN": database}, capture_output=True, text=True, timeout=60)
        assert (ran.stdout.split(), ran.stderr) == (meant, ""), typed
