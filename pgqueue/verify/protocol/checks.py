"""What a worker must do: each check gives it jobs of three tasks, and looks at what becomes of them.

conformance:echo(value)     returns the value
conformance:fail(message)   fails with the message
conformance:sleep(seconds)  takes so long
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from pgqueue import client
from pgqueue.job import JobState
from pgqueue.returned import result
from pgqueue.store import execute, workers
from pgqueue.verify.protocol.trial import ACTS, ECHO, FAIL, LEASE, SLEEP, STARTS, UNKNOWN, Broken, Trial

# What JSON has, and what is easily lost on the way.
VALUES = (None, True, 0, -1.5, "", "ü \u2028 \\ \" ' $1 %s", [1, [2, {}]], {"a": {"b": [None, "c"]}}, 2**53 - 1)


@dataclass(frozen=True, slots=True)
class Check:
    """`promise` is what is to be kept, `cure` what to do where it is not."""

    name: str
    promise: str
    cure: str
    run: Callable[[Trial], None]


def _lease(trial: Trial) -> None:
    worker = trial.start()
    trial.during(
        2.5 * LEASE, lambda: trial.is_alive(worker), f"an idle worker lost its lease of {LEASE:g} s, or it has ended"
    )


def _claims(trial: Trial) -> None:
    made = [trial.send(ECHO, n) for n in range(20)]
    trial.start()
    for job_id in made:
        trial.until_state(job_id, "succeeded")
        if (outcomes := trial.outcomes(job_id)) != ["succeeded"]:
            raise Broken(f"a job had the attempts {outcomes}, not one that succeeded")


def _order(trial: Trial) -> None:
    first, *rest = [(priority, trial.send(ECHO, priority, priority=priority)) for priority in (2, 0, 9, 5, 7, 9, 1)]
    trial.start()
    started = []
    for priority, job_id in [first, *rest]:
        trial.until_state(job_id, "succeeded")
        (attempt,) = client.attempts(trial.conn, job_id)
        started.append((attempt.started_at, -priority, job_id))
    begun = [-negative for _, negative, _ in sorted(started)]
    if begun != sorted(begun, reverse=True):
        raise Broken(f"jobs that waited together began in the order of these priorities: {begun}")


def _results(trial: Trial) -> None:
    kept = [(value, trial.send(ECHO, value, store_result=True)) for value in VALUES]
    unkept = trial.send(ECHO, 1)
    trial.start()
    for value, job_id in kept:
        trial.until_state(job_id, "succeeded")
        if (returned := result(trial.conn, job_id, timeout=0)) != value:
            raise Broken(f"conformance:echo was given {value!r}, and its result is {returned!r}")
    trial.until_state(unkept, "succeeded")
    found = trial.conn.execute("select from pgqueue.results where job_id = %s", [unkept]).fetchone()
    if found is not None:
        raise Broken("a result was stored that nobody asked for")


def _failure(trial: Trial) -> None:
    job_id = trial.send(FAIL, "no such photo: ü", max_attempts=1)
    after = trial.send(ECHO, 1)
    trial.start()
    trial.until_state(job_id, "dead")
    job, (attempt,) = trial.job(job_id), client.attempts(trial.conn, job_id)
    if "no such photo: ü" not in (attempt.error or "") or not attempt.error_type:
        raise Broken(f"the attempt has the error {attempt.error_type!r}: {attempt.error!r}")
    if (job.reason, attempt.outcome) != ("exhausted", "failed"):
        raise Broken(f"the job is dead of {job.reason!r}, its attempt {attempt.outcome!r}")
    trial.until_state(after, "succeeded")


def _retry(trial: Trial) -> None:
    job_id = trial.send(FAIL, "again", max_attempts=3)
    trial.start()
    for number in (1, 2):
        job = trial.until_state(job_id, "retrying", "dead")
        if job.state is JobState.DEAD or job.attempt != number:
            raise Broken(f"a job with 3 attempts is {job.state} after attempt {job.attempt}")
        client.retry(trial.conn, job_id)
        trial.until_attempts(job_id, number + 1)
    trial.until_state(job_id, "dead")
    numbers = [(each.attempt, each.outcome) for each in client.attempts(trial.conn, job_id)]
    if numbers != [(1, "failed"), (2, "failed"), (3, "failed")]:
        raise Broken(f"its attempts are {numbers}")


def _late(trial: Trial) -> None:
    worker = trial.start()
    job_id = trial.send(SLEEP, 0.5)
    trial.until_state(job_id, "running")
    trial.freeze_past_lease(worker)
    claim = trial.take_over(job_id)
    trial.program.thaw()
    trial.during(LEASE, lambda: trial.runs(job_id), "an attempt that was late ended the job that another worker had")
    if "succeeded" in trial.outcomes(job_id):
        raise Broken("an attempt that was late is recorded as one that succeeded")
    trial.settle(claim)
    trial.until_state(job_id, "succeeded")


def _long(trial: Trial) -> None:
    worker = trial.start()
    job_id = trial.send(SLEEP, 2.5 * LEASE)
    trial.until_state(job_id, "running")
    trial.during(
        2 * LEASE, lambda: trial.is_alive(worker), f"the lease of {LEASE:g} s ran out while a job ran; it has to go on"
    )
    trial.until_state(job_id, "succeeded")
    if (outcomes := trial.outcomes(job_id)) != ["succeeded"]:
        raise Broken(f"a long job had the attempts {outcomes}")


def _lost(trial: Trial) -> None:
    worker = trial.start()
    trial.freeze_past_lease(worker)
    trial.program.thaw()
    before = trial.worker_ids()
    trial.until(
        lambda: trial.program.code is not None or trial.worker_ids() - before,
        2 * LEASE + ACTS,
        "a worker whose lease was gone goes on as if nothing had happened",
    )


def _graceful(trial: Trial) -> None:
    worker = trial.start()
    job_id, waiting = trial.send(SLEEP, 600), trial.send(ECHO, 1, delay=600)
    trial.until_state(job_id, "running")
    trial.program.terminate()
    later = trial.send(ECHO, 2)
    trial.until(
        lambda: trial.program.code is not None,
        STARTS + ACTS,
        f"on SIGTERM the worker did not end; its job is {trial.job(job_id).state}",
    )
    if trial.program.code:
        raise Broken(f"on SIGTERM it ended with {trial.program.code}, not 0: {trial.program.printed}")
    job = trial.job(job_id)
    if trial.runs(job_id) or job.attempt or worker in trial.worker_ids():
        raise Broken(f"after SIGTERM the job is {job.state} with {job.attempt} attempts used, not given back")
    if {trial.job(waiting).state, trial.job(later).state} - {JobState.SCHEDULED, JobState.READY}:
        raise Broken("after SIGTERM it took another job")


def _asked(trial: Trial) -> None:
    worker = trial.start()
    execute(trial.conn, workers.ask(worker, "stop"))
    trial.until(lambda: trial.program.code is not None, LEASE + ACTS, "a worker that was asked to stop did not")
    if trial.program.code or worker in trial.worker_ids():
        raise Broken(f"asked to stop, it ended with {trial.program.code}, or left its lease behind")


def _unknown(trial: Trial) -> None:
    job_id = trial.send(UNKNOWN, 1)
    after = [trial.send(ECHO, n) for n in range(3)]
    trial.start()
    for each in after:
        trial.until_state(each, "succeeded")
    trial.until(lambda: trial.was_claimed(job_id), ACTS, "a job of an unknown target was not claimed")
    time.sleep(1)
    job = trial.job(job_id)
    if trial.runs(job_id) or job.state is JobState.SUCCEEDED or job.attempt:
        raise Broken(f"a job that nothing is known of is {job.state}, with {job.attempt} attempts used")
    if job.state is JobState.DEAD and job.reason != "unregistered":
        raise Broken(f"a job that nothing is known of is dead of {job.reason!r}")


def _expired(trial: Trial) -> None:
    job_id = trial.send(ECHO, str(uuid4()), ttl=0.1, store_result=True)
    time.sleep(0.3)
    trial.start()
    job = trial.until_state(job_id, "dead", "succeeded")
    if (job.state, job.reason, trial.outcomes(job_id)) != (JobState.DEAD, "expired", ["expired"]):
        raise Broken(f"a job past its ttl is {job.state}, reason {job.reason!r}: {trial.outcomes(job_id)}")


CHECKS = (
    Check(
        "lease", "enlists, and extends its lease while it is idle", "call heartbeat() every third of the lease", _lease
    ),
    Check("claims", "claims jobs and settles each once", "settle by step(), with the claim that it answered", _claims),
    Check("order", "begins jobs of a higher priority first", "give step() a slot for each priority, 9 first", _order),
    Check(
        "results",
        "gives arguments and results back as they are",
        "send results as JSON in result_ids and results, of jobs with store_result alone",
        _results,
    ),
    Check(
        "failure",
        "buries a job whose attempts are used up",
        "fail() with outcome 'failed', no delay, reason 'exhausted', and what the error says",
        _failure,
    ),
    Check("retry", "tries a job again", "fail() with a delay while attempt is less than max_attempts", _retry),
    Check(
        "long", "keeps its lease during long jobs", "call heartbeat() on a connection and a thread of its own", _long
    ),
    Check(
        "late", "changes nothing when it is late", "settle through the functions alone, never by SQL of its own", _late
    ),
    Check(
        "lost",
        "notices that its lease is gone",
        "end, or enlist anew, when heartbeat() or step() say alive is false",
        _lost,
    ),
    Check(
        "graceful",
        "gives back what it runs on SIGTERM",
        "stop claiming, wait a few seconds, release() what still runs, discharge(), and exit with 0",
        _graceful,
    ),
    Check("asked", "stops when it is asked to", "look at what heartbeat() answers as asked", _asked),
    Check(
        "unknown", "leaves jobs that it does not know to others", "park() what has a target you do not know", _unknown
    ),
    Check("ttl", "starts no job past its ttl", "fail() rows with expired true: outcome and reason 'expired'", _expired),
)
