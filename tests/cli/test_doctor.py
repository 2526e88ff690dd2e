"""`pgqueue doctor`: what it prints, and its exit codes."""

from __future__ import annotations

import subprocess

import psycopg

from pgqueue.doctor import CHECKS
from tests.cli.conftest import Command
from tests.factories import enqueue

QUIET_ONES = "schema,indexes,grants,horizon,leases,orphans"


def test_every_check_has_a_line(pgqueue: Command) -> None:
    ran = pgqueue("doctor")
    lines = [line for line in ran.out.splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in lines[:-1]] == [check.name for check in CHECKS]
    # The tests' server is not durable.
    assert ran.code == 1
    assert "FAIL    settings         fsync is off" in ran.out
    assert "→ alter system set fsync = on; select pg_reload_conf();" in ran.out
    assert lines[-1].endswith(" FAIL")


def test_only_some_checks_are_asked_and_all_well_ends_with_0(pgqueue: Command) -> None:
    ran = pgqueue("doctor", "--only", QUIET_ONES, "--only", "oldest")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "7 ok")
    assert pgqueue("doctor", "--only", QUIET_ONES, "--quiet").out == ""


def test_a_check_that_is_not_there_is_a_mistake_of_the_caller(pgqueue: Command) -> None:
    ran = pgqueue("doctor", "--only", "horizont")
    assert (ran.code, "did you mean horizon?" in ran.err) == (2, True)


def test_what_is_wrong_is_found_and_mended_by_the_printed_script(pgqueue: Command, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("drop index pgqueue.jobs_lane; drop function pgqueue.cancel(uuid)")
        ran = pgqueue("doctor", "--only", QUIET_ONES, "--quiet")
        assert ran.code == 1
        assert ran.out.splitlines()[-1] == "4 ok, 2 FAIL"
        assert "FAIL    indexes          jobs_lane is missing\n" in ran.out
        script = pgqueue("doctor", "--only", QUIET_ONES, "--fix-sql")
        assert script.code == 1
        assert pgqueue("doctor", "--only", QUIET_ONES).code == 1, "it was printed, not run"
        subprocess.run(["psql", dsn, "-v", "ON_ERROR_STOP=1", "-q"], input=script.out, text=True, check=True)
    assert pgqueue("doctor", "--only", QUIET_ONES).code == 0


def test_a_cure_that_is_no_sql_is_a_comment_of_the_script(pgqueue: Command, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        enqueue(conn, queue="mail")
    script = pgqueue("doctor", "--only", "queues_unserved", "--fix-sql").out
    assert script.splitlines() == [
        "-- queues_unserved: jobs are due in mail, and no worker runs",
        "-- pgqueue worker -A shop.tasks",
    ]


def test_verdicts_are_json_for_programs(pgqueue: Command) -> None:
    found = pgqueue("doctor", "--only", "schema,tls", "--json").json
    assert [(each["check"], each["status"], each["cure"], each["sql"]) for each in found] == [
        ("schema", "ok", None, []),
        ("tls", "ok", None, []),
    ]


def test_a_database_without_the_schema_is_examined_all_the_same(pgqueue: Command, bare_dsn: str) -> None:
    ran = pgqueue("doctor", "--dsn", bare_dsn, "--only", "server,schema,oldest")
    assert ran.code == 1
    assert "FAIL    schema           this database has no schema pgqueue\n" in ran.out
    assert "→ pgqueue migrate" in ran.out


def test_a_database_that_cannot_be_reached_ends_with_3(pgqueue: Command) -> None:
    assert pgqueue("doctor", "--dsn", "postgresql://nobody@127.0.0.1:1/nothing").code == 3


def test_what_would_steer_a_terminal_is_escaped(pgqueue: Command, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        enqueue(conn, queue="\x1b[31m\n; touch hacked")
    for words in ([], ["--fix-sql"]):
        printed = pgqueue("doctor", "--only", "queues_unserved,oldest", *words).out
        assert "\x1b" not in printed
        assert "\n;" not in printed
