"""run_job(): one attempt at a job that exists nowhere, judged as a worker judges."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.errors import ArgumentError, UsageError
from pgqueue.testing import AttemptFailed, run_job, run_job_async
from tests.testing import tasks
from tests.testing.conftest import charges

Conn = psycopg.Connection[Any]


def test_a_task_runs_with_a_context_and_its_end_is_answered() -> None:
    ran = run_job(tasks.send, {"order_id": 42})
    assert (ran.outcome, ran.value, ran.log, ran.queue) == ("succeeded", "sent 42", ("sent 42",), "mail")
    assert run_job("tests.testing.tasks:plain", [1]).value == run_job(tasks.plain, [1]).value == 2
    job_id = uuid.uuid4()
    said = run_job(tasks.tell, job_id=job_id, attempt=3, labels={"a": "b"}, timeout=60).value
    assert said == [str(job_id), 3, {"a": "b"}, "default", False, True]
    assert run_job(tasks.tell, cancelled=True).value[4] is True


def test_failures_are_judged() -> None:
    with pytest.raises(AttemptFailed, match="runs again in 60 s") as raised:
        run_job(tasks.fail)
    assert isinstance(raised.value.__cause__, LookupError)
    assert run_job(tasks.fail, attempt=3, raises=False).reason == "exhausted"
    assert run_job(tasks.wish, ["snooze"]).retry_in == 30
    assert run_job(tasks.wish, ["bury"], raises=False).reason == "buried"
    assert "timeout of 0.3 s" in (run_job(tasks.spin, raises=False).message or "")
    with pytest.raises(ArgumentError):
        run_job(tasks.send, [object()])
    with pytest.raises(ArgumentError, match="too many positional arguments"):
        run_job(tasks.send, [1, "y", "z"])


def test_sensitive_arguments_are_in_no_message() -> None:
    with pytest.raises(AttemptFailed, match="here refuses") as raised:
        run_job(tasks.call, ["hush-hush", "here"])
    assert "hush" not in str(raised.value)


def test_a_transactional_task_gets_the_connection_in_a_savepoint(conn: Conn) -> None:
    assert run_job(tasks.charge, [1], conn=conn).value == 1
    run_job(tasks.charge_async, [2], conn=conn)
    run_job(tasks.charge_and_fail, [3], conn=conn, raises=False)
    assert charges(conn) == [1, 2]
    with pytest.raises(UsageError, match="run_job\\(task, args, conn=conn\\)"):
        run_job(tasks.charge, [1])


def test_coroutines_run_in_the_tests_loop_or_in_one_of_their_own(dsn: str) -> None:
    assert run_job(tasks.wait_for, [0.01]).value == 0.01

    async def main() -> None:
        assert run_job(tasks.wait_for, [0.01]).value == 0.01
        assert (await run_job_async(tasks.loop_of)).value == id(asyncio.get_running_loop())
        assert (await run_job_async(tasks.send, [1])).value == "sent 1"
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            await run_job_async(tasks.charge_async, [1], conn=aconn)
            await aconn.rollback()

    asyncio.run(main())
    assert pgqueue.testing.run_job is run_job
