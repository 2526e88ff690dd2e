"""The tasks that tell people: a worker that serves `pgqueue.alerts` may run them, without being told of an app."""

from __future__ import annotations

import json

import psycopg

from pgqueue.alerting.channels import channel_of
from pgqueue.alerting.composing import compose
from pgqueue.alerting.errors import NotSentError
from pgqueue.context import JobContext, current_job, home_database
from pgqueue.database import dsn_of
from pgqueue.doctor import CHECKS, Status, diagnose
from pgqueue.errors import OptionError
from pgqueue.redaction import Redaction
from pgqueue.retry import Backoff
from pgqueue.store import alerts, execute, secrecy
from pgqueue.store.connection import open_connection
from pgqueue.tasks import task

QUEUE = "pgqueue.alerts"
# Of these there are alerts of their own; and none tells that it could not be told.
TOLD_OTHERWISE = {"horizon", "queues_unserved", "schedules_missed", "causes", "oldest", "alerts"}


@task(queue=QUEUE, max_attempts=12, timeout=60, priority=9, retry=Backoff(first=5, factor=3, cap=900))
def send(key: str, channel: str) -> None:
    """Send what an alert has for a channel: the newest message alone, whatever came before and was not sent.

    What was sent is written down in the transaction of the job's success. Killed in between, the job sends it again,
    with the same id.
    """
    job = current_job()
    dsn = dsn_of(home_database(), "alerts")
    while (unsent := _unsent(dsn, key, channel)) is not None:
        _deliver(dsn, key, channel, unsent)
        if not _went_on(dsn, job, key, channel, unsent.number):
            return


@task(queue=QUEUE, max_attempts=1, timeout=300)
def examine() -> None:
    """Ask the doctor, and note each FAIL."""
    dsn = dsn_of(home_database(), "alerts")
    checks = [check for check in CHECKS if check.name not in TOLD_OTHERWISE]
    failed = [verdict for verdict in diagnose(dsn, checks) if verdict.status is Status.FAIL]
    with open_connection(dsn, "alerts") as conn:
        for verdict in failed:
            facts = json.dumps({"text": verdict.text[:1_000], "cure": (verdict.cure or "")[:1_000]})
            execute(conn, alerts.note("doctor", verdict.check, 1, facts))


def _unsent(dsn: str, key: str, channel: str) -> alerts.Unsent | None:
    with open_connection(dsn, "alerts") as conn:
        return execute(conn, alerts.unsent(key, channel))


def _deliver(dsn: str, key: str, channel: str, unsent: alerts.Unsent) -> None:
    with open_connection(dsn, "alerts") as conn:
        known = Redaction().knowing(execute(conn, secrecy.every()))
        message = compose(key, unsent, _source(conn), lambda cause: execute(conn, alerts.sample(cause)), known)
    try:
        # No connection is held while somebody else is waited for.
        channel_of(unsent.channel_kind, json.loads(unsent.settings)).deliver(message)
    except (NotSentError, OptionError) as error:
        with open_connection(dsn, "alerts") as conn:
            execute(conn, alerts.failed(key, channel, unsent.number, str(error)))
        raise


def _went_on(dsn: str, job: JobContext, key: str, channel: str, number: int) -> bool:
    """Write down that it was sent, and the job's success with it, unless a newer message waits: then it goes on."""
    with open_connection(dsn, "alerts") as conn, conn.transaction():
        newer = execute(conn, alerts.sent(key, channel, number))
        if not newer:
            job.complete(conn)
        return newer


def _source(conn: psycopg.Connection[tuple[object, ...]]) -> str:
    """What people call this database."""
    host = conn.info.host
    return conn.info.dbname if not host or host.startswith("/") else f"{conn.info.dbname}@{host}"
