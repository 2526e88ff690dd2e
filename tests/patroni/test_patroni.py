"""Patroni's leader dies under load: workers and producers follow by themselves, and the books are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.migrate import migrate
from tests.faults.producer import Producer
from tests.patroni.cluster import Cluster, patroni
from tests.waiting import wait_until
from tests.worker.running import Desk, StartProcess, hiring

pytestmark = pytest.mark.adopt

DATABASE = "postgres"


@pytest.fixture(scope="module")
def cluster(servers_folder: Path, server: Server) -> Iterator[Cluster]:
    with patroni(servers_folder / "patroni", server) as cluster:
        migrate(cluster.dsn(DATABASE))
        yield cluster


@pytest.fixture
def hire(tmp_path: Path) -> Iterator[StartProcess]:
    with hiring(tmp_path) as hire:
        yield hire


def test_a_killed_leader_costs_a_pause_and_nothing_else(cluster: Cluster, hire: StartProcess) -> None:
    dsn = cluster.dsn(DATABASE)
    with closing(psycopg.connect(dsn, autocommit=True)) as conn:
        Desk(conn).make_effects()
    workers = [hire(dsn, executor=kind, concurrency=2) for kind in ("process", "thread")]
    producer = Producer(dsn)
    wait_until(lambda: len(producer.made) >= 200, 60, "jobs before the leader is killed")
    leader = cluster.leader
    assert leader is not None
    killed_at = datetime.now(UTC)
    leader.kill()
    before = len(producer.made)
    wait_until(lambda: cluster.leader not in (None, leader), 90, "another leader")
    led_at = datetime.now(UTC)
    wait_until(lambda: len(producer.made) >= before + 200, 90, "jobs under the new leader")
    made = producer.stop()
    with closing(psycopg.connect(dsn, autocommit=True)) as conn:
        desk = Desk(conn)
        desk.await_all_ended(90)
        first = desk.one("select min(started_at) from pgqueue.attempts where started_at > %s", led_at)
        there = set(desk.values("select id from pgqueue.job"))
        lost, doubled = len(set(made) - there), len(there - set(made))
        twice = desk.one("select count(*) from (select value from effects group by value having count(*) > 1) as twice")
        print(
            f"\nthe leader was killed under load: another one led after {(led_at - killed_at).total_seconds():.1f} s,"
            f" a job started {(first - killed_at).total_seconds():.1f} s after the kill;"
            f" of {len(made)} jobs lost {lost}, doubled {doubled + twice}"
        )
        assert (lost, doubled, twice) == (0, 0, 0)
        desk.check_books(made, succeeded=len(made))
        desk.check_effects(range(1, len(made), 2))
    assert [worker.process.poll() for worker in workers] == [None, None]
