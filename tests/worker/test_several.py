"""One worker for several databases: each is served as by a worker of its own, and none is hurt by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgqueue
from pgqueue.embedded import Server
from pgqueue.errors import OptionError, UsageError
from pgqueue.events import DatabaseLost, Trouble, WorkerStarted
from pgqueue.worker import Worker
from pgqueue.worker.supervision.ending import STOPPED
from tests.postgres import Databases
from tests.waiting import wait_until
from tests.worker.running import ONE_KIND, TWO_KINDS, Desk, ThreadedWorker

HOME = "tests.worker.home_tasks"


class Shop:
    """A database of several, and how to reach it."""

    def __init__(self, name: str, dsn: str) -> None:
        self.name, self.dsn = name, dsn
        self.conn = psycopg.connect(dsn, autocommit=True)
        self.desk = Desk(self.conn)
        self.desk.make_effects()


Open = Callable[[], Shop]


@pytest.fixture
def open_shop(databases: Databases, server: Server) -> Iterator[Open]:
    opened: list[Shop] = []

    def open_shop() -> Shop:
        name = databases.create()
        opened.append(Shop(name, server.dsn(name, tcp=True)))
        return opened[-1]

    yield open_shop
    for shop in opened:
        shop.conn.close()
        databases.drop(shop.name)


@pytest.fixture
def start() -> Iterator[Callable[..., ThreadedWorker]]:
    started: list[ThreadedWorker] = []

    def start(*shops: Shop, **options: Any) -> ThreadedWorker:
        given: dict[str, Any] = {"executor": "thread", "app": [HOME, "tests.worker.errands"], **options}
        started.append(ThreadedWorker([shop.dsn for shop in shops], **given))
        return started[-1]

    yield start
    for worker in started:
        worker.stop()


def await_serving(worker: ThreadedWorker, *shops: Shop) -> None:
    def serves() -> bool:
        return {each.database.rpartition("/")[2] for each in worker.heard(WorkerStarted)} >= {s.name for s in shops}

    wait_until(serves, 20, "the worker serves all of them")


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_job_is_at_home_in_the_database_that_it_comes_from(
    kind: str, open_shop: Open, start: Callable[..., ThreadedWorker]
) -> None:
    shops = [open_shop(), open_shop()]
    worker = start(*shops, executor=kind)
    # A copy of a database has jobs with the same ids.
    same = {name: uuid4() for name in ("where", "where_async", "where_transaction", "where_transaction_async")}
    for shop in shops:
        for name, job_id in same.items():
            shop.desk.send(f"{HOME}:{name}", job_id=job_id)
        shop.desk.send(f"{HOME}:once")
        shop.desk.send("effect", int(shop.name.rpartition("_")[2]))
    for shop in shops:
        for name, job_id in same.items():
            said = pgqueue.result(shop.conn, job_id, timeout=15)
            assert (said["connect"] if isinstance(said, dict) else said) == shop.name, name
            if isinstance(said, dict):
                assert shop.desk.one("select count(*) from pgqueue.job where id = %s", said["born"]) == 1
        shop.desk.await_all_ended()
        shop.desk.check_effects([int(shop.name.rpartition("_")[2])])
        # Each once, and the two that were born.
        assert shop.desk.values("select distinct state from pgqueue.job") == ["succeeded"]
        assert shop.desk.one("select count(*) from pgqueue.attempts") == 8
        assert len(shop.desk.workers()) == 1
    assert worker.stop() == STOPPED
    assert [shop.desk.workers() for shop in shops] == [[], []]


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_what_jobs_say_is_kept_in_their_own_database(
    kind: str, open_shop: Open, start: Callable[..., ThreadedWorker]
) -> None:
    shops = [open_shop(), open_shop()]
    start(*shops, executor=kind)
    same = uuid4()
    for shop in shops:
        shop.desk.send(f"{HOME}:show_and_nap", 0.3, job_id=same)
    for shop in shops:
        shop.desk.await_state(same)
        wait_until(lambda: shop.desk.values("select line from pgqueue.job_logs"), 5)  # noqa: B023, waited for here
        assert shop.desk.values("select line from pgqueue.job_logs") == [f"at home in {shop.name}"]


def test_a_backlog_in_one_database_does_not_keep_another_waiting(
    open_shop: Open, start: Callable[..., ThreadedWorker]
) -> None:
    busy, other = open_shop(), open_shop()
    worker = start(busy, other, concurrency=4)
    await_serving(worker, busy, other)
    backlog = busy.desk.send_many([pgqueue.NewJob("tests.worker.errands:work", [0.05]) for _ in range(400)])
    wait_until(lambda: busy.desk.one("select count(*) > 20 from pgqueue.attempts"), 10)
    sent = other.desk.send_many([pgqueue.NewJob("tests.worker.errands:work", [0.05]) for _ in range(8)])
    other.desk.await_all_ended(10)
    # Half of the slots are its own: eight jobs on two of them, and at most one turn before that.
    done = busy.desk.one("select count(*) from pgqueue.attempts")
    assert done < len(backlog) - 100
    waited = "select extract(epoch from max(finished_at) - min(created_at)) from pgqueue.job"
    assert float(other.desk.one(waited)) < 1.5
    assert len(sent) == 8


def test_a_free_slot_goes_to_the_database_that_has_fewer(open_shop: Open, start: Callable[..., ThreadedWorker]) -> None:
    busy, other = open_shop(), open_shop()
    worker = start(busy, other, concurrency=2)
    await_serving(worker, busy, other)
    busy.desk.send_many([pgqueue.NewJob("tests.worker.errands:work", [0.4]) for _ in range(8)])
    wait_until(lambda: busy.desk.one("select count(*) = 2 from pgqueue.jobs where worker is not null"), 10)
    job = other.desk.await_state(other.desk.send("work", 0.4))
    busy.desk.await_all_ended()
    # Two ran when it came, and one may have begun beside it: both slots came free in the same moment.
    between = "select count(*) from pgqueue.attempts where started_at > %s and started_at < %s"
    assert busy.desk.one(between, job.created_at, job.started_at) <= 1


def test_a_database_that_is_away_or_has_no_schema_hurts_no_other_and_comes_by_itself(
    open_shop: Open, start: Callable[..., ThreadedWorker], databases: Databases, server: Server
) -> None:
    shop, bare, old = open_shop(), open_shop(), open_shop()
    bare.conn.execute("alter schema pgqueue rename to elsewhere")
    (revision,) = old.conn.execute("select version_num from pgqueue.alembic_version").fetchone()  # type: ignore[misc]
    old.conn.execute("update pgqueue.alembic_version set version_num = '0001'")
    away = Shop.__new__(Shop)
    away.name, away.dsn = "test_not_yet", server.dsn("test_not_yet", tcp=True)
    worker = start(shop, bare, old, away)
    await_serving(worker, shop)
    job = shop.desk.send("work")
    shop.desk.await_state(job)
    wait_until(lambda: len({each.role for each in worker.heard(DatabaseLost)}) == 3, 10, "each of the others was told")
    assert worker.worker._health().databases == "for 1 of 4 databases"
    bare.conn.execute("alter schema elsewhere rename to pgqueue")
    old.conn.execute("update pgqueue.alembic_version set version_num = %s", [revision])
    shop.conn.execute("create database test_not_yet template pgqueue_template")
    try:
        await_serving(worker, shop, bare, old, away)
        for each in (bare, old):
            each.desk.await_state(each.desk.send("work"))
    finally:
        worker.stop()
        databases.drop("test_not_yet")


def test_a_file_of_databases_is_read_again(
    open_shop: Open, start: Callable[..., ThreadedWorker], tmp_path: Path
) -> None:
    first, second = open_shop(), open_shop()
    file = tmp_path / "databases"
    file.write_text(f"# tenants\n\n{first.dsn}\n")
    worker = start(dsn_file=file)
    await_serving(worker, first)
    file.write_text(f"{first.dsn}\n{second.dsn}\n")
    await_serving(worker, second)
    second.desk.await_state(second.desk.send("work"))
    # What cannot be read changes nothing, and no password is told.
    file.write_text("postgresql://u:hu@sh49@host/db\n")
    wait_until(lambda: worker.heard(Trouble), 5, "the trouble is told")
    assert "sh49" not in str(worker.events)
    assert "line 1" in worker.heard(Trouble)[-1].error
    first.desk.await_state(first.desk.send("work"))
    # Who is no longer named is left, when its jobs have ended.
    running = first.desk.send("work", 0.7)
    first.desk.await_state(running, "running")
    file.write_text(f"{second.dsn}\n")
    wait_until(lambda: not first.desk.workers(), 10, "it is left")
    assert first.desk.outcomes(running) == ["succeeded"]
    job = first.desk.send("work")
    second.desk.await_state(second.desk.send("work"))
    assert first.desk.job(job).state == "ready"
    file.write_text(f"{second.dsn}\n{first.dsn}\n")
    first.desk.await_state(job)


def test_a_file_that_names_no_database_is_told_and_read_again(
    open_shop: Open, start: Callable[..., ThreadedWorker], tmp_path: Path
) -> None:
    file = tmp_path / "databases"
    file.write_text("# none yet\n")
    worker = start(dsn_file=file)
    wait_until(lambda: worker.heard(Trouble), 5, "it is told")
    assert "names no database" in worker.heard(Trouble)[0].error
    shop = open_shop()
    file.write_text(f"{shop.dsn}\n")
    await_serving(worker, shop)


def test_who_is_asked_to_stop_in_one_database_leaves_that_one(
    open_shop: Open, start: Callable[..., ThreadedWorker]
) -> None:
    left, kept = open_shop(), open_shop()
    worker = start(left, kept, lease=1.5)
    await_serving(worker, left, kept)
    left.conn.execute("update pgqueue.workers set asked = 'stop'")
    wait_until(lambda: not left.desk.workers(), 10, "it is left")
    kept.desk.await_state(kept.desk.send("work"))
    wait_until(lambda: worker.worker._health().databases == "for 1 of 1 databases", 5, "one is left")
    kept.conn.execute("update pgqueue.workers set asked = 'stop'")
    assert worker.join() == STOPPED


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_lost_lease_ends_the_jobs_of_its_database_alone(
    kind: str, open_shop: Open, start: Callable[..., ThreadedWorker]
) -> None:
    robbed, other = open_shop(), open_shop()
    nap = "work_async" if kind == "async" else "work"
    worker = start(robbed, other, executor=kind, concurrency=4, lease=1.5)
    await_serving(worker, robbed, other)
    taken, going_on = robbed.desk.send(nap, 1.5), other.desk.send(nap, 1.5)
    robbed.desk.await_state(taken, "running")
    other.desk.await_state(going_on, "running")
    robbed.conn.execute("update pgqueue.workers set expires_at = now() - interval '1 second'")
    robbed.conn.execute("select pgqueue.reap()")
    other.desk.await_state(going_on, timeout=15)
    assert other.desk.outcomes(going_on) == ["succeeded"]
    robbed.desk.await_state(taken, timeout=15)
    assert robbed.desk.outcomes(taken)[-1] == "succeeded"
    assert set(robbed.desk.outcomes(taken)[:-1]) <= {"lost", "late", "released"}
    assert len(other.desk.workers()) == len(robbed.desk.workers()) == 1


def test_a_stop_lets_the_jobs_of_all_databases_finish(open_shop: Open, start: Callable[..., ThreadedWorker]) -> None:
    shops = [open_shop(), open_shop()]
    worker = start(*shops, concurrency=2)
    jobs = [shop.desk.send("work", 0.5) for shop in shops]
    for shop, job in zip(shops, jobs, strict=True):
        shop.desk.await_state(job, "running")
    assert worker.stop() == STOPPED
    for shop, job in zip(shops, jobs, strict=True):
        assert shop.desk.outcomes(job) == ["succeeded"]
        assert shop.desk.workers() == []


def test_a_burst_ends_when_nothing_is_due_anywhere(open_shop: Open, start: Callable[..., ThreadedWorker]) -> None:
    shops = [open_shop(), open_shop()]
    jobs = [[shop.desk.send("work") for _ in range(20)] for shop in shops]
    assert start(*shops, burst=True).join() == STOPPED
    for shop, sent in zip(shops, jobs, strict=True):
        shop.desk.check_books(sent, succeeded=20)


def test_a_burst_says_by_its_code_that_a_database_was_not_reached(
    open_shop: Open, start: Callable[..., ThreadedWorker]
) -> None:
    shop = open_shop()
    job = shop.desk.send("work")
    away = Shop.__new__(Shop)
    away.dsn = make_conninfo(shop.dsn, port="1")
    assert start(shop, away, burst=True).join() == 3
    assert shop.desk.outcomes(job) == ["succeeded"]


def test_what_makes_no_sense_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="knows no database"):
        Worker([])
    with pytest.raises(OptionError, match="poll_only=True"):
        Worker(["host=a", "host=b"], listen_dsn="host=c")
    with pytest.raises(UsageError, match="DSN 2"):
        Worker(["host=a", "postgresql://u:p@w@host/db"])
    with pytest.raises(UsageError, match="500 databases at most, got 501"):
        Worker([f"host=a dbname=tenant{number}" for number in range(501)])
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        Worker(dsn_file=tmp_path / "none", executor="thread").run()
