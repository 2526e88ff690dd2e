"""The course of the demo, from an empty database to the proof."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pgqueue.demo import example
from pgqueue.demo.database import SCHEMA, demo_schema, served
from pgqueue.demo.example import QUEUE, TARGET, Conn
from pgqueue.demo.kills import Kills
from pgqueue.demo.producer import Producer
from pgqueue.demo.proof import prove
from pgqueue.demo.screen import Screen
from pgqueue.demo.summary import summary
from pgqueue.demo.workers import Workers
from pgqueue.errors import PgqueueError
from pgqueue.ids import new_job_id
from pgqueue.interrupt import interruptible

# The shell's code for "ended by Ctrl-C".
FINE, FAILED, INTERRUPTED = 0, 1, 130
LOOK_EVERY = 0.05
# If for so long no job ends, none will.
PATIENCE = 60.0
LEFT = "select count(*) from pgqueue.jobs where queue = %s and target = %s"


def run_demo(dsn: str | None, workers: int = 2, keep: bool = False, *, files: Sequence[Path] | None = None) -> int:
    """Count the words of `files` (the library of this Python) by jobs, kill a child and a worker on the way, and prove
    that nothing was lost or doubled; answers the exit code, 0 only if that is so.

    `dsn` None is an embedded PostgreSQL in a temporary folder; in any other database the demo keeps to the schema
    `pgqueue_demo` and the queue `demo`. All is removed in the end unless `keep`. Raises PgqueueError.
    """
    screen = Screen()
    try:
        with interruptible(), _scratch(keep) as folder:
            return _run(dsn, workers, keep, example.library_files() if files is None else files, folder, screen)
    except KeyboardInterrupt:
        screen.end_progress()
        screen.say("interrupted; no process is left behind")
        return INTERRUPTED


def _run(dsn: str | None, workers: int, keep: bool, files: Sequence[Path], folder: Path, screen: Screen) -> int:
    root = example.library()
    screen.write(f"Counting the words of {len(files):,} files: the library of this Python, {root}")
    screen.write("For each file one transaction inserts a document and enqueues its job; in another one")
    screen.write("a worker writes the counts and the job's success. On the way a child and a worker are killed.\n")
    first = new_job_id()
    with served(dsn, folder / "postgres") as address, demo_schema(address, first, keep=keep) as (inside, conn):
        screen.say(f"PostgreSQL {conn.info.server_version // 10000} is ready")
        with Workers(inside, workers, folder / "workers.log") as crew, Producer(inside, files) as producer:
            screen.say(f"{_counted(workers, 'worker')} started, {_counted(crew.children_each, 'child process')} each")
            _watch(conn, producer, Kills(conn, crew), crew, len(files), screen)
        proof = prove(conn, files, first)
        for line in summary(conn, proof, first, root):
            screen.write(line)
    _say_where(screen, dsn, folder, keep)
    return FINE if proof.holds and proof.documents == len(files) else FAILED


def _watch(conn: Conn, producer: Producer, kills: Kills, workers: Workers, total: int, screen: Screen) -> None:
    """Until every job has ended. Raises PgqueueError if they do not."""
    most, moved_at = 0, time.monotonic()
    while True:
        workers.check()
        added_all, added = producer.done(), producer.added
        (left,) = conn.execute(LEFT, [QUEUE, TARGET]).fetchone() or (0,)
        done = max(0, added - left)
        screen.progress(done, total)
        if added_all and left == 0:
            screen.end_progress()
            screen.say("every job has ended" if kills.done else "every job has ended before all kills had hit somebody")
            return
        if killed := kills.look(done / total):
            screen.say(killed)
        if done > most:
            most, moved_at = done, time.monotonic()
        elif time.monotonic() - moved_at > PATIENCE:
            raise PgqueueError(f"no job has ended for {PATIENCE:.0f} s, {left} are left; is the queue {QUEUE} paused?")
        time.sleep(LOOK_EVERY)


@contextmanager
def _scratch(keep: bool) -> Iterator[Path]:
    """A folder for the server and the workers' log, removed in the end unless `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="pgqueue-demo-"))
    # PostgreSQL, where it may not run as root, runs as a user who must be able to reach it.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder)


def _say_where(screen: Screen, dsn: str | None, folder: Path, keep: bool) -> None:
    screen.write()
    if not keep:
        screen.write("All of it is removed again; `pgqueue demo --keep` leaves it there to look at.")
        return
    option = f" --dsn embedded:{folder / 'postgres'}" if dsn is None else ""
    screen.write(f"Kept for you to look at, in schema {SCHEMA} and {folder}:")
    screen.write(f"  pgqueue dead list --queue {QUEUE}{option}")
    screen.write(f"  less {folder / 'workers.log'}")


def _counted(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
