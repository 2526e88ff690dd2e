"""The import from the projects themselves: their code makes their schema and their jobs, and their workers go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue as pgq
from pgqueue.store import Statement, execute, foreign_jobs
from pgqueue.store.connection import open_connection
from pgqueue.store.foreign_jobs import Table
from tests.cli.conftest import Command, Start
from tests.postgres import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.adopt

Conn = psycopg.Connection[Any]
Program = Callable[..., "subprocess.Popen[str]"]
TASKS = "tests.importing.tasks"
LATER = datetime(2099, 1, 2, 3, tzinfo=UTC)
PROGRAMS = {"procrastinate": "procrastinate_app", "pgqueuer": "pgqueuer_app", "django-tasks-db": "django_program"}
MAPS = {
    "procrastinate": f"shop.*={TASKS}:*",
    "pgqueuer": f"*={TASKS}:*",
    "django-tasks-db": f"tests.importing.django_app.*={TASKS}:*",
}


@pytest.fixture
def program(dsn: str) -> Iterator[Program]:
    """Start one of the other applications: `program("pgqueuer", "work")`. Ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def program(queue: str, *words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.adopted", f"tests.importing.{PROGRAMS[queue]}", *map(str, words)]
        pipe = subprocess.PIPE
        env = os.environ | {"PGQUEUE_DSN": dsn}
        started.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield program
    for each in started:
        each.kill()
        each.communicate()


def done(process: subprocess.Popen[str]) -> str:
    """What a program has printed when it is done."""
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    return out


def jobs(conn: Conn) -> dict[int, pgq.Job]:
    """The jobs here by their order."""
    ids = [row[0] for row in conn.execute("select id from pgqueue.jobs").fetchall()]
    found = [pgq.get_job(conn, each) for each in ids]
    return {job.args["order_id"] if isinstance(job.args, dict) and "order_id" in job.args else -1: job for job in found}


def run_all(pgqueue: Command) -> None:
    assert pgqueue("worker", "-A", TASKS, "-x", "thread", "-c", 2, "--burst").code == 0


def test_from_procrastinate_each_job_is_what_it_was(conn: Conn, program: Program, pgqueue: Command) -> None:
    done(program("procrastinate", "fill"))
    ran = pgqueue("import", "procrastinate", "--yes", "--map", MAPS["procrastinate"])
    assert ran.code == 0, ran.err
    assert "of 1: their priority is 0 or 9" in ran.err
    assert "of 2: their lock is a limit key" in ran.err
    found = jobs(conn)
    assert (found[2].run_at, found[2].queue, found[1].queue) == (LATER, "mail", "default")
    assert [found[n].priority for n in (1, 3, 4)] == [5, 7, 9]
    assert [found[n].limit_key for n in (4, 5, 6)] == [None, "lock:account 7", "lock:account 7"]
    assert found[7].unique_key == "only one"
    assert pgqueue("limits", "show", "lock:account 7").out.splitlines()[1].split() == ["ruled", "by", "lock:*"]
    assert conn.execute("select count(*) from procrastinate_jobs").fetchall() == [(0,)]
    assert conn.execute("select job_id from procrastinate_periodic_defers").fetchall() == [(None,)]
    # Their worker finds nothing to do, and its tables are as it knows them.
    done(program("procrastinate", "work"))
    pgq.cancel(conn, found[2].id)
    conn.execute("delete from pgqueue.jobs where target like '%%yearly'")
    run_all(pgqueue)
    ran_here = conn.execute("select order_id from ran where by = 'pgqueue' order by 1").fetchall()
    assert [row[0] for row in ran_here] == [1, 3, 4, 5, 6, 7]


def test_what_has_ended_in_procrastinate_is_not_read(conn: Conn, program: Program, dsn: str) -> None:
    done(program("procrastinate", "many", 10))
    ended = "insert into procrastinate_jobs (queue_name, task_name, status) select 'a', 'b', 'succeeded'"
    conn.execute(f"{ended} from generate_series(1, 20000)")
    conn.execute("vacuum analyze procrastinate_jobs")
    statement = foreign_jobs.waiting("procrastinate", Table("public", "procrastinate_jobs"), 5, 500, hold=True)
    with open_connection(dsn, "cli") as own, own.transaction():
        execute(own, foreign_jobs.begin_reading())
        plan = execute(own, Statement(f"explain {statement.sql}", statement.params, lambda rows: str(rows)))
    assert "procrastinate_jobs_id_lock_idx" in plan
    assert "Sort" not in plan


def test_a_job_of_procrastinate_that_is_to_be_retried_waits_as_long_here(
    conn: Conn, program: Program, pgqueue: Command
) -> None:
    done(program("procrastinate", "retry"))
    (when,) = conn.execute("select scheduled_at from procrastinate_jobs where status = 'todo'").fetchall()[0]
    assert pgqueue("import", "procrastinate", "--yes", "--map", MAPS["procrastinate"]).code == 0
    assert jobs(conn)[1].run_at == when


def test_from_pgqueuer_each_job_is_what_it_was(conn: Conn, program: Program, pgqueue: Command) -> None:
    done(program("pgqueuer", "fill"))
    ran = pgqueue("import", "pgqueuer", "--yes", "--map", MAPS["pgqueuer"], "--queue", "old")
    assert (ran.code, "--payload base64" in ran.err) == (1, True), ran.err
    question = """
    select args::text, priority, unique_key, queue from pgqueue.jobs order by (labels ->> 'imported_id')::int
    """
    assert conn.execute(question).fetchall() == [
        ('{"order_id":1}', 5, None, "old"),
        ('{"order_id":2}', 5, None, "old"),
        ("[3]", 8, None, "old"),
        ("[4]", 0, None, "old"),
        ('{"order_id":5}', 5, "only one", "old"),
        ("{}", 5, None, "old"),
    ]
    later = jobs(conn)[2].run_at
    assert later is not None
    assert later - datetime.now(UTC) > timedelta(hours=23)
    # Whoever waits for them there finds in the log that they are gone.
    assert conn.execute("select count(*) from pgqueuer_log where status = 'deleted'").fetchall() == [(6,)]
    assert pgqueue("import", "pgqueuer", "--yes", "--map", MAPS["pgqueuer"], "--payload", "base64").code == 0
    assert conn.execute("select count(*) from pgqueuer").fetchall() == [(0,)]
    raw = conn.execute("select args::text from pgqueue.jobs where target like '%%raw' order by id").fetchall()
    assert raw == [('["/wAgbm8gdGV4dA=="]',), ('["bm8ganNvbg=="]',)]


def test_from_django_tasks_db_each_task_is_what_it_was_and_has_its_id(
    conn: Conn, program: Program, pgqueue: Command
) -> None:
    ids = [UUID(line) for line in done(program("django-tasks-db", "fill")).split()]
    words = ("import", "django-tasks-db", "--yes", "--map", MAPS["django-tasks-db"])
    ran = pgqueue(*words)
    assert ran.code == 0, ran.err
    found = [pgq.get_job(conn, each) for each in ids]
    assert [job.args for job in found] == [
        [1], {"order_id": 2}, {"order_id": 3}, {"order_id": 4}, {"order_id": 5}, {"*": [6], "kind": "mixed"},
    ]  # fmt: skip
    assert [job.priority for job in found] == [5, 5, 5, 9, 3, 5]
    assert (found[2].run_at, found[2].queue) == (LATER, "mail")
    due = found[0].run_at
    assert due is not None
    assert datetime.now(UTC) - due < timedelta(minutes=5)
    assert conn.execute("select count(*) from django_tasks_database_dbtaskresult").fetchall() == [(0,)]


def test_with_its_app_a_mixed_call_is_written_by_the_names_of_its_task(
    conn: Conn, program: Program, pgqueue: Command
) -> None:
    done(program("django-tasks-db", "fill"))
    assert pgqueue("import", "django-tasks-db", "--yes", "-A", TASKS, "--map", MAPS["django-tasks-db"]).code == 0
    assert jobs(conn)[6].args == {"order_id": 6, "kind": "mixed"}
    pgq.cancel(conn, jobs(conn)[3].id)
    run_all(pgqueue)
    assert sorted(row[0] for row in conn.execute("select order_id from ran").fetchall()) == [1, 2, 4, 5, 6]


@pytest.mark.parametrize("queue", PROGRAMS)
def test_while_its_workers_work_and_imports_are_killed_each_job_runs_once(
    queue: str, conn: Conn, program: Program, start: Start, pgqueue: Command
) -> None:
    number = 400
    done(program(queue, "many", number))
    working = program(queue, "work")
    wait_until(lambda: ran_by(conn, queue) > 5, 60, "their worker works")
    words = ("import", queue, "--yes", "--batch", 5, "--map", MAPS[queue])
    cut = start(*words)
    wait_until(lambda: len(jobs(conn)) > 20 or cut.poll() is not None, 30, "the import has begun")
    cut.send_signal(signal.SIGKILL)
    assert pgqueue(*words).code == 0
    done(working)
    run_all(pgqueue)
    # What was just being moved when the import was killed.
    done(program(queue, "work"))
    rows = conn.execute("select order_id, by from ran order by 1").fetchall()
    assert [row[0] for row in rows] == list(range(number))
    assert {row[1] for row in rows} == {queue, "pgqueue"}


def ran_by(conn: Conn, queue: str) -> int:
    return int(conn.execute("select count(*) from ran where by = %s", [queue]).fetchall()[0][0])
