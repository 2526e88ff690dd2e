"""Schedulers: each tick fires once, however many there are, whatever dies, and whose zones are newer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pgqueue import enqueue, schedule
from pgqueue.cron import tzdata_version
from pgqueue.events import Event, Trouble
from pgqueue.store import execute, schedules
from pgqueue.worker.upkeep.scheduler import LOOK_EVERY, Scheduler
from tests.conftest import Connect
from tests.factories import Conn, count
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.running import ONE_KIND, Desk, StartProcess, StartThreaded

TARGET = "tests.worker.errands:work"


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def rewind(conn: Conn, length: timedelta, name: str = "s") -> None:
    """As if nobody had looked at a schedule since so long ago."""
    conn.execute(
        "update pgqueue.schedules set last_at = last_at - %(by)s, next_at = least(next_at - %(by)s, now())"
        " where name = %(name)s",
        {"by": length, "name": name},
    )


def look(conn: Conn, scheduler: Scheduler | None = None) -> float:
    """Look until there is nothing more to decide; answers the seconds until the next look."""
    scheduler = scheduler or Scheduler(lambda event: None, 5.0)
    while (wait := scheduler.look(conn)) == 0:
        continue
    return wait


def whys(conn: Conn, name: str = "s") -> list[str]:
    return [tick.why for tick in reversed(execute(conn, schedules.history(name, 10_000)))]


def test_a_new_schedule_is_planned_and_waited_for(db: Conn) -> None:
    schedule(db, "s", TARGET, every=3)
    wait = look(db)
    assert 1 < wait <= 3
    assert whys(db) == []
    found = execute(db, schedules.get("s"))
    assert found is not None
    assert found.next_at == found.last_at + timedelta(seconds=3)
    assert found.tzdata == tzdata_version()


def test_without_schedules_a_look_comes_every_few_seconds(db: Conn) -> None:
    assert LOOK_EVERY * 0.8 <= look(db) <= LOOK_EVERY


def test_a_missed_hour_is_caught_up_once(db: Conn) -> None:
    schedule(db, "s", TARGET, every=60, grace=30)
    rewind(db, timedelta(minutes=59, seconds=45))
    look(db)
    assert whys(db) == ["skipped"] * 58 + ["caught up"]
    assert count(db, "jobs") == 1


def test_very_many_missed_ticks_are_decided_in_portions(db: Conn) -> None:
    schedule(db, "s", TARGET, every=60, catch_up="all", cap=7, grace=30)
    rewind(db, timedelta(minutes=2_500, seconds=45))
    look(db)
    assert whys(db) == ["skipped"] * 2_493 + ["caught up"] * 7


def test_ticks_go_on_where_they_were(db: Conn) -> None:
    schedule(db, "s", TARGET, cron="* * * * *", catch_up="all")
    rewind(db, timedelta(minutes=5))
    look(db)
    look(db)
    ticks = [tick.scheduled_for for tick in execute(db, schedules.history("s", 100))]
    assert len(ticks) == len(set(ticks)) in (5, 6)
    found = execute(db, schedules.get("s"))
    assert found is not None
    assert found.next_at == max(ticks) + timedelta(minutes=1)


def start_scheduler(dsn: str, deadly: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.worker.firing", dsn, str(deadly)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_scheduler_that_is_killed_before_its_commit_has_done_nothing(db: Conn, dsn: str) -> None:
    for n in range(20):
        schedule(db, f"s{n}", TARGET, every=3600, grace=10_000)
        rewind(db, timedelta(minutes=70), f"s{n}")
    with start_scheduler(dsn, deadly=1) as dying:
        assert dying.wait(20) == -9
        assert "fired" in (dying.stdout.read() if dying.stdout else "")
    assert count(db, "ticks") == count(db, "jobs") == 0
    with start_scheduler(dsn) as living, start_scheduler(dsn) as other:
        try:
            wait_until(lambda: count(db, "ticks") == 20, 20)
        finally:
            living.kill()
            other.kill()
    assert count(db, "jobs") == 20
    assert db.execute("select count(distinct job_id) from pgqueue.ticks where why = 'due'").fetchone() == (20,)


@pytest.mark.faults
def test_eight_schedulers_some_of_which_die_fire_each_tick_once(db: Conn, dsn: str) -> None:
    for n in range(3):
        schedule(db, f"s{n}", TARGET, every=1, catch_up="all", grace=3600)
    running = [start_scheduler(dsn, deadly=10) for _ in range(8)]
    deaths = []

    def ticked_while_they_died() -> bool:
        for n, each in enumerate(running):
            if each.poll() is not None:
                deaths.append(each.communicate())
                running[n] = start_scheduler(dsn, deadly=10)
        return count(db, "ticks") >= 30 and len(deaths) >= 3

    try:
        wait_until(ticked_while_they_died, 90)
    finally:
        for each in running:
            each.kill()
            each.communicate()
    for n in range(3):
        ticks = execute(db, schedules.history(f"s{n}", 1000))
        times = sorted(tick.scheduled_for for tick in ticks)
        assert {later - earlier for earlier, later in pairwise(times)} <= {timedelta(seconds=1)}
    assert db.execute(
        "select count(*) = count(distinct job_id), count(*) = (select count(*) from pgqueue.jobs) from pgqueue.ticks"
    ).fetchone() == (True, True)


def test_p11_a_schedule_that_cannot_be_read_or_fired_keeps_no_other_from_firing(db: Conn) -> None:
    for name in ("a", "refused", "z"):
        schedule(db, name, TARGET, every=3600, grace=10_000, queue=name)
        rewind(db, timedelta(minutes=70), name)
    db.execute("select pgqueue.schedule('unreadable', 'a:b', cron => '0 9 * * nonday')")
    db.execute("alter table pgqueue.jobs add constraint no check (queue <> 'refused')")
    heard: list[Event] = []
    scheduler = Scheduler(heard.append, 5.0)
    assert look(db, scheduler) > 1
    assert [whys(db, name) for name in ("a", "refused", "z", "unreadable")] == [["due"], [], ["due"], []]
    faults = {row.name: row.fault for row in execute(db, schedules.rows(10)) if row.fault is not None}
    assert "violates check constraint" in (faults["refused"] or "")
    assert "knows no 'nonday'" in (faults["unreadable"] or "")
    assert len([event for event in heard if isinstance(event, Trouble)]) == 2
    db.execute("alter table pgqueue.jobs drop constraint no")
    look(db)
    assert whys(db, "refused") == ["due"]


def test_p11_a_unique_key_in_an_open_transaction_keeps_no_other_schedule_waiting(db: Conn, conn: Conn) -> None:
    for name, key in (("a", "k"), ("b", None)):
        schedule(db, name, TARGET, every=3600, grace=10_000, unique_key=key)
        rewind(db, timedelta(minutes=70), name)
    enqueue(conn, TARGET, unique_key="k")
    look(db)
    assert (whys(db, "a"), whys(db, "b")) == ([], ["due"])
    conn.rollback()
    look(db)
    assert whys(db, "a") == ["due"]


def test_a_tick_that_met_an_open_transaction_is_tried_again_before_it_is_late(db: Conn, conn: Conn) -> None:
    schedule(db, "s", TARGET, every=3600, unique_key="k", catch_up="skip")
    rewind(db, timedelta(minutes=60))
    enqueue(conn, TARGET, unique_key="k")
    scheduler = Scheduler(lambda event: None, 5.0)
    assert look(db, scheduler) <= 2
    conn.rollback()
    wait_until(lambda: look(db, scheduler) and whys(db) == ["due"], 20, "it has fired within its grace of a minute")


@pytest.mark.faults
def test_ten_thousand_schedules_due_at_one_minute_fire_once_each_while_schedulers_are_killed(
    db: Conn, dsn: str
) -> None:
    db.execute(
        "insert into pgqueue.schedules (name, cron, timezone, target, last_at, next_at, tzdata)"
        " select 's' || n, extract(minute from now()) || ' * * * *', zone, 'a:b',"
        "        date_trunc('minute', now()) - interval '10 min', date_trunc('minute', now()), %s"
        " from generate_series(1, 10000) as n"
        " cross join lateral (select (array['UTC', 'Europe/Oslo', 'Asia/Tokyo'])[n %% 3 + 1]) as z (zone)",
        [tzdata_version()],
    )
    for _ in range(2):
        with start_scheduler(dsn, deadly=2) as dying, start_scheduler(dsn) as living:
            assert dying.wait(30) == -9
            living.kill()
    with start_scheduler(dsn) as living:
        wait_until(lambda: count(db, "ticks") == 10_000, 60)
        living.kill()
    assert db.execute(
        "select count(distinct job_id), count(distinct schedule), count(distinct scheduled_for) from pgqueue.ticks"
    ).fetchone() == (10_000, 10_000, 1)
    assert count(db, "jobs") == 10_000


@pytest.fixture
def install_zones(tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Have Europe/Oslo follow the rules of another zone, under a version: `install("2020a", "Etc/GMT-1")`."""
    before = zoneinfo.TZPATH
    source = next(Path(folder) for folder in before if (Path(folder) / "Europe/Oslo").exists())

    def use(path: list[str]) -> None:
        zoneinfo.reset_tzpath(path)
        zoneinfo.ZoneInfo.clear_cache()
        tzdata_version.cache_clear()

    def install(version: str, rules: str) -> None:
        folder = tmp_path / version
        (folder / "Europe").mkdir(parents=True)
        shutil.copy(source / rules, folder / "Europe/Oslo")
        (folder / "tzdata.zi").write_text(f"# version {version}\n")
        use([str(folder)])

    yield install
    use(list(before))


def test_a_zone_that_changed_its_rules_is_planned_anew_by_who_has_them_and_left_alone_by_who_has_not(
    db: Conn, install_zones: Callable[[str, str], None]
) -> None:
    install_zones("2020a", "Etc/GMT-1")
    schedule(db, "s", TARGET, cron="0 9 * * *", timezone="Europe/Oslo")
    look(db)
    found = execute(db, schedules.get("s"))
    assert found is not None
    assert found.next_at is not None
    assert (found.next_at.astimezone(UTC).hour, found.tzdata) == (8, "2020a")
    install_zones("2030a", "Etc/GMT-5")
    look(db)
    planned = execute(db, schedules.get("s"))
    assert planned is not None
    assert planned.next_at is not None
    assert (planned.next_at.astimezone(UTC).hour, planned.tzdata) == (4, "2030a")
    assert whys(db) == []
    install_zones("2021a", "Etc/GMT-1")
    look(db)
    assert execute(db, schedules.get("s")) == planned


def test_a_worker_fires_schedules_and_runs_their_jobs(desk: Desk, start: StartThreaded) -> None:
    start(executor="thread", poll=0.1)
    schedule(desk.conn, "s", TARGET, every=1)
    wait_until(lambda: whys(desk.conn) == ["due"] * 2, 15)
    wait_until(lambda: desk.one("select count(*) >= 2 from pgqueue.job where state = 'succeeded'"))
    ticks = execute(desk.conn, schedules.history("s", 10))
    assert ticks[0].scheduled_for - ticks[1].scheduled_for == timedelta(seconds=1)


DECLARING = """
import pgqueue

@pgqueue.task({options})
def {name}() -> None: ...
"""


@pytest.mark.parametrize("executor", ONE_KIND)
def test_a_worker_makes_the_schedules_that_its_code_declares(
    desk: Desk, spawn: StartProcess, tmp_path: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code = DECLARING.format(
        name="daily", options='cron="0 9 * * mon-fri", timezone="Europe/Oslo", queue="mail", labels={"a": "b"}'
    )
    (tmp_path / "declaring_app.py").write_text(code)
    spawn(app=["declaring_app"], executor=executor)
    found = execute(desk.conn, schedules.get("declaring_app:daily"))
    assert found is not None
    assert (found.cron, found.timezone, found.queue) == ("0 9 * * mon-fri", "Europe/Oslo", "mail")
    assert (found.source, found.target, found.labels) == ("declaring_app", "declaring_app:daily", {"a": "b"})
    (tmp_path / "declaring_app.py").write_text(DECLARING.format(name="other", options="every=3600, jitter=5"))
    spawn(app=["declaring_app"], executor=executor)
    rows = {row.name: row.paused_by for row in execute(desk.conn, schedules.rows(10))}
    assert rows == {"declaring_app:daily": "code", "declaring_app:other": None}
