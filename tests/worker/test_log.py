"""What the log says of each event, as text and as JSON."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from typing import Any

import pytest

from pgqueue import events
from pgqueue.events import Event, Finished
from pgqueue.job import Claim
from pgqueue.judge import judge
from pgqueue.outcome import Cancelled, Ended, Failed, Outcome, Reason, Released, Succeeded, Unregistered, error_report
from pgqueue.worker.log import LogObserver
from pgqueue.worker.log_records import LOGGER, MOST_WAITING
from pgqueue.worker.sparing import Sparing
from tests.waiting import wait_until
from tests.worker.claims import TASKS, claim

ERROR = error_report("ValueError", 'no "such" file\nor folder')


def test_of_jobs_that_are_unknown_here_one_line_a_target_is_written_for_now() -> None:
    stream = io.StringIO()
    log = LogObserver("json", "info", stream)
    gaps = [finished(Unregistered(error_report("Unregistered", "no such task"))) for _ in range(3_000)]
    other = finished(Unregistered(error_report("Unregistered", "no such task")))
    other = other._replace(claim=other.claim._replace(target="elsewhere:task"))
    log(events.AttemptsFinished(gaps))
    log(events.AttemptsFinished([*gaps, other]))
    log.flush()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["target"] for line in lines] == [gaps[0].claim.target, "elsewhere:task"]


def test_what_was_spared_is_counted_when_it_is_said_again() -> None:
    sparing = Sparing(1.0)
    assert [sparing.spare("a") for _ in range(3)] == [0, None, None]
    time.sleep(1.1)
    assert [sparing.spare("a"), sparing.spare("b")] == [2, 0]


def finished(outcome: Outcome, **changes: Any) -> Finished:
    taken: Claim = claim("give", **changes)
    return Finished(taken, judge(taken, outcome), 0.0123, time.monotonic())


def logged(event: Event, style: str = "text", level: str = "info") -> str:
    stream = io.StringIO()
    log = LogObserver(style, level, stream)
    log(event)
    log.flush()
    return stream.getvalue()


def parsed(event: Event, level: str = "info") -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(event, "json", level).splitlines()]


def test_a_line_names_job_target_attempt_and_milliseconds() -> None:
    done = finished(Succeeded())
    (line,) = parsed(events.AttemptsFinished([done]))
    assert line.pop("time").count(":") >= 2
    assert line.pop("wait_ms") >= 0
    assert line == {
        "level": "info",
        "event": "succeeded",
        "job": str(done.claim.id),
        "target": f"{TASKS}:give",
        "queue": done.claim.queue,
        "attempt": 1,
        "outcome": "succeeded",
        "ms": 12.3,
        "worker": done.claim.worker,
    }
    text = logged(events.AttemptsFinished([done]))
    named = f"job={done.claim.id} target={TASKS}:give queue={done.claim.queue} attempt=1 ms=12.3 wait_ms="
    assert f"INFO    succeeded  {named}" in text


def test_a_line_of_a_job_that_carries_its_trace_has_its_id() -> None:
    done = finished(Succeeded(), headers='{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}')
    (line,) = parsed(events.AttemptsFinished([done]))
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    (other,) = parsed(events.AttemptsFinished([finished(Succeeded(), headers='{"traceparent": "\x1b"}')]))
    assert "trace_id" not in other


@pytest.mark.parametrize(
    ("outcome", "level", "message"),
    [
        (Failed(ERROR, delay=7), "warning", "failed, retry in 7 s"),
        (Failed(ERROR, retryable=False), "error", "dead: not retried"),
        (Ended(Reason.BURIED, ERROR), "error", "dead: buried"),
        (Cancelled("not wanted"), "info", "cancelled"),
        (Released(5.0), "info", "released"),
    ],
)
def test_each_outcome_has_its_level_and_its_words(outcome: Outcome, level: str, message: str) -> None:
    (line,) = parsed(events.AttemptsFinished([finished(outcome)]))
    assert (line["level"], line["event"]) == (level, message)


@pytest.mark.parametrize("why", ["snoozed for 5 s", "its worker ended while it ran"])
def test_a_release_says_why(why: str) -> None:
    (line,) = parsed(events.AttemptsFinished([finished(Released(5.0, why=why))]))
    assert (line["event"], line["why"]) == ("released", why)
    assert "error" not in line


def test_an_event_is_one_line_whatever_the_error_says() -> None:
    text = logged(events.AttemptsFinished([finished(Failed(ERROR))]))
    assert text.count("\n") == 1
    assert r'error="ValueError: no \"such\" file\nor folder"' in text


@pytest.mark.parametrize(
    "event",
    [
        events.AttemptsLate([finished(Succeeded())]),
        events.WorkerStarted(1, [], "thread", 2),
        events.WorkerStopping(1, "SIGTERM"),
        events.WorkerStopped(1, 0),
        events.LeasesReaped([2, 3], 4),
        events.DatabaseLost("claimer", "it went away", 1.23),
        events.DatabaseLost("claimer", "disk full", 1.23, refused=True),
        events.DatabaseBack("claimer", 1.23),
        events.ChildEnded(7, "signal 9 (SIGKILL)"),
        events.Trouble("listener", "what", "do this"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_event_makes_one_line_in_both_styles(event: Event) -> None:
    assert logged(event).count("\n") == 1
    (line,) = parsed(event)
    assert {"time", "level", "event"} < set(line)


def test_a_refusal_is_not_called_a_loss() -> None:
    refused, lost = (events.DatabaseLost("claimer", "what", 1.0, refused=refused) for refused in (True, False))
    assert [line["event"] for line in parsed(refused)] == ["database refuses, trying again"]
    assert [line["event"] for line in parsed(lost)] == ["database lost, trying again"]


def test_what_lies_below_the_level_is_left_out() -> None:
    batch = [finished(Succeeded()), finished(Failed(ERROR)), finished(Ended(Reason.BURIED, ERROR))]
    assert len(parsed(events.AttemptsFinished(batch), "info")) == 3
    assert len(parsed(events.AttemptsFinished(batch), "warning")) == 2
    assert len(parsed(events.AttemptsFinished(batch), "error")) == 1
    assert parsed(events.WorkerStarted(1, ["mail"], "thread", 2), "error") == []


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_dump_is_shown_at_every_level_and_is_no_error(level: str) -> None:
    dump = events.WorkerDumped(1, {"phase": "working"}, [{"job": "x"}], {"main": "here.py:1 f"})
    assert [(line["event"], line["level"]) for line in parsed(dump, level)] == [
        ("dump", "info"),
        ("dump: job", "info"),
        ("dump: thread", "info"),
    ]


def test_a_batch_is_written_at_once() -> None:
    class Stream(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            Stream.writes += 1
            return super().write(text)

    log = LogObserver(stream=Stream())
    log(events.AttemptsFinished([finished(Succeeded()) for _ in range(50)]))
    log.flush()
    assert Stream.writes == 1


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_text_of_a_job_steers_who_reads_the_log(style: str) -> None:
    steering = "\x1b[31m\x9b2J\x7f\u202e\u2028\u2029\x85\ud800"
    done = finished(Failed(error_report("E\u202e", steering)), target=f"shop:send{steering}")
    for event in (events.AttemptsFinished([done]), events.Trouble(steering, steering), events.ChildEnded(1, steering)):
        line = logged(event, style)
        assert line.endswith("\n")
        assert line[:-1].isprintable()


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_line_is_bounded_whatever_a_target_or_an_error_is_long(style: str) -> None:
    done = finished(Failed(error_report("E", "x" * 4_000)), target="shop:" + "\x1b" * 1_000_000)
    assert len(logged(events.AttemptsFinished([done]), style).encode()) <= 8 * 1024


def test_where_the_application_has_handlers_lines_are_records_with_fields_of_stable_names(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = finished(Failed(error_report("E", "no\x1b"), delay=7))
    log = LogObserver()
    with caplog.at_level("INFO", "pgqueue.worker"):
        log(events.AttemptsFinished([done]))
        log(events.WorkerDumped(1, {"phase": "working"}, [], {"main": "here.py:1 f"}))
        log.flush()
    failed, *_, thread = caplog.records
    assert (failed.name, failed.levelname, failed.getMessage()) == ("pgqueue.worker", "WARNING", "failed, retry in 7 s")
    named = ("job", "target", "queue", "attempt", "outcome", "ms", "wait_ms", "worker", "error")
    assert set(named) <= set(vars(failed))
    assert vars(failed)["error"] == r"E: no\x1b"
    assert vars(thread)["thread_"] == "main"


def test_a_handler_that_waits_holds_up_nobody_and_what_is_lost_is_said() -> None:
    class Stuck(logging.Handler):
        def __init__(self) -> None:
            super().__init__()
            self.let_go = threading.Event()
            self.said: list[str] = []

        def emit(self, record: logging.LogRecord) -> None:
            self.let_go.wait(20)
            self.said.append(record.getMessage())

    handler = Stuck()
    LOGGER.addHandler(handler)
    try:
        log = LogObserver()
        for _ in range(2 * MOST_WAITING):
            log(events.Trouble("listener", "what"))
        log(events.AttemptsFinished([finished(Failed(ERROR))]))
        handler.let_go.set()
        wait_until(lambda: "log lines dropped" in handler.said)
    finally:
        LOGGER.removeHandler(handler)
    assert MOST_WAITING <= len(handler.said) <= MOST_WAITING + 2
