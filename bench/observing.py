"""What it costs to look on: a job's share, with and without, of log lines, metrics and traces.

`python -m bench.observing` prints microseconds a job; no database is needed.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pgqueue import instruments
from pgqueue.events import AttemptsFinished, Event, succeeded
from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.metrics.meter import Meter
from pgqueue.tasks import task
from pgqueue.worker import task_log
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.log import LogObserver

BATCH = 100
ROUNDS = 200


@task
def nothing() -> None:
    """Do nothing."""


@task
def one_line() -> None:
    """Log one line."""
    logging.getLogger("shop").info("done")


def main() -> None:
    """Print what each costs."""
    batch = AttemptsFinished([succeeded(_claim("nothing"), 0.01) for _ in range(BATCH)])
    with open(os.devnull, "w") as nowhere:
        _print("counted for /metrics", _per_job(lambda: _hear(Meter(), batch)))
        _print("a log line of the worker, text", _per_job(lambda: _hear(LogObserver("text", "info", nowhere), batch)))
        _print("a log line of the worker, JSON", _per_job(lambda: _hear(LogObserver("json", "info", nowhere), batch)))
    attempts = Attempts("", [__name__], ())
    plain = _print("an attempt", _per_job(lambda: _run(attempts, "nothing")))
    with task_log.for_now():
        logging.disable(logging.INFO)
        _print("... whose log line is below the level", _per_job(lambda: _run(attempts, "one_line")), plain)
        logging.disable(logging.NOTSET)
    try:
        from opentelemetry.sdk.trace import TracerProvider

        import pgqueue.otel
    except ImportError:
        return
    pgqueue.otel.instrument(tracer_provider=TracerProvider())
    _print("... traced, without an exporter", _per_job(lambda: _run(attempts, "nothing")), plain)
    pgqueue.otel.uninstrument()
    assert not instruments.installed
    _print("... traced no more", _per_job(lambda: _run(attempts, "nothing")), plain)


def _per_job(act: Callable[[], None]) -> float:
    """Microseconds, of the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - began)
    return best / BATCH * 1e6


def _hear(observer: Callable[[Event], None], batch: AttemptsFinished) -> None:
    observer(batch)


def _run(attempts: Attempts, name: str) -> None:
    claim = _claim(name)
    for number in range(BATCH):
        done = attempts.run(claim, number)
    assert done.settlement.outcome == "succeeded", done.settlement


def _print(what: str, cost: float, beside: float | None = None) -> float:
    ratio = "" if beside is None else f"   {cost / beside:.2f} x"
    print(f"{what:45} {cost:8.2f} us{ratio}")
    return cost


def _claim(name: str) -> Claim:
    target = f"{__name__}:{name}"
    now = datetime.now(UTC)
    return Claim(new_job_id(), 1, 1, 0, None, None, None, 5, "default", target, "{}", None, now, 1)


if __name__ == "__main__":
    main()
