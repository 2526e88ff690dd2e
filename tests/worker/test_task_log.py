"""What tasks log is written by whatever runs them, with the job that it belongs to, and once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import structlog

from pgqueue.context import JobContext, running
from pgqueue.job import Claim
from pgqueue.logs import JobFilter, add_job
from pgqueue.worker import task_log
from pgqueue.worker.log_lines import LINE_LIMIT, LineStyle
from pgqueue.worker.log_writer import LogWriter, Taker
from pgqueue.worker.task_log import TaskLog
from tests.postgres import ROOT
from tests.worker.claims import claim
from tests.worker.running import KINDS

TELLING, CONFIGURED = "tests.worker.logging_tasks", "tests.worker.configured_tasks"
Conn = psycopg.Connection[Any]
Run = Callable[..., str]


@pytest.fixture
def run(dsn: str) -> Run:
    """Run a command to its end; answers what it wrote to standard error."""

    def run(*words: str) -> str:
        env = os.environ | {"PGQUEUE_DSN": dsn}
        ran = subprocess.run(
            [sys.executable, "-m", "pgqueue", *words], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    return run


def enqueued(conn: Conn, target: str, args: str = '["it"]') -> str:
    with conn.transaction():
        row = conn.execute("select pgqueue.enqueue(%s, %s::json)", [target, args]).fetchone()
    assert row is not None
    return str(row[0])


def worked(run: Run, app: str, kind: str, *words: str) -> str:
    return run("worker", "-A", app, "-x", kind, "-c", "1", "--burst", *words)


@pytest.mark.parametrize(("kind", "task"), [*((kind, "tell") for kind in KINDS), ("async", "tell_async")])
def test_a_line_of_a_task_carries_its_job(run: Run, conn: Conn, kind: str, task: str) -> None:
    job = enqueued(conn, f"{TELLING}:{task}")
    lines = [json.loads(line) for line in worked(run, TELLING, kind, "--log-format", "json").splitlines()]
    (told,) = [line for line in lines if line["event"] == "told it"]
    assert told["level"] == "info"
    expected = {"job": job, "target": f"{TELLING}:{task}", "queue": "default", "attempt": 1, "logger": "shop"}
    assert expected.items() <= told.items()
    assert told.get("order") == (7 if task == "tell" else None)
    (ended,) = [line for line in lines if line["event"] == "succeeded"]
    assert {"job": job, "queue": "default", "outcome": "succeeded"}.items() <= ended.items()
    assert ended["wait_ms"] >= 0
    assert ended["worker"] > 0


def test_a_job_in_the_foreground_tells_it_as_text(run: Run, conn: Conn) -> None:
    job = enqueued(conn, f"{TELLING}:tell")
    (line,) = [line for line in run("jobs", "run", job, "-A", TELLING).splitlines() if "told it" in line]
    assert f"INFO    told it  job={job} target={TELLING}:tell queue=default attempt=1 logger=shop order=7" in line


def test_the_level_of_the_worker_holds_for_tasks(run: Run, conn: Conn) -> None:
    enqueued(conn, f"{TELLING}:tell")
    assert "told" not in worked(run, TELLING, "process", "--log-level", "warning")


def test_a_forked_copy_of_a_job_is_heard_too(run: Run, conn: Conn) -> None:
    enqueued(conn, f"{TELLING}:tell_from_a_copy")
    assert worked(run, TELLING, "process").count("told it") == 1


@pytest.mark.parametrize("where", ["a pipe", pytest.param("a file", marks=pytest.mark.faults)])
def test_the_last_line_before_a_crash_is_written(dsn: str, conn: Conn, tmp_path: Path, where: str) -> None:
    enqueued(conn, f"{TELLING}:tell_and_die")
    command = [sys.executable, "-m", "pgqueue", "worker", "-A", TELLING, "-c", "1", "--burst"]
    env = os.environ | {"PGQUEUE_DSN": dsn}
    if where == "a pipe":
        said = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60).stderr
    else:
        with (tmp_path / "log").open("w") as log:
            subprocess.run(command, env=env, cwd=ROOT, stderr=log, timeout=60)
        said = (tmp_path / "log").read_text()
    assert said.count("told it") == 1
    assert "signal 9 (SIGKILL)" in said


def test_a_line_does_not_go_to_a_file_that_has_the_number_of_ours(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with ours.open("w") as stream:
        taker = Taker(stream)
        assert taker.takes("one\n")
        with theirs.open("w") as other:
            os.dup2(other.fileno(), stream.fileno())
        assert not taker.takes("two\n")
    assert (ours.read_text(), theirs.read_text()) == ("one\n", "")


def test_a_full_pipe_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader):
        taker = Taker(stream)
        taken = sum(taker.takes("x" * 999 + "\n") for _ in range(1_000))
    assert 0 < taken < 1_000


def test_an_application_that_configured_logging_is_not_doubled(run: Run, conn: Conn) -> None:
    job = enqueued(conn, f"{CONFIGURED}:tell")
    told = [line for line in worked(run, CONFIGURED, "process").splitlines() if "told it" in line]
    assert told == [f"OWN INFO told it job={job} attempt=1"]


def test_the_lines_of_a_worker_go_to_the_handlers_of_the_application_in_its_process(run: Run, conn: Conn) -> None:
    job = enqueued(conn, f"{CONFIGURED}:tell")
    lines = worked(run, CONFIGURED, "thread").splitlines()
    assert f"OWN INFO succeeded job={job} attempt=1" in lines
    assert lines.count(f"OWN INFO told it job={job} attempt=1") == 1
    assert all(line.startswith("OWN ") for line in lines)


class Written(LogWriter):
    """Takes lines, and writes none."""

    def __init__(self) -> None:
        super().__init__(sys.stderr, str)
        self.lines: list[str] = []

    def write(self, text: str, lines: int, *, at_once: bool = False) -> None:
        self.lines.append(text)


@pytest.fixture
def logger() -> logging.Logger:
    """A logger whose lines go nowhere but to the handler under test."""
    logger = logging.Logger("shop", logging.DEBUG)
    logger.propagate = False
    return logger


def said(logger: logging.Logger, style: str, *args: Any, **more: Any) -> str:
    written = Written()
    handler = TaskLog(style, "debug", written)
    logger.addHandler(handler)
    logger.info(*args, **more)
    logger.removeHandler(handler)
    (line,) = written.lines
    return line


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


HOSTILE: list[tuple[Any, ...]] = [
    ("\x1b[31m\x9b2J\x7f\u202e\u2028\x85\ud800\r\nfake line",),
    ("x" * 1_000_000,),
    ("\x1b" * 1_000_000,),
    ("\N{EURO SIGN}" * 1_000_000,),
    ("%s", Unspeakable()),
    (Unspeakable(),),
    ("%d and %d", 1),
    ("%s", 10**5_000),
    ({"a": [1] * 100_000},),
    (None,),
]


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("args", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_task_logs_is_one_harmless_line_of_8_kb_at_most(
    logger: logging.Logger, style: str, args: tuple[Any, ...]
) -> None:
    line = said(logger, style, *args, extra={"more": args[-1], "\x1b\n": "\x1b" * 9_000, "job": "mine"})
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    assert len(line.encode()) <= LINE_LIMIT
    if style == "json":
        assert json.loads(line)["logger" if "logger" in line else "event"]


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_line_with_any_number_of_fields_is_bounded(logger: logging.Logger, style: str) -> None:
    extra = {f"field-{number}": "\x1b" * 500 for number in range(10_000)}
    assert len(said(logger, style, "many", extra=extra).encode()) <= LINE_LIMIT
    fields = {f"field-{number}": "\x1b" * 500 for number in range(10_000)} | {"job": "j" * 10_000}
    assert len(LineStyle(style).line("now", "info", "many", fields).encode()) <= LINE_LIMIT


def test_of_an_error_the_end_of_its_traceback_is_kept(logger: logging.Logger) -> None:
    try:
        raise ValueError("a" * 3_000 + " the end")
    except ValueError:
        line = json.loads(said(logger, "json", "failed", exc_info=True))
    assert line["error"].endswith("the end")


def test_logging_is_left_as_it_was() -> None:
    before = logging.lastResort, logging.getLogger().level
    with task_log.for_now():
        task_log.begin(("text", "info"))
        with task_log.for_now():
            task_log.begin(("json", "debug"))
            assert isinstance(logging.lastResort, TaskLog)
        assert isinstance(logging.lastResort, TaskLog)
    assert (logging.lastResort, logging.getLogger().level) == before


@pytest.fixture
def job() -> Any:
    """A job that runs here."""
    taken: Claim = claim("give", id=uuid4())
    token = running.set(JobContext(taken, [], {}, None))
    yield taken
    running.reset(token)


def test_the_filter_gives_the_fields_and_leaves_what_a_record_says_itself(job: Claim) -> None:
    record = logging.makeLogRecord({"queue": "of its own"})
    assert JobFilter().filter(record)
    assert (vars(record)["job"], vars(record)["queue"]) == (str(job.id), "of its own")
    assert vars(record)["attempt"] == job.attempt


def test_outside_of_a_job_the_fields_are_there_and_say_nothing() -> None:
    record = logging.makeLogRecord({})
    assert JobFilter().filter(record)
    assert [vars(record)[name] for name in ("job", "target", "queue", "attempt")] == [None] * 4


def test_the_processor_for_structlog_adds_the_fields(job: Claim) -> None:
    assert add_job(None, "info", {"event": "x", "queue": "mine"}) == {
        "event": "x",
        "job": str(job.id),
        "target": job.target,
        "queue": "mine",
        "attempt": job.attempt,
    }


def test_structlog_names_the_job(job: Claim, capsys: pytest.CaptureFixture[str]) -> None:
    logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[add_job, structlog.processors.JSONRenderer()])
    logger.info("sent", order=7)
    told = json.loads(capsys.readouterr().out)
    assert (told["event"], told["order"], told["job"], told["queue"]) == ("sent", 7, str(job.id), job.queue)
