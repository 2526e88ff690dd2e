"""Tasks that say what they do by `job.log`, or log it."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

from pgqueue.context import JobContext, current_job
from pgqueue.job_log import JobLog
from pgqueue.logs import JobLogHandler
from pgqueue.retry import Fixed
from pgqueue.tasks import task

log = logging.getLogger("shop")
handled = logging.getLogger("shop.handled")
handled.addHandler(JobLogHandler())


@task(retry=Fixed(0.01), max_attempts=2)
def say(words: str) -> None:
    job = current_job()
    job.log("said %s", words)
    job.log.warning("and %(what)s", {"what": "warned"})
    if job.attempt == 1:
        raise ValueError("no paper")


@task(retry=Fixed(0.01), max_attempts=2)
async def say_async(words: str) -> None:
    say.function(words)


@task
def say_and_wait(path: str) -> None:
    current_job().log("waiting")
    while not Path(path).exists():
        time.sleep(0.01)


@task(max_attempts=1)
def say_and_die(path: str) -> None:
    say_and_wait.function(path)
    os.kill(os.getpid(), signal.SIGKILL)


@task
def say_much(lines: int) -> None:
    for number in range(lines):
        current_job().log("line %s", number)


@task(max_attempts=1, timeout=0.3, soft_timeout=0.2)
def say_for_ever() -> None:
    job = current_job()
    while True:
        # Each may say as much as an attempt may.
        JobLog((job.id, _claim_of(job), job.attempt), [], job._outlet)("on and on")


@task(max_attempts=1)
def say_often(path: str, seconds: float) -> None:
    """Say a number, and write down when that was, again and again."""
    until, number = time.monotonic() + seconds, 0
    with open(path, "a", buffering=1) as file:
        while time.monotonic() < until:
            number += 1
            current_job().log(str(number))
            file.write(f"{time.time()} {number}\n")
            time.sleep(0.1)


@task
def tell_a_secret(password: str, name: str) -> None:
    current_job().log("%s has %r", name, password)
    current_job().log("the url is postgresql://ann:%s@db/shop, and token=abcdef", "x" * 5)


@task
def log_it(words: str) -> None:
    log.debug("debugged %s", words)
    log.info("logged %s", words)
    try:
        raise KeyError(words)
    except KeyError:
        log.exception("failed")


@task(store_logs="warning")
def log_warnings() -> None:
    log.info("not this")
    log.warning("but this")


@task(store_logs="off")
def log_nothing() -> None:
    log.error("not this")


@task
def log_by_a_handler() -> None:
    handled.warning("by a handler")


def _claim_of(job: JobContext) -> int:
    return job._claim.claim
