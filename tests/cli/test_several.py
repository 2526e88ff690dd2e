"""Commands that take several databases: a worker, and those that look."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgqueue.client import enqueue_many
from pgqueue.job import NewJob
from tests.cli.conftest import Command


def enqueue(dsn: str, count: int) -> None:
    with psycopg.connect(dsn) as conn:
        enqueue_many(conn, [NewJob("tests.worker.errands:work") for _ in range(count)])


def test_one_worker_works_in_all_that_are_named(pgqueue: Command, dsns: list[str], tmp_path: Path) -> None:
    for dsn in dsns:
        enqueue(dsn, 5)
    file = tmp_path / "tenants"
    file.write_text(f"{dsns[1]}\n")
    run = pgqueue(
        "worker", "-A", "tests.worker.errands", "-x", "thread", "--burst", "--dsn", dsns[0], "--dsn-file", str(file)
    )
    assert run.code == 0, run.err
    for dsn in dsns:
        with psycopg.connect(dsn) as conn:
            assert conn.execute("select count(*) from pgqueue.job where state = 'succeeded'").fetchone() == (5,)


def test_status_has_a_line_a_database_and_says_which_one_does_not_answer(pgqueue: Command, dsns: list[str]) -> None:
    enqueue(dsns[0], 3)
    away = make_conninfo(dsns[1], port="1")
    options = [word for dsn in (*dsns, away) for word in ("--dsn", dsn)]
    run = pgqueue("status", *options)
    assert run.code == 3
    lines = run.out.splitlines()
    assert len(lines) == 4
    assert lines[1].split()[1] == "3"
    assert "no connection to" in lines[3]
    first, second, third = json.loads(pgqueue("status", "--json", *options).out)
    assert (first["ready"], second["ready"]) == (3, 0)
    assert "no connection" in third["error"]


def test_an_alarm_is_told_a_database(pgqueue: Command, dsns: list[str]) -> None:
    enqueue(dsns[1], 3)
    run = pgqueue("status", "--max-depth", "2", "--dsn", dsns[0], "--dsn", dsns[1])
    assert run.code == 1
    first, second = run.out.splitlines()
    assert first.endswith(": OK")
    assert "ALARM: 3 jobs are ready in default" in second


def test_doctor_has_a_section_a_database(pgqueue: Command, dsns: list[str]) -> None:
    away = make_conninfo(dsns[1], port="1")
    run = pgqueue("doctor", "--only", "schema", "--dsn", dsns[0], "--dsn", dsns[1], "--dsn", away)
    assert run.code == 3
    assert run.out.count("ok      schema") == 2
    assert "no connection to" in run.err
    told = json.loads(pgqueue("doctor", "--json", "--only", "schema", "--dsn", dsns[0], "--dsn", away).out)
    assert [len(each["verdicts"]) for each in told] == [1, 0]


def test_a_file_that_cannot_be_read_is_a_wrong_option(pgqueue: Command, tmp_path: Path) -> None:
    run = pgqueue("status", "--dsn-file", str(tmp_path / "none"))
    assert run.code == 2
    assert "cannot be read: No such file" in run.err
