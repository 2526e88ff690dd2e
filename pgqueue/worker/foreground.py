"""Runs one job that a human named, in this process and this thread: for debugging, with every promise kept.

For as long as it takes, this process is a worker of its own: it has a lease, a heartbeat in another thread, and a
claim of that one job. It settles as any worker does. If the lease cannot be extended, the process ends (exit 75)
before the job can be given to another.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import UUID

import psycopg

from pgqueue import instruments
from pgqueue.errors import DatabaseUnreachable
from pgqueue.events import AttemptsFinished, AttemptsLate, DatabaseLost, Finished, Observer, Trouble
from pgqueue.hooks import names_of
from pgqueue.job import Claim
from pgqueue.job_log import Outlet, Said
from pgqueue.judge import UNKNOWN, judge
from pgqueue.outcome import Move, Released
from pgqueue.store import execute, follow_ups, jobs, secrecy, tenants, workers
from pgqueue.store.connection import open_connection
from pgqueue.store.job_rights import WORKERS_OWN, JobRights
from pgqueue.tasks import Modules, declared_follows, import_modules
from pgqueue.worker import task_log
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.middleware import load_middleware
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.claiming.headers import with_headers
from pgqueue.worker.claiming.settler import Settled, settle, settle_alone
from pgqueue.worker.executors.judging import once_targets, registered_fallbacks, registered_secrecies
from pgqueue.worker.hooks.here import Here
from pgqueue.worker.job_rights import require_job_rights
from pgqueue.worker.log_lines import LineStyle, written
from pgqueue.worker.log_writer import say_last
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.chores import Chores, common_chores
from pgqueue.worker.upkeep.clock import lease_clock
from pgqueue.worker.upkeep.fallbacks import Fallbacks
from pgqueue.worker.upkeep.heartbeat import Heartbeat
from pgqueue.worker.upkeep.line_keeper import LineKeeper
from pgqueue.worker.upkeep.progress_keeper import ProgressKeeper
from pgqueue.worker.upkeep.tallies import Tallies

RETIRED = 75
LEASE_SECONDS = 30.0
POLL_SECONDS = 5.0
# How often the lease is compared with the clock.
LOOK_EVERY = 0.2


def run_job(
    dsn: str,
    job_id: UUID,
    *,
    modules: Modules,
    middleware: Sequence[str] = (),
    rights: JobRights = WORKERS_OWN,
    lease: float = LEASE_SECONDS,
    log: tuple[str, str] = ("text", "info"),
    observe: Observer,
) -> Finished | None:
    """Claim this job now, run it here, and write its outcome down; None if it could not be claimed.

    A KeyboardInterrupt gives the attempt back. `observe` hears of trouble with the database; what the task logs is
    written to standard error in the style and from the level that `log` names. Raises AppError, UsageError
    for `rights` that it cannot have, and DatabaseUnreachable before anything is claimed.
    """
    with open_connection(dsn, "run") as conn:
        require_job_rights(conn, rights)
    import_modules(modules)
    worker = secrets.randbits(63)
    progress = ProgressKeeper(worker, observe, lambda: None)
    lines = LineKeeper(observe, lambda: None, progress)
    outlet = Outlet(_shown_and_kept(log[0], lines), show=progress.show)
    attempts = Attempts(dsn, modules, load_middleware(middleware), outlet=outlet, rights=rights)
    try:
        tallies = Tallies(worker)
        leased = _leased(
            dsn, worker, lease, observe, lambda _: attempts.tell(0, Notice.CANCELLED), tallies, (lines, progress)
        )
        with task_log.for_now(), leased:
            task_log.begin(log)
            claim = _claimed(dsn, worker, job_id, attempts)
            if claim is None:
                return None
            settled = _settled(dsn, worker, _attempted(attempts, claim), observe)
            late = settled.settlement.move is Move.LATE
            tallies.hear(AttemptsLate([settled]) if late else AttemptsFinished([settled]))
            for name in names_of(settled, is_late=late):
                for fault in Here().tell(name, settled):
                    observe(Trouble("hooks", fault))
            return settled
    finally:
        attempts.close()


@contextmanager
def _leased(
    dsn: str,
    worker: int,
    lease: float,
    observe: Observer,
    cancelled: Callable[[frozenset[UUID]], None],
    tallies: Tallies,
    said: Sequence[LineKeeper | ProgressKeeper],
) -> Iterator[None]:
    prompt = [each.look for each in said]
    chores = Chores([*common_chores(observe, POLL_SECONDS), (tallies.look, 0.0)], observe, prompt=prompt)
    heartbeat = Heartbeat(
        worker, dsn, observe, chores, lease=lease, turning=lambda: True, evicted=_retire, cancelled=cancelled
    )
    with open_connection(dsn, "run") as conn:
        sent_at = lease_clock()
        length = timedelta(seconds=lease)
        host, pid, once = socket.gethostname(), os.getpid(), once_targets()
        execute(conn, workers.enlist(worker, host, pid, [], "foreground", 1, length, once))
        execute(conn, secrecy.declare(registered_secrecies()))
        Fallbacks(worker, registered_fallbacks).look(conn)
    heartbeat.acknowledged(sent_at)
    heartbeat.loop.start()
    ended = threading.Event()
    threading.Thread(target=_watch, args=(heartbeat, ended), name="pgqueue-lease", daemon=True).start()
    clean = False
    try:
        yield
        clean = True
    finally:
        ended.set()
        heartbeat.loop.stop(1.0)
        # If this fails the lease ends by itself; what was settled is settled.
        with suppress(DatabaseUnreachable, psycopg.Error), open_connection(dsn, "run") as conn:
            for each in said:
                with suppress(psycopg.Error):
                    each.flush(conn)
            with suppress(psycopg.Error):
                tallies.append(conn, last=clean)
            execute(conn, workers.discharge(worker, clean=clean))


def _shown_and_kept(style: str, lines: LineKeeper) -> Callable[[Said], None]:
    """Whoever looks on reads what the job says as it says it."""
    writer = LineStyle(style)

    def put(said: Said) -> None:
        fields = {"job": str(said.job_id), "attempt": said.attempt}
        sys.stderr.write(writer.line(written(said.at), said.level, said.line, fields))
        lines.put(said)

    return put


def _claimed(dsn: str, worker: int, job_id: UUID, attempts: Attempts) -> Claim | None:
    """The claim of the job; if it may run but once the database knows that before it begins."""
    with open_connection(dsn, "run") as conn:
        claim = execute(conn, jobs.claim_one(worker, job_id))
        if claim is not None:
            (claim,) = with_headers(conn, [claim], lambda: bool(instruments.installed))
            claim = claim._replace(tenant=execute(conn, tenants.tenants_of([job_id])).get(job_id))
            # Its module may be imported only now.
            task = attempts.find(claim)
            if task is not None and task.bounds.at_most_once:
                execute(conn, workers.declare(worker, [claim.target]))
            if task is not None and (said := declared_follows(task)) is not None:
                execute(conn, follow_ups.declare([(claim.target, said)], []))
        return claim


def _attempted(attempts: Attempts, claim: Claim) -> Finished:
    began = time.monotonic()
    try:
        finished = attempts.run(claim)
        if finished.settlement.error_type != KeyboardInterrupt.__name__:
            return finished
    except KeyboardInterrupt:
        pass
    # If the interrupt met a COMMIT that went through, the token is used up and this release changes nothing.
    task = attempts.find(claim)
    return Finished(
        claim,
        judge(claim, Released(why="interrupted by Ctrl-C"), UNKNOWN if task is None else task.terms),
        time.monotonic() - began,
    )


def _settled(dsn: str, worker: int, finished: Finished, observe: Observer) -> Finished:
    """Write the outcome down, through any outage that the lease outlives; answers what was written."""
    told = False
    while True:
        try:
            with open_connection(dsn, "run") as conn:
                (written,), late = _settle(conn, worker, finished)
                return _late(written) if late else written
        except (DatabaseUnreachable, psycopg.OperationalError) as error:
            if not told:
                told = True
                observe(DatabaseLost("settler", str(error).strip(), 0.0))
            # The watch ends the process when the lease does.
            time.sleep(LOOK_EVERY)


def _settle(conn: Connection, worker: int, finished: Finished) -> Settled:
    try:
        return settle(conn, worker, [finished])
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise
        return settle_alone(conn, worker, finished, error)


def _late(finished: Finished) -> Finished:
    late = finished.settlement._replace(
        move=Move.LATE, outcome="late", error="its lease had ended; nothing was changed"
    )
    return finished._replace(settlement=late)


def _watch(heartbeat: Heartbeat, ended: threading.Event) -> None:
    while not ended.wait(LOOK_EVERY):
        if heartbeat.lease_left <= 0:
            _retire("no heartbeat was acknowledged for almost a lease")


def _retire(why: str) -> None:
    """End the process at once: code that runs in its main thread cannot be ended otherwise."""
    say_last(sys.stderr, f"Error: the job is somebody else's now: {why}. It was not finished here.\n")
    os._exit(RETIRED)
