"""`pgqueue import`: each batch moves as a whole, and what cannot move stays and is told of."""

from __future__ import annotations

import json
import shlex
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgqueue as pgq
from pgqueue.acting import Actor
from pgqueue.importing import SOURCES, Terms, move
from tests.cli.conftest import Start
from tests.conftest import Connect
from tests.docs.pages import blocks_of
from tests.importing.conftest import Command
from tests.postgres import ROOT
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]
GUIDE = ROOT / "docs" / "guides" / "from-procrastinate.md"
TASKS = "tests.importing.tasks"
MAP = ("--map", f"shop.*={TASKS}:*")

# The columns that the import reads. Whether they are as the projects have them: see test_real_queues.py.
TABLE = """
create table procrastinate_jobs (
  id bigserial primary key, queue_name varchar(128) not null default 'default', task_name varchar(128) not null,
  priority int not null default 0, lock text, queueing_lock text, args jsonb not null default '{}',
  status text not null default 'todo', scheduled_at timestamptz, attempts int not null default 0)
"""

# As somebody may put on our table.
REFUSING = """
create function refuse() returns trigger language plpgsql as $$
begin
  if new.args ->> 'order_id' = '3' then raise exception 'no third order'; end if;
  return new;
end $$;
create trigger refuse before insert on pgqueue.jobs for each row execute function refuse();
"""


@pytest.fixture
def source(conn: Conn) -> Conn:
    conn.execute(TABLE)
    return conn


def defer(conn: Conn, *order_ids: int, task: str = "shop.send", **columns: Any) -> None:
    names = ", ".join(["task_name", "args", *columns])
    marks = ", ".join(["%s"] * (2 + len(columns)))
    with conn.cursor() as cursor:
        rows = [(task, json.dumps({"order_id": n}), *columns.values()) for n in order_ids]
        cursor.executemany(f"insert into procrastinate_jobs ({names}) values ({marks})", rows)  # type: ignore[arg-type]


def there(conn: Conn) -> int:
    return int(conn.execute("select count(*) from procrastinate_jobs where status = 'todo'").fetchall()[0][0])


def here(conn: Conn) -> list[int]:
    """The orders whose jobs wait here, in the order in which they will run."""
    rows = conn.execute("select (args ->> 'order_id')::int from pgqueue.jobs order by priority desc, run_at, id")
    return [row[0] for row in rows.fetchall()]


def test_what_waits_moves_in_order_and_nothing_else_does(source: Conn, pgqueue: Command) -> None:
    defer(source, *range(1, 8))
    for status in ("doing", "succeeded", "failed", "cancelled"):
        defer(source, 99, status=status)
    ran = pgqueue("import", "procrastinate", "--yes", "--batch", 3, *MAP, "--reason", "we switch")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1].split() == ["shop.send", f"{TASKS}:send", "7"]
    assert here(source) == [1, 2, 3, 4, 5, 6, 7]
    assert source.execute("select distinct status from procrastinate_jobs order by 1").fetchall() == [
        ("cancelled",), ("doing",), ("failed",), ("succeeded",),
    ]  # fmt: skip
    labels = source.execute("select labels from pgqueue.jobs order by id limit 1").fetchall()
    assert labels == [({"imported_from": "procrastinate", "imported_id": "1"},)]
    audited = source.execute("select action, n, reason, job_ids is not null from pgqueue.audit order by id").fetchall()
    assert audited == [("import procrastinate", n, "we switch", True) for n in (3, 3, 1)]
    again = pgqueue("import", "procrastinate", "--yes")
    assert (again.code, again.out) == (0, "Nothing was moved.\n")


def test_a_dry_run_says_the_same_and_does_nothing(source: Conn, pgqueue: Command) -> None:
    defer(source, *range(1200))
    defer(source, 1, 2, 3, 4, task="sum")
    ran = pgqueue("import", "procrastinate", "--dry-run", "--json", *MAP)
    assert ran.code == 1
    assert ran.json["moved"] == 1200
    (left,) = ran.json["left"]
    assert (left["name"], left["jobs"], len(left["ids"])) == ("sum", 4, 3)
    assert "--map 'NAME=module:function'" in left["why"]
    assert (there(source), here(source)) == (1204, [])
    assert source.execute("select count(*) from pgqueue.audit").fetchall() == [(0,)]


def test_the_guide_shows_what_is_printed(source: Conn, pgqueue: Command) -> None:
    (shown,) = [block for block in blocks_of(GUIDE) if "pgqueue import" in block.text]
    command, *lines = shown.text.splitlines()
    name, _, number = lines[-1].split()
    source.execute(
        "insert into procrastinate_jobs (task_name) select %s from generate_series(1, %s)", [name, int(number)]
    )
    assert pgqueue(*shlex.split(command)[2:]).out.splitlines() == lines


def test_without_yes_it_asks_first(source: Conn, pgqueue: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    defer(source, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = pgqueue("import", "procrastinate", *MAP)
    assert (ran.code, "nothing was done" in ran.err, there(source)) == (1, True, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert pgqueue("import", "procrastinate", *MAP).code == 0
    assert (there(source), here(source)) == (0, [1])


def test_rules_of_a_file_a_glob_of_names_and_a_queue_for_all(source: Conn, pgqueue: Command, tmp_path: Path) -> None:
    defer(source, 1, task="send", queue_name="mail")
    defer(source, 2, task="shop.later")
    file = tmp_path / "rules"
    file.write_text(f"send = {TASKS}:send   # one name\n")
    assert pgqueue("import", "procrastinate", "--yes", "--map-file", file, "--only", "s*d", "--queue", "new").code == 0
    assert source.execute("select target, queue from pgqueue.jobs").fetchall() == [(f"{TASKS}:send", "new")]
    assert there(source) == 1


def test_with_an_app_only_calls_that_its_tasks_can_take_move(source: Conn, pgqueue: Command) -> None:
    defer(source, 1)
    defer(source, 2, task="shop.sned")
    defer(source, 3, task="shop.draw")
    ran = pgqueue("import", "procrastinate", "--yes", "-A", TASKS, *MAP)
    assert (ran.code, there(source), here(source)) == (1, 2, [1])
    assert f"did you mean {TASKS}:send" in ran.err
    assert "its arguments are draw(path: 'str')" in ran.err


def test_one_bad_row_keeps_none_of_the_others(source: Conn, pgqueue: Command) -> None:
    defer(source, 1, 2)
    source.execute("insert into procrastinate_jobs (task_name, args) values ('shop.send', '[1]')")
    source.execute(
        "insert into procrastinate_jobs (task_name, args) values ('shop.send', %s)", [f'{{"n": {"1" * 5000}}}']
    )
    source.execute(
        "insert into procrastinate_jobs (task_name, args) values ('shop.send', %s)",
        ['{"x": "' + "a" * 2_000_000 + '"}'],
    )
    source.execute("insert into procrastinate_jobs (task_name, queueing_lock) values ('shop.send', %s)", ["k" * 5000])
    source.execute("insert into procrastinate_jobs (task_name, queue_name) values ('shop.send', '')")
    source.execute("insert into procrastinate_jobs (task_name, scheduled_at) values ('shop.send', 'infinity')")
    source.execute("insert into procrastinate_jobs (task_name) values ('os.system'), ('a b.c'), ('<lambda>')")
    defer(source, 3)
    ran = pgqueue("import", "procrastinate", "--yes", "--map", f"shop.send={TASKS}:send", "--json")
    assert ran.code == 1
    assert {1, 2, 3} <= set(here(source))
    assert ran.json["moved"] + ran.json["skipped"] == 12
    assert there(source) == ran.json["skipped"] > 5


def test_a_job_that_the_database_refuses_holds_up_no_other(source: Conn, pgqueue: Command) -> None:
    source.execute(REFUSING)
    defer(source, *range(1, 8))
    ran = pgqueue("import", "procrastinate", "--yes", "--batch", 5, *MAP, "--json")
    assert (ran.code, here(source), there(source)) == (1, [1, 2, 4, 5, 6, 7], 1)
    (left,) = ran.json["left"]
    assert (left["ids"], left["why"]) == (["3"], "the database refused it: no third order")


def test_a_unique_key_that_is_taken_keeps_its_job_where_it_is(source: Conn, pgqueue: Command) -> None:
    defer(source, 1, queueing_lock="nightly")
    defer(source, 2)
    pgq.enqueue(source, f"{TASKS}:send", {"order_id": 9}, unique_key="nightly")
    ran = pgqueue("import", "procrastinate", "--yes", *MAP)
    assert (ran.code, "has its unique key here" in ran.err, there(source)) == (1, True, 1)
    assert sorted(here(source)) == [2, 9]


def test_what_a_worker_there_holds_is_left_to_it(source: Conn, pgqueue: Command, connect: Connect) -> None:
    defer(source, 1, 2, 3)
    with connect() as worker:
        worker.execute("select from procrastinate_jobs where id = 2 for update")
        assert pgqueue("import", "procrastinate", "--yes", *MAP).code == 0
        assert here(source) == [1, 3]
    assert there(source) == 1


def test_a_full_queue_stops_it_and_keeps_what_has_moved(source: Conn, pgqueue: Command) -> None:
    pgq.set_max_size(source, "default", 5)
    defer(source, *range(9))
    ran = pgqueue("import", "procrastinate", "--yes", "--batch", 2, *MAP)
    assert (ran.code, "full" in ran.err) == (1, True)
    assert (there(source), here(source)) == (5, [0, 1, 2, 3])


def test_killed_in_the_middle_it_loses_and_doubles_nothing_and_goes_on(
    source: Conn, start: Start, pgqueue: Command
) -> None:
    defer(source, *range(1000))
    process = start("import", "procrastinate", "--yes", "--batch", 2, *MAP)
    wait_until(lambda: len(here(source)) > 20, 30)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    wait_until(lambda: _nobody_else(source))
    assert len(here(source)) + there(source) == 1000
    assert there(source) > 0
    assert pgqueue("import", "procrastinate", "--yes", *MAP).code == 0
    assert here(source) == list(range(1000))


@pytest.mark.faults
def test_interrupted_it_says_what_has_moved_by_then(source: Conn, start: Start) -> None:
    defer(source, *range(1000))
    process = start("import", "procrastinate", "--yes", "--batch", 2, "--json", *MAP)
    wait_until(lambda: len(here(source)) > 20, 30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, "the same command goes on" in err) == (130, True), err
    assert json.loads(out)["moved"] == len(here(source)) < 1000
    assert len(here(source)) + there(source) == 1000


def _nobody_else(conn: Conn) -> bool:
    question = "select count(*) from pg_stat_activity where application_name like 'pgqueue cli%'"
    return bool(conn.execute(question).fetchall()[0][0] == 0)


def test_two_imports_at_once_share_the_work(source: Conn, connect: Connect) -> None:
    defer(source, *range(1000))
    terms = Terms(source=SOURCES["procrastinate"])
    conns = [connect(autocommit=True) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(move, each, terms, Actor("a", "test"), batch=7, after=lambda _: None) for each in conns]
        reports = [each.result(60) for each in both]
    assert sum(report.moved for report in reports) == 1000
    assert all(report.moved for report in reports)
    assert (sorted(here(source)), there(source)) == (list(range(1000)), 0)


def test_wrong_words_are_told_before_anything_is_done(conn: Conn, pgqueue: Command) -> None:
    ran = pgqueue("import", "procrastinate")
    assert (ran.code, "there is no table procrastinate_jobs" in ran.err) == (2, True)
    for words, said in (
        (("celery",), "procrastinate"),
        (("procrastinate", "--payload", "text"), "--payload"),
        (("procrastinate", "--map", "send"), "OLD=NEW"),
        (("procrastinate", "--table", "pgqueue."), "there is no table"),
        (("procrastinate", "--table", "other.jobs"), "no table other.jobs"),
    ):
        ran = pgqueue("import", *words)
        assert (ran.code, said in ran.err) == (2, True), ran.err


def test_a_table_may_stand_in_any_schema_or_under_any_name(source: Conn, pgqueue: Command) -> None:
    defer(source, 1)
    source.execute("create schema old")
    source.execute("create table old.procrastinate_jobs (like procrastinate_jobs including all)")
    ran = pgqueue("import", "procrastinate", "--yes")
    assert (ran.code, "--table old.procrastinate_jobs, or public.procrastinate_jobs" in ran.err) == (2, True)
    assert pgqueue("import", "procrastinate", "--yes", "--table", "public.procrastinate_jobs", *MAP).code == 0
    assert here(source) == [1]
