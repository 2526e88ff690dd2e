"""What others write elsewhere is answered with what is written here."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import pgqueue
from pgqueue import NewJob
from pgqueue.enqueued import Enqueued
from pgqueue.workflows import Started
from tests.client.limited_tasks import send
from tests.postgres import ROOT

ENQUEUED: Any = Enqueued(uuid.UUID(int=1), True)
STARTED: Any = Started(uuid.UUID(int=1), True)
TASK: Any = send
JOB: Any = NewJob("shop:send")
CHAIN: Any = pgqueue.chain(JOB)
MODULE: Any = pgqueue


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        (lambda: TASK.apply_async((1,)), r"task.using\(delay=60"),
        (lambda: TASK.perform_later(1), r"task.enqueue\(conn"),
        (lambda: TASK.perform_async(1), r"task.enqueue\(conn"),
        (lambda: TASK.send(1), r"task.enqueue\(conn"),
        (lambda: TASK.defer(x=1), r"task.enqueue\(conn"),
        (lambda: TASK.enqueue_in(60, 1), r"task.using\(delay=60"),
        (lambda: TASK.s(1), r"task.job\("),
        (lambda: TASK.starmap([]), r"pgqueue.starmap\("),
        (lambda: TASK.update_state(state="x"), r"progress\("),
        (lambda: ENQUEUED.get(timeout=3), r"pgqueue.result\("),
        (lambda: ENQUEUED.status, r"get_job\(conn, job\).state"),
        (lambda: ENQUEUED.revoke(), r"pgqueue.cancel\("),
        (lambda: STARTED.get(), r"pgqueue.wait_workflow\("),
        (lambda: JOB.apply_async(), r"enqueue_many\(conn, \[job\]\)"),
        (lambda: JOB.enqueue(None), r"enqueue_many\(conn, \[job\]\)"),
        (lambda: JOB | JOB, r"pgqueue.chain\("),
        (lambda: CHAIN | JOB, r"pgqueue.chain\("),
        (lambda: CHAIN.delay(), r"\.enqueue\(conn\)"),
        (lambda: CHAIN.apply_async(), r"\.enqueue\(conn\)"),
        (lambda: CHAIN.enqueue(None, countdown=3), "a wait is delay here"),
        (lambda: MODULE.Workflow("x", cron="* * * * *"), r"cron or every in @task"),
        (lambda: MODULE.Retry(countdown=60), "a wait is delay here"),
        (lambda: MODULE.Retry(60), r"say Retry\(delay=60\)"),
        (lambda: MODULE.Snooze(countdown=60), "a wait is delay here"),
        (lambda: MODULE.Worker("x", visibility_timeout=30), "say lease"),
        (lambda: MODULE.Worker("x", pool="prefork"), "executor='process'"),
        (lambda: MODULE.Worker("x", queue="mail"), "say queues"),
        (lambda: MODULE.Celery("x"), "@pgqueue.task"),
        (lambda: MODULE.Queue("x"), "a queue is a name"),
        (lambda: MODULE.crontab(minute=0), r"pgqueue.schedule\("),
        (lambda: MODULE.get_current_job(), r"pgqueue.current_job\("),
    ],
)
def test_a_call_of_others_names_ours(call: Callable[[], object], ours: str) -> None:
    with pytest.raises(pgqueue.UsageError, match=ours):
        call()


@pytest.mark.parametrize(
    "option",
    [
        *("acks_late", "at_front", "autoretry_for", "bind", "countdown", "cron", "depends_on", "eta", "expires"),
        *("failure_ttl", "job_timeout", "link", "link_error", "max_retries", "result_ttl", "retry_on"),
        *("soft_time_limit", "task_id", "time_limit", "visibility_timeout", "wait_until"),
    ],
)
@pytest.mark.parametrize(
    "way",
    [
        lambda option: send.using(**{option: 1}),
        lambda option: NewJob("shop:send", **{option: 1}),
        lambda option: pgqueue.enqueue(None, "shop:send", **{option: 1}),  # type: ignore[call-overload]
    ],
)
def test_an_option_of_others_names_ours(way: Callable[[str], object], option: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=f"takes no option '{option}': ") as raised:
        way(option)
    assert "did you mean" not in str(raised.value)
    assert "it takes" not in str(raised.value)


def test_a_job_that_was_read_and_one_that_runs_name_ours(conn: Any) -> None:
    job: Any = pgqueue.get_job(conn, pgqueue.enqueue(conn, "shop:send"))
    with pytest.raises(AttributeError, match="it is called state"):
        _ = job.status
    with pytest.raises(AttributeError, match="they are called labels"):
        _ = job.meta
    running: Any = object.__new__(pgqueue.JobContext)
    with pytest.raises(AttributeError, match=r"raise pgqueue\.Retry"):
        running.retry(countdown=3)


def test_what_nobody_calls_so_is_missing_as_anywhere() -> None:
    for each in (TASK, ENQUEUED, STARTED, JOB, CHAIN, MODULE):
        assert not hasattr(each, "nonsense")
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            _ = each.nonsense


def test_values_are_copied_and_pickled_as_before() -> None:
    for each in (ENQUEUED, STARTED, JOB, TASK):
        assert copy.copy(each) == each
        assert pickle.loads(pickle.dumps(each)) == each
    assert copy.deepcopy(CHAIN) == CHAIN


@pytest.mark.parametrize(("name", "ours"), [("Celery", "@pgqueue.task"), ("Queue", "a queue is a name")])
def test_an_import_of_others_names_ours(name: str, ours: str) -> None:
    with pytest.raises(ImportError, match=ours):
        exec(f"from pgqueue import {name}")


@pytest.mark.parametrize(("word", "ours"), [("beat", "pgqueue schedules"), ("purge", "pgqueue jobs cancel")])
def test_a_command_of_others_names_ours(word: str, ours: str) -> None:
    ran = subprocess.run([sys.executable, "-m", "pgqueue", word], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2
    assert f"there is no command '{word}': " in ran.stderr
    assert ours in ran.stderr


@pytest.mark.parametrize(
    ("option", "ours"), [("--pool=prefork", "--executor"), ("-B", "schedules"), ("--loglevel", "--log-level")]
)
def test_an_option_of_another_worker_names_ours(option: str, ours: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pgqueue", "worker", "-A", "shop", option], capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 2
    assert f"there is no option {option.partition('=')[0]}: " in ran.stderr
    assert ours in ran.stderr


def test_what_is_advised_is_there() -> None:
    """Every command of a message stands in the reference, and every name of pgqueue's is one."""
    headings = re.findall(r"^##+ pgqueue (.+)$", (ROOT / "docs/reference/cli.md").read_text(), re.MULTILINE)
    words = {word for heading in headings for word in (heading, heading.split()[0])}
    places = [ROOT / "pgqueue/habits.py", ROOT / "pgqueue/vocabulary.py", *(ROOT / "pgqueue/compat").rglob("*.py")]
    guides = [ROOT / "docs/guides/from-celery.md", ROOT / "docs/guides/from-rq.md"]
    for place in [*places, *guides]:
        text = place.read_text()
        for group, command in re.findall(r"`pgqueue ([a-z]+)(?: ([a-z][a-z-]+))?[` ]", text):
            said = f"{group} {command}" if command and any(word.startswith(f"{group} ") for word in words) else group
            assert said in words, f"{place}: pgqueue {said}"
        for name in re.findall(r"\bpgqueue\.([a-zA-Z_]+)\(", text):
            assert hasattr(pgqueue, name), f"{place}: pgqueue.{name}"
