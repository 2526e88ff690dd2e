"""Tasks that log, as those of an application do."""

from __future__ import annotations

import logging
import os
import signal

from pgqueue.tasks import task

log = logging.getLogger("shop")


@task
def tell(words: str) -> None:
    log.info("told %s", words, extra={"order": 7})


@task
async def tell_async(words: str) -> None:
    log.info("told %s", words)


@task
def tell_from_a_copy(words: str) -> None:
    if (pid := os.fork()) == 0:
        log.info("told %s", words)
        os._exit(0)
    os.waitpid(pid, 0)


@task
def tell_much(lines: int) -> None:
    for number in range(lines):
        log.info("line %s %s", number, "x" * 200)


@task(max_attempts=1)
def tell_and_die(words: str) -> None:
    log.info("told %s", words)
    os.kill(os.getpid(), signal.SIGKILL)
