"""The primary dies and a standby is promoted: workers follow by themselves, and the books are whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.embedded import Server
from pgqueue.migrate import migrate
from pgqueue.store.connection import open_connection
from tests.factories import claim_one, settle
from tests.faults.producer import Producer
from tests.faults.standby import Pair, pair
from tests.waiting import wait_until
from tests.worker.running import Desk, StartProcess, WorkerProcess, hiring

pytestmark = pytest.mark.faults

DATABASE = "postgres"


@pytest.fixture
def servers(servers_folder: Path) -> Iterator[Pair]:
    """A primary with the schema, and a synchronous standby."""
    number = len(list(servers_folder.iterdir()))
    folder = servers_folder / f"pair-{number}"
    folder.mkdir(mode=0o711)
    with pair(folder) as servers:
        dsn = servers.primary.dsn(DATABASE, tcp=True)
        migrate(dsn)
        with closing(psycopg.connect(dsn, autocommit=True)) as conn:
            Desk(conn).make_effects()
        servers.commit_on_both()
        yield servers


@pytest.fixture
def hire(tmp_path: Path) -> Iterator[StartProcess]:
    with hiring(tmp_path) as hire:
        yield hire


@contextmanager
def desk_at(server: Server) -> Iterator[Desk]:
    """Where the test looks at the books of one of the two."""
    with closing(psycopg.connect(server.dsn(DATABASE, tcp=True), autocommit=True)) as conn:
        yield Desk(conn)


def check(desk: Desk, made: list[UUID], running: int) -> None:
    """All that was committed has ended once, with its effects; no attempts were lost but of jobs that ran."""
    desk.await_all_ended(90)
    desk.check_books(made, succeeded=len(made))
    desk.check_effects(range(1, len(made), 2))
    lost = desk.one("select coalesce(sum(attempt - 1), 0) from pgqueue.attempts where outcome = 'succeeded'")
    print(f"  attempts lost: {lost}, of {len(made)} jobs and {running} slots")
    assert lost <= running


@pytest.mark.parametrize(
    ("kind", "attrs", "standby_first"),
    [("process", "read-write", False), ("thread", "primary", True), ("async", "read-write", True)],
)
def test_workers_follow_a_promoted_standby(
    kind: str, attrs: str, standby_first: bool, servers: Pair, hire: StartProcess
) -> None:
    dsn = servers.dsn(DATABASE, attrs=attrs, standby_first=standby_first)
    workers = [hire(dsn, executor=kind, concurrency=2) for _ in range(2)]
    producer = Producer(dsn)
    wait_until(lambda: len(producer.made) >= 200, 60, "jobs before the failover")
    killed_at = datetime.now(UTC)
    servers.primary.kill()
    servers.promote()
    promoted_at = datetime.now(UTC)
    before = len(producer.made)
    with desk_at(servers.standby) as desk:
        first = "select min(started_at) from pgqueue.attempts where started_at > %s"
        again_at = wait_until(lambda: desk.one(first, promoted_at), 60, "a claim after the failover")
        wait_until(lambda: len(producer.made) >= before + 200, 60, "jobs after the failover")
        print(
            f"\n{kind}: {(promoted_at - killed_at).total_seconds():.2f} s until the standby was promoted,"
            f" then {(again_at - promoted_at).total_seconds():.2f} s until a job started"
        )
        check(desk, producer.stop(), running=4)
    assert [worker.process.poll() for worker in workers] == [None, None]


def test_workers_leave_a_primary_that_became_a_standby(servers: Pair, hire: StartProcess) -> None:
    """A switchover: the old primary comes back, named first, readable and read-only."""
    dsn = servers.dsn(DATABASE)
    hire(dsn, executor="process", concurrency=2)
    producer = Producer(dsn)
    wait_until(lambda: len(producer.made) >= 100, 60, "jobs before the switchover")
    servers.primary.stop("fast")
    (servers.primary.data / "standby.signal").touch()
    servers.promote()
    servers.primary.start()
    before = len(producer.made)
    wait_until(lambda: len(producer.made) >= before + 100, 60, "jobs after the switchover")
    with desk_at(servers.standby) as desk:
        check(desk, producer.stop(), running=2)


def test_a_worker_waits_for_a_read_only_server_to_be_promoted(servers: Pair, hire: StartProcess) -> None:
    """One address, behind which there is no primary for a while: nothing is charged, and nobody gives up."""
    servers.commit_alone()
    dsn = servers.primary.dsn(DATABASE, tcp=True)
    worker = hire(dsn, executor="process", concurrency=2)
    producer = Producer(dsn)
    wait_until(lambda: len(producer.made) >= 100, 60, "jobs before")
    servers.primary.stop("fast")
    (servers.primary.data / "standby.signal").touch()
    servers.primary.start()
    wait_until(lambda: any("read-only" in line["error"] for line in worker.heard("database lost, trying again")), 30)
    before = len(producer.made)
    servers.ask(servers.primary, "select pg_promote(wait => true)")
    wait_until(lambda: len(producer.made) >= before + 100, 60, "jobs after")
    with desk_at(servers.primary) as desk:
        check(desk, producer.stop(), running=2)
    assert worker.process.poll() is None


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_p4_p5_no_token_is_issued_twice_after_a_failover_that_lost_the_claim(
    kind: str, servers: Pair, hire: StartProcess, tmp_path: Path
) -> None:
    """The first execution goes on, with the token of a claim that the new primary never saw."""
    servers.commit_alone()
    dsn, flag = servers.dsn(DATABASE), tmp_path / "flag"
    worker = hire(dsn, executor=kind, concurrency=2, poll=0.2)
    with desk_at(servers.primary) as desk:
        before = desk.workers()
        made = desk.send("complete_late", dsn, str(flag), delay=3.0)
        servers.catch_up()
        servers.detach()
        wait_until(flag.exists, 20, "the first execution")
        assert desk.job(made).state == "running"
    servers.primary.kill()
    servers.promote()
    with desk_at(servers.standby) as desk:
        assert desk.job(made).attempt == 0
        again = "select count(*) = 1 from pgqueue.jobs where id = %s and worker is not null"
        wait_until(lambda: desk.one(again, made), 60, "the second execution")
        assert desk.one("select worker from pgqueue.jobs where id = %s", made) not in before
        time.sleep(0.5)
        # Both go on now, where the first could not be ended.
        flag.unlink(missing_ok=True)
        wait_until(lambda: flag.unlink(missing_ok=True) or desk.job(made).state == "succeeded", 60)
        assert desk.values("select value from effects") == [1]
        assert desk.outcomes(made) == ["succeeded"]
    assert worker.process.poll() is None
    assert worker.heard("trouble")[0]["error"].startswith("the database goes on with another history")


def test_commits_that_wait_for_a_lost_standby_are_waited_out_and_leave_few_sessions(
    servers: Pair, hire: StartProcess, tmp_path: Path
) -> None:
    """A session whose COMMIT hangs cannot be ended by its client: each new attempt would leave one more behind."""
    dsn = servers.primary.dsn(DATABASE, tcp=True)
    workers = [hire(dsn, executor="thread", concurrency=2, poll=0.2, lease=3) for _ in range(2)]
    servers.standby.stop("immediate")
    left = "select count(*) from pg_stat_activity where wait_event = 'SyncRep' and application_name like 'pgqueue %%'"
    with desk_at(servers.primary) as desk:
        desk.conn.execute("set synchronous_commit = local")
        made = [desk.send("work") for _ in range(5)]
        cause = "commits wait for a synchronous standby"
        wait_until(lambda: all(cause in worker.text for worker in workers), 30)
        time.sleep(15)
        assert desk.one(left) <= 4 * len(workers)
        before = desk.one(left)
        # Others that a supervisor starts meanwhile say why they do not begin, and leave none.
        late = WorkerProcess(dsn, tmp_path / "late.log", executor="thread")
        assert late.wait() != 0
        assert cause in late.text
        assert desk.one(left) == before
        servers.standby.start()
        wait_until(lambda: desk.one(left) == 0, 30)
        for job_id in made:
            assert desk.await_state(job_id, timeout=30).state == "succeeded"
    assert [worker.process.poll() for worker in workers] == [None, None]


def test_a_dsn_of_several_hosts_finds_the_primary_unasked(servers: Pair) -> None:
    dsn = servers.dsn(DATABASE, standby_first=True).replace(" target_session_attrs=read-write", "")
    with open_connection(dsn, "test") as conn:
        assert conn.info.port == servers.primary.port
    servers.primary.kill()
    servers.promote()
    with open_connection(dsn, "test") as conn:
        assert conn.info.port == servers.standby.port


def test_who_waits_on_a_standby_is_told_by_looks(servers: Pair, caplog: pytest.LogCaptureFixture) -> None:
    standby = psycopg.connect(servers.standby.dsn(DATABASE, tcp=True))
    with desk_at(servers.primary) as desk, closing(standby), ThreadPoolExecutor(1) as pool:
        taken = claim_one(desk.conn)
        servers.catch_up()
        waiting = pool.submit(pgqueue.result, standby, taken.id, 20)
        wait_until(lambda: caplog.records, message="it was said")
        settle(desk.conn, taken)
        assert waiting.result(5) is None
    assert "the server refuses LISTEN" in caplog.text
