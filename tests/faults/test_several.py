"""One worker, two servers: one is killed, or falls silent, and the jobs of the other are none the slower for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from pgqueue.worker.supervision.ending import FORCED, RETIRED
from tests.faults.producer import Producer
from tests.faults.silence import SilentProxy
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, KINDS, Desk, StartProcess, WorkerProcess

pytestmark = pytest.mark.faults

# A job of the healthy database takes no longer than this while the other one is away, seconds.
PROMPT = 3.0


@pytest.fixture
def hire(spawn: StartProcess) -> Callable[..., WorkerProcess]:
    def hire(*dsns: str, **options: Any) -> WorkerProcess:
        worker = spawn(list(dsns), **options)
        wait_until(lambda: len(worker.heard("worker started")) == len(dsns), 20, "all are served")
        return worker

    return hire


@pytest.fixture
def killed(private_server: Server) -> str:
    """A database on a server that the test may kill."""
    dsn = private_server.dsn("postgres", tcp=True)
    migrate(dsn)
    with closing(psycopg.connect(dsn, autocommit=True)) as conn:
        Desk(conn).make_effects()
    return dsn


def slowest(desk: Desk, seconds: float) -> float:
    """Send a job again and again for so long; answers how long the slowest took."""
    most, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        desk.await_state(desk.send("work"), timeout=20)
        most = max(most, time.monotonic() - began)
    return most


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_killed_loses_nothing_and_slows_no_other(
    kind: str, hire: Callable[..., WorkerProcess], desk: Desk, dsn: str, killed: str, private_server: Server
) -> None:
    worker = hire(killed, dsn, executor=kind, concurrency=2, lease=10)
    producer = Producer(killed)
    wait_until(lambda: len(producer.made) >= 100, 30, "jobs before the kill")
    private_server.kill()
    most = slowest(desk, 3.0)
    print(f"\n{kind}: while the other server was dead, the slowest of its jobs took {most:.2f} s")
    assert most < PROMPT
    private_server.start()
    before = len(producer.made)
    wait_until(lambda: len(producer.made) >= before + 100, 60, "jobs after it is back")
    made = producer.stop()
    with closing(psycopg.connect(killed, autocommit=True)) as conn:
        back = Desk(conn)
        back.await_all_ended(60)
        back.check_books(made, succeeded=len(made))
        back.check_effects(range(1, len(made), 2))
    assert worker.process.poll() is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_that_falls_silent_gives_its_slots_to_the_others_and_comes_back(
    kind: str,
    hire: Callable[..., WorkerProcess],
    desk: Desk,
    dsn: str,
    killed: str,
    proxied_other: tuple[str, SilentProxy],
) -> None:
    silent_dsn, proxy = proxied_other
    nap = "work_async" if kind == "async" else "work"
    worker = hire(silent_dsn, dsn, executor=kind, concurrency=2, lease=3)
    with closing(psycopg.connect(killed, autocommit=True)) as conn:
        silent = Desk(conn)
        # All slots are its own when it falls silent, and more is due.
        made = [silent.send(nap, 1.0) for _ in range(6)]
        wait_until(lambda: silent.one("select count(*) = 2 from pgqueue.jobs where worker is not null"), 10)
        proxy.hush([""])
        sent = desk.send_many([NewJob(f"{ERRANDS}:{nap}", [0.05]) for _ in range(40)])
        began = time.monotonic()
        desk.await_all_ended(20)
        # Twenty turns of two slots, behind a second for which the others held them.
        print(f"\n{kind}: beside a silent database 40 jobs took {time.monotonic() - began:.2f} s")
        assert time.monotonic() - began < 6
        desk.check_books(sent, succeeded=40)
        proxy.speak()
        silent.await_all_ended(60)
        assert silent.values("select distinct state from pgqueue.job") == ["succeeded"]
        assert len(made) == silent.one("select count(*) from pgqueue.attempts where outcome = 'succeeded'")
    assert worker.process.poll() is None
    # Before the proxy is gone: it would still be asked.
    worker.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_signal_ends_the_jobs_of_all_databases_at_once_and_gives_them_back(
    kind: str, hire: Callable[..., WorkerProcess], desk: Desk, dsn: str, killed: str
) -> None:
    nap = "work_async" if kind == "async" else "work"
    worker = hire(killed, dsn, executor=kind, concurrency=2, shutdown_timeout=60)
    with closing(psycopg.connect(killed, autocommit=True)) as conn:
        desks = [desk, Desk(conn)]
        jobs = [each.send(nap, 60) for each in desks]
        for each, job in zip(desks, jobs, strict=True):
            each.await_state(job, "running")
        worker.signal(signal.SIGTTIN)
        wait_until(lambda: len(worker.heard("dump")) == 3, 10, "a dump of each, and one of the threads")
        assert len(worker.heard("dump: job")) == 2
        assert len({line["thread"] for line in worker.heard("dump: thread")}) == len(worker.heard("dump: thread"))
        worker.signal(signal.SIGTERM)
        wait_until(lambda: len(worker.heard("worker stopping")) == 3, 10, "it stops everywhere")
        time.sleep(0.5)
        worker.signal(signal.SIGTERM)
        assert worker.wait(10) == FORCED
        for each, job in zip(desks, jobs, strict=True):
            assert each.job(job).state in ("ready", "scheduled")
            assert each.job(job).attempt == 0
            assert each.workers() == []


def test_a_thread_that_does_not_end_retires_the_worker_in_all_databases(
    hire: Callable[..., WorkerProcess], desk: Desk, dsn: str, killed: str
) -> None:
    worker = hire(killed, dsn, executor="thread", concurrency=2, shutdown_timeout=1)
    with closing(psycopg.connect(killed, autocommit=True)) as conn:
        stuck = Desk(conn)
        job = stuck.send("work", 60, timeout=0.5, max_attempts=1)
        assert worker.wait(30) == RETIRED
        assert stuck.outcomes(job) == ["timeout"]
        assert stuck.workers() == desk.workers() == []


@pytest.fixture
def proxied_other(killed: str, private_server: Server) -> Iterator[tuple[str, SilentProxy]]:
    proxy = SilentProxy("127.0.0.1", private_server.port)
    yield f"host=127.0.0.1 port={proxy.port} user=postgres dbname=postgres sslmode=disable gssencmode=disable", proxy
    proxy.close()
