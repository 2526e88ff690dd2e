"""Workers in processes of their own, which are idle when a measurement begins and gone when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pgqueue.bench.site import Conn, Site
from pgqueue.errors import PgqueueError

# Slots on two cores: where threads and children share them more are no gain, and coroutines cost next to nothing.
SLOTS = {"process": 2, "thread": 2, "async": 100}
EXECUTORS = tuple(SLOTS)
QUIET = ("--log-level", "warning")
BEGIN_LIMIT = 60.0
END_LIMIT = 30.0

# Workers that hold the advisory lock of their queue: by it an enqueue knows that somebody idle listens.
IDLE = """
select count(*) from pg_locks
where locktype = 'advisory' and classid = 7701 and granted
  and database = (select oid from pg_database where datname = current_database())
"""
ENLISTED = "select count(*) from pgqueue.workers where expires_at > clock_timestamp()"


@contextmanager
def idle_workers(
    site: Site,
    executor: str,
    *,
    queues: Sequence[Sequence[str]] = (("default",),),
    poll_only: bool = False,
    slots: int | None = None,
    mortal: bool = False,
) -> Iterator[list[int]]:
    """One worker for each of `queues`, idle: their process ids. Raises PgqueueError if they do not begin, or fail.

    `mortal`: it is no failure that one is killed.
    """
    concurrency = slots or SLOTS[executor]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for each in queues:
            processes.append(_started(site, executor, each, poll_only, concurrency))
        with site.connect() as conn:
            _await(conn, ENLISTED if poll_only else IDLE, processes)
        yield [process.pid for process in processes]
    except BaseException:
        for process in processes:
            process.kill()
        raise
    finally:
        codes = [_ended(process) for process in processes]
    if mortal:
        codes = [code for code in codes if code != -signal.SIGKILL]
    if any(codes):
        raise PgqueueError(f"workers ended with codes {codes}")


def _started(site: Site, executor: str, queues: Sequence[str], poll_only: bool, slots: int) -> subprocess.Popen[bytes]:
    words = ["-A", "pgqueue.bench.tasks", "-Q", ",".join(queues), "-x", executor, "-c", str(slots)]
    return subprocess.Popen(
        [sys.executable, "-m", "pgqueue.bench.worker", *words, *(["--poll-only"] if poll_only else []), *QUIET],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PGQUEUE_DSN": site.dsn},
    )


def _await(conn: Conn, question: str, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + BEGIN_LIMIT
    while conn.execute(question).fetchone() != (len(processes),):
        if gone := [process.returncode for process in processes if process.poll() is not None]:
            raise PgqueueError(f"a worker ended with code {gone[0]} before it had begun")
        if time.monotonic() > deadline:
            raise PgqueueError(f"{len(processes)} workers were not idle within {BEGIN_LIMIT:.0f} s")
        time.sleep(0.02)


def _ended(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    process.stdin.close()
    try:
        return process.wait(END_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
