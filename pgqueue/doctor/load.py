"""How full the server is: notifications, connections; how large arguments are, and how long jobs wait."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.doctor.patient import Patient, first
from pgqueue.doctor.verdict import Found, Status, fail, lasting, ok, warn

NEWEST_JOBS = 2_000
QUEUES_LOOKED_AT = 200


def notify_queue(patient: Patient) -> Found:
    """The server's queue of notifications is far from full; if it were, every producer's COMMIT would fail."""
    usage, pid, who = first(patient.ask("notify_queue"))
    if usage <= patient.bounds.notify_queue:
        return ok(f"{usage:.0%} full")
    text = f"{usage:.4%} full: a session that listens has a transaction open"
    if pid is None:
        return warn(f"{text}, in another database", "look for old transactions in pg_stat_activity")
    text = f"{text}, perhaps pid {pid} ({who})"
    cures = [f"select pg_terminate_backend({pid});"]
    return fail(text, sql=cures) if usage > patient.bounds.notify_queue_fails else warn(text, sql=cures)


def connections(patient: Patient) -> Found:
    """There is room for more connections."""
    used, most, ours = first(patient.ask("connections"))
    text = f"{used:,} of {most:,} connections are in use, {ours:,} of them by pgqueue"
    if used <= most * patient.bounds.connections:
        return ok(text)
    cures = [f"alter system set max_connections = {2 * most};"]
    cure = f"{cures[0]}  -- and a restart; or a pooler before the applications"
    return fail(text, cure, cures) if used > most * patient.bounds.connections_fails else warn(text, cure, cures)


def args_size(patient: Patient) -> Found:
    """Arguments are small; large ones are written again by each attempt that ends, and read by each claim."""
    rows = patient.ask("args_size", NEWEST_JOBS)
    if not rows:
        return ok("no job waits")
    job_id, target, largest, average = rows[0]
    if largest <= patient.bounds.args_bytes:
        return ok(f"{average:,} bytes on average, {largest:,} at most, of the newest {NEWEST_JOBS:,} jobs")
    return warn(
        f"job {job_id} of {target} has arguments of {largest:,} bytes; the average is {average:,}",
        f"store such a value elsewhere and pass its id; this job: pgqueue jobs cancel {job_id}",
    )


def oldest(patient: Patient) -> Found:
    """No job has been due for very long."""
    rows = patient.ask("oldest", QUEUES_LOOKED_AT)
    if not rows:
        return ok("no job is due")
    job_id, queue, seconds = rows[0]
    text = f"job {job_id} of queue {queue} has been due for {lasting(max(0.0, seconds))}"
    age = timedelta(seconds=seconds)
    if age <= patient.bounds.oldest:
        return ok(text)
    status = Status.FAIL if age > patient.bounds.oldest_fails else Status.WARN
    return Found(status, text, f"pgqueue jobs explain {job_id}")
