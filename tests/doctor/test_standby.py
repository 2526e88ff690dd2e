"""A primary with a standby: who holds the horizon from there, and what is answered on a server that only reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pgqueue
from pgqueue.migrate import migrate
from tests.doctor.conftest import Examine, cure
from tests.factories import enqueue
from tests.faults.standby import Pair, pair
from tests.waiting import wait_until

pytestmark = pytest.mark.faults
RELOAD = "select pg_reload_conf()"


@pytest.fixture
def both(servers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = servers_folder / tmp_path_factory.mktemp("standby").name
    folder.mkdir(mode=0o711)
    with pair(folder) as both:
        migrate(both.primary.dsn(tcp=True))
        yield both


def test_a_query_on_a_standby_and_a_slot_that_nobody_reads_hold_the_horizon_until_the_cure(
    both: Pair, examine: Examine
) -> None:
    primary, standby = both.primary.dsn(tcp=True), both.standby.dsn(tcp=True)
    both.ask(both.primary, "select pg_create_physical_replication_slot('forgotten')")
    both.ask(both.standby, "alter system set primary_slot_name = 'forgotten'", RELOAD)
    both.ask(both.standby, "alter system set hot_standby_feedback = on", RELOAD)
    both.ask(both.standby, "alter system set wal_receiver_status_interval = '1s'", RELOAD)
    with psycopg.connect(standby) as reader, psycopg.connect(primary, autocommit=True) as conn:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1")
        wait_until(lambda: both.ask(both.primary, "select xmin is not null from pg_replication_slots"), 20)
        for _ in range(20):
            enqueue(conn)
        found = examine("horizon", primary, behind=5)
        assert found.status == "warn"
        assert "replication slot forgotten (active) holds it, " in found.text
        reader.rollback()
        reader.close()
        both.standby.stop("immediate")
        wait_until(lambda: examine("horizon", primary, behind=5).text.find("nobody reads it") > 0, 20)
        cure(conn, examine("horizon", primary, behind=5))
        assert examine("horizon", primary, behind=5).status == "ok"


def test_a_query_on_a_standby_without_a_slot_holds_the_horizon_until_feedback_is_off(
    both: Pair, examine: Examine
) -> None:
    primary, standby = both.primary.dsn(tcp=True), both.standby.dsn(tcp=True)
    both.ask(both.standby, "alter system set wal_receiver_status_interval = '1s'", RELOAD)
    both.ask(both.standby, "alter system set hot_standby_feedback = on", RELOAD)
    with psycopg.connect(standby) as reader, psycopg.connect(primary, autocommit=True) as conn:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1")
        wait_until(lambda: both.ask(both.primary, "select backend_xmin is not null from pg_stat_replication"), 20)
        for _ in range(20):
            enqueue(conn)
        found = examine("horizon", primary, behind=5)
        assert found.text.startswith("a query on standby beside holds it by hot_standby_feedback, ")
        where, _, statements = (found.cure or "").partition(": ")
        assert where == "on the standby"
        both.ask(both.standby, *[f"{part.strip()}" for part in statements.split(";") if part.strip()])
        wait_until(lambda: examine("horizon", primary, behind=5).status == "ok", 20)


def test_on_a_standby_everything_is_answered_that_only_reads(both: Pair, examine: Examine) -> None:
    with psycopg.connect(both.primary.dsn(tcp=True)) as conn:
        job_id = enqueue(conn, limit_key="k")
        pgqueue.set_limit(conn, "key", "k", concurrency=1, rate="1/m")
    both.catch_up()
    standby = both.standby.dsn(tcp=True)
    assert examine("server", standby).text.endswith("a standby: nothing can be enqueued or claimed here")
    assert examine("listen", standby).status == "unknown"
    for check in ("schema", "indexes", "grants", "clock", "horizon", "head", "bloat", "orphans", "args_size", "oldest"):
        assert examine(check, standby).status == "ok", check
    with psycopg.connect(standby) as conn:
        assert pgqueue.explain(conn, job_id).headline.code == "limit_new"
        assert pgqueue.explain_queue(conn, "default").headline.code == "unserved"
