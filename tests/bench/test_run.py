"""A benchmark from end to end, and what it may touch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgqueue.bench.enqueueing import pgbench_command
from pgqueue.bench.reading import Key, Measure, Reading
from pgqueue.bench.run import Results, Settings, _round, chosen, run_bench
from pgqueue.bench.site import Site
from pgqueue.bench.sizes import QUICK
from pgqueue.bench.tables import figure_rows, json_lines, markdown, target_rows
from pgqueue.bench.targets import CEILINGS
from pgqueue.embedded import Server
from pgqueue.errors import PgqueueError, UsageError
from tests.postgres import Databases

pytestmark = pytest.mark.soak

DATABASES = "select datname from pg_database where datname like 'pgqueue_bench%'"


@pytest.fixture(scope="module")
def users(databases: Databases) -> Iterator[str]:
    """The DSN of a database that somebody uses: a job waits in it."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), 'shop.tasks:send')")
    yield dsn
    databases.drop(name)


@pytest.fixture(scope="module")
def found(users: str) -> Results:
    """What a tiny run of one measure with its ceiling found, two rounds of it."""
    return run_bench(Settings(dsn=users, sizes=QUICK, rounds=2, only=["bulk"], say=lambda _: None))


def test_every_round_has_every_figure(found: Results) -> None:
    assert found.missing == {}
    for each in found.rounds:
        assert set(each) == {Key("bulk", "COPY"), Key("bulk", "pgqueue")}
        assert all(reading.value > 0 for reading in each.values())


def test_the_tables_show_what_was_reached(found: Results) -> None:
    figures = {(row[0], row[1]): row for row in figure_rows(found.rounds, CEILINGS)}
    assert figures["bulk", "pgqueue"][4] != ""
    assert figures["bulk", "COPY"][4] == ""
    judged = {row[0]: row for row in target_rows(found.verdicts)}
    assert judged["bulk enqueue, over COPY"][4] in ("met", "**not met**")
    assert judged["enqueue, 1 client, over psycopg's insert"][4] == "not measured"
    assert markdown(target_rows(found.verdicts)).count("\n") == len(found.verdicts) + 1


def test_json_lines_hold_every_reading_and_every_target(found: Results) -> None:
    lines = [json.loads(line) for line in json_lines(found)]
    kinds = [line["kind"] for line in lines]
    assert kinds[0] == "run"
    assert kinds.count("reading") == 4
    assert kinds.count("target") == len(found.verdicts)


def test_no_database_is_left_behind(found: Results, server: Server) -> None:
    assert found.rounds
    with psycopg.connect(server.dsn()) as conn:
        assert conn.execute(DATABASES).fetchall() == []


def test_a_database_that_was_not_made_for_it_is_refused(users: str) -> None:
    site = Site(admin=users, dsn=users, sizes=QUICK)
    for act in (site.empty, site.settle_down):
        with pytest.raises(UsageError, match="is no scratch database"):
            act()
    with psycopg.connect(users) as conn:
        assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (1,)


def test_the_database_that_is_named_stays_as_it_was(found: Results, users: str) -> None:
    assert found.rounds
    with psycopg.connect(users) as conn:
        assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (1,)
        assert conn.execute("select count(*) from pgqueue.attempts").fetchone() == (0,)


def test_a_role_that_may_create_no_database_is_told_so(server: Server, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("drop role if exists bench_guest")
        conn.execute("create role bench_guest login")
        try:
            with pytest.raises(UsageError, match="bench_guest may not create"):
                run_bench(Settings(dsn=f"{dsn} user=bench_guest", sizes=QUICK, rounds=1, say=lambda _: None))
        finally:
            conn.execute("drop role bench_guest")


def test_rounds_go_by_turns_and_what_fails_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "empty", lambda _: None)
    site = Site(admin="", dsn="", sizes=QUICK)
    ran: list[str] = []

    def measure(name: str) -> Measure:
        def run(_: Site) -> list[Reading]:
            ran.append(name)
            if name == "broken":
                raise PgqueueError("no such thing")
            return [Reading(Key(name, "x"), "/s", 1.0)]

        return Measure(name, run, once=name == "once")

    measures = [measure(name) for name in ("a", "broken", "once", "b")]
    missing: dict[str, str] = {}
    found = [_round(site, measures, number, missing, lambda _: None) for number in (1, 2)]
    assert ran == ["a", "broken", "once", "b", "a", "b"]
    assert missing == {"broken": "no such thing"}
    assert [len(each) for each in found] == [3, 2]


def test_measures_are_chosen_by_how_their_names_begin_or_by_pattern() -> None:
    measures = [Measure(name, lambda _: []) for name in ("drain/raw", "drain-1/thread", "bulk/COPY")]
    assert [each.name for each in chosen(measures, ["drain"])] == ["drain/raw", "drain-1/thread"]
    assert [each.name for each in chosen(measures, ["*/COPY"])] == ["bulk/COPY"]
    with pytest.raises(UsageError, match=r"no measure is called rain; there are drain/raw, drain-1/thread"):
        chosen(measures, ["rain"])


def test_pgbench_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PgqueueError, match="pgbench is neither in"):
        pgbench_command(Site(admin="", dsn="", sizes=QUICK, programs=tmp_path))
