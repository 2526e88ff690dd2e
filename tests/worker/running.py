"""Running workers, as tests meet them: in a thread of the test's process, or as a process that may be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest

from pgqueue.client import enqueue_many
from pgqueue.events import Event
from pgqueue.job import NewJob
from pgqueue.record import Job
from pgqueue.store import execute, reading
from pgqueue.worker import Worker
from tests.postgres import ROOT
from tests.waiting import wait_until

E = TypeVar("E")
Conn = psycopg.Connection[Any]

KINDS = ("process", "thread", "async")
# For what takes seconds: one kind by default, the others with the faults.
ONE_KIND = ("process", *(pytest.param(kind, marks=pytest.mark.faults) for kind in ("thread", "async")))
# For what the executor has no part in: the quickest by default, the others with the faults.
ANY_KIND = ("thread", *(pytest.param(kind, marks=pytest.mark.faults) for kind in ("process", "async")))
# For what only asks whether a worker runs its jobs in children: async is as thread there, and comes with the faults.
TWO_KINDS = ("process", "thread", pytest.param("async", marks=pytest.mark.faults))
ERRANDS = "tests.worker.errands"
# Long enough that only a notification can explain what happens sooner.
NEVER = 60.0


def _slots(options: Mapping[str, object]) -> int:
    """Two, unless each is a process, which takes a fifth of a second to start; a test that needs two says so."""
    return 1 if options.get("executor", "process") == "process" else 2


class ThreadedWorker:
    """A worker in a thread of this process, and what its observer has heard."""

    def __init__(self, dsn: str | list[str], **options: Any) -> None:
        self.events: list[Event] = []
        given = {"app": [ERRANDS], "concurrency": _slots(options), **options}
        self.worker = Worker(dsn, **given, observers=[self.events.append])
        self.code: int | None = None
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="worker under test")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.code = self.worker.run()
        except BaseException as fault:
            self._fault = fault

    def heard(self, kind: type[E]) -> list[E]:
        """The events of one kind, so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def join(self, timeout: float = 20.0) -> int:
        """Wait for its end; answers its exit code."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"the worker did not end in {timeout:g} s"
        if self._fault is not None:
            raise self._fault
        assert self.code is not None
        return self.code

    def stop(self) -> int:
        """Ask it to stop and wait for that."""
        self.worker.stop()
        return self.join()


class WorkerProcess:
    """A worker as a process of its own; `lines` is its log."""

    def __init__(self, dsn: str | list[str], log: Path, **options: Any) -> None:
        self._log = log
        given = {"dsn": dsn, "app": [ERRANDS], "concurrency": _slots(options), **options}
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.worker.program", json.dumps(given)],
                cwd=ROOT,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.pid = self.process.pid

    @property
    def text(self) -> str:
        """All that it has said."""
        return self._log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, without what is no JSON (a crash's report) and a last line that is half written."""
        whole = [line for line in self._log.read_text().split("\n")[:-1] if line.startswith("{")]
        return [json.loads(line) for line in whole]

    def heard(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.lines if line["event"] == event]

    def await_start(self) -> WorkerProcess:
        """Return when it claims."""
        wait_until(lambda: self.heard("worker started") or self.process.poll() is not None, 20, "the worker's start")
        assert self.process.poll() is None, self._log.read_text()
        return self

    @property
    def children(self) -> set[int]:
        """The process ids of its living children."""
        return children_of(self.pid)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, timeout: float = 20.0) -> int:
        """Wait for its end; answers its exit code."""
        return self.process.wait(timeout)

    def close(self) -> None:
        """End it, whatever state it is in; its children follow."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@contextmanager
def hiring(folder: Path) -> Iterator[StartProcess]:
    """Starts worker processes and waits until they claim: `hire(dsn, executor="thread")`; all are killed in the end."""
    hired: list[WorkerProcess] = []

    def hire(dsn: str | list[str], **options: object) -> WorkerProcess:
        hired.append(WorkerProcess(dsn, folder / f"worker-{len(hired)}.log", **options))
        return hired[-1].await_start()

    try:
        yield hire
    finally:
        for worker in hired:
            worker.close()


def children_of(parent: int) -> set[int]:
    """The living processes that `parent` started."""
    with subprocess.Popen(["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE, text=True) as ps:
        rows = [line.split() for line in ps.communicate()[0].splitlines()]
    return {int(pid) for pid, ppid, stat in rows if int(ppid) == parent and not stat.startswith("Z")} - {ps.pid}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has buried yet does not."""
    stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(stat) and not stat.startswith("Z")


def wake(pids: Iterable[int]) -> None:
    """Let processes go on that were stopped; a worker that wakes before its children may have ended them by then."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def await_end(pids: Iterable[int], timeout: float = 1.0) -> None:
    """Wait until none of these processes runs."""
    waiting = set(pids)
    wait_until(lambda: not any(map(is_alive, waiting)), timeout, f"the end of processes {waiting}")


def lines_of(path: Path) -> list[str]:
    """The lines that jobs have written to a file, none while it does not exist."""
    return path.read_text().splitlines() if path.exists() else []


class Desk:
    """Where a test enqueues and looks on: one connection in autocommit mode."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    def make_effects(self) -> None:
        """Create the tables that transactional jobs write to."""
        self.conn.execute("create table effects (value int)")
        self.conn.execute("create table unique_effects (value int unique deferrable initially deferred)")

    def send(self, target: str, *args: Any, **options: Any) -> UUID:
        """Enqueue a job of an errand, or of any target with a colon."""
        (job_id,) = self.send_many([NewJob(named(target), list(args), **options)])
        return job_id

    def send_many(self, new: Sequence[NewJob]) -> list[UUID]:
        return enqueue_many(self.conn, new)

    def job(self, job_id: UUID) -> Job:
        found = execute(self.conn, reading.get(job_id))
        assert found is not None
        return found

    def await_state(self, job_id: UUID, *states: str, timeout: float = 10.0) -> Job:
        """The job when it is in one of these states; by default at its end."""

        def arrived() -> Job | None:
            job = self.job(job_id)
            return job if job.state in states or (not states and job.state.ended) else None

        return wait_until(arrived, timeout, f"job {job_id} {' or '.join(states) or 'at its end'}")  # type: ignore[return-value]

    def await_all_ended(self, timeout: float = 30.0) -> None:
        """Return when no job is left that has not ended."""
        wait_until(lambda: self.one("select count(*) = 0 from pgqueue.jobs"), timeout, "all jobs at their end")

    def outcomes(self, job_id: UUID) -> list[str]:
        """How the job's attempts ended, oldest first."""
        return [attempt.outcome for attempt in execute(self.conn, reading.attempts(job_id))]

    def errors(self, job_id: UUID) -> list[str]:
        """What its attempts said, oldest first."""
        return [f"{a.error_type}: {a.error}" for a in execute(self.conn, reading.attempts(job_id)) if a.error]

    def one(self, query: str, *params: Any) -> Any:
        """The one value of a query."""
        row = self.conn.execute(query, params).fetchone()
        return None if row is None else row[0]

    def values(self, query: str, *params: Any) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.conn.execute(query, params)]

    def workers(self) -> list[int]:
        return self.values("select id from pgqueue.workers")

    def backends(self, role: str = "%") -> list[int]:
        """The server processes of this database's workers."""
        query = "select pid from pg_stat_activity where application_name like %s and datname = current_database()"
        return self.values(query, f"pgqueue {role}")

    def await_idle(self) -> None:
        """Return when a worker has shown that it is hungry."""
        query = (
            "select count(*) > 0 from pg_locks where locktype = 'advisory' and classid in (7701, 7702) and granted"
            " and database = (select oid from pg_database where datname = current_database())"
        )
        wait_until(lambda: self.one(query), 10, "a hungry worker")

    def check_books(self, expected: Iterable[UUID], **ends: int) -> None:
        """Every job has ended, once, and so many in each way; nothing is left running."""
        wanted = sorted(expected)
        assert self.values("select id from pgqueue.job order by id") == wanted
        assert dict(self.conn.execute("select state, count(*) from pgqueue.job group by state").fetchall()) == ends

    def check_effects(self, expected: Iterable[int]) -> None:
        """Each value was written exactly once."""
        assert self.values("select value from effects order by value") == sorted(expected)


def named(target: str) -> str:
    return target if ":" in target else f"{ERRANDS}:{target}"


StartThreaded = Callable[..., ThreadedWorker]
StartProcess = Callable[..., WorkerProcess]
