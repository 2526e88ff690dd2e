"""The backend keeps the rules of Django's framework for tasks, and enqueues in the transaction that is open."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import pgqueue
from pgqueue.testing import AttemptFailed, Ran, drain
from tests.django.test_connections import undone

pytestmark = pytest.mark.usefixtures("fresh")


def run(alias: str = "default", **options: Any) -> list[Ran]:
    """As a worker does."""
    from pgqueue.contrib.django.closing import closing_old_connections
    from pgqueue.contrib.django.dsn import dsn_of

    module = closing_old_connections.__module__
    return drain(dsn_of(alias), middleware=[f"{module}:closing_old_connections"], **options)


def receipts() -> list[tuple[int, str]]:
    from tests.django.shop.models import Receipt

    return list(Receipt.objects.order_by("pk").values_list("order", "by"))


def test_a_task_is_a_job_of_the_open_atomic_and_gone_with_its_rollback() -> None:
    from django.db import transaction

    from tests.django.shop.framework import TaskResultDoesNotExist
    from tests.django.shop.tasks import add

    with transaction.atomic():
        kept = add.enqueue(1, 2)
        with undone():
            gone = add.enqueue(3, 4)
    assert add.get_result(kept.id).args == [1, 2]
    with pytest.raises(TaskResultDoesNotExist):
        add.get_result(gone.id)


def test_it_enqueues_at_once_and_never_on_commit() -> None:
    from django.db import connection, transaction

    from tests.django.shop.tasks import add

    with transaction.atomic():
        result = add.enqueue(1)
        assert connection.run_on_commit == []
        assert add.get_result(result.id).id == result.id


def test_what_is_read_back_is_what_enqueue_answered() -> None:
    from tests.django.shop.framework import TaskResultStatus, default_task_backend
    from tests.django.shop.tasks import add, send_receipt

    soon = _in(hours=1)
    for task in (
        add,
        add.using(priority=37),
        add.using(priority=-100),
        add.using(queue_name="slow", run_after=soon),
        send_receipt,
    ):
        for args, kwargs in (((1, 2), {}), ((), {"a": 1, "b": 2}), ((1,), {"b": 2})):
            result = task.enqueue(*args, **kwargs) if task is not send_receipt else task.enqueue(order=1, copies=2)
            assert result.status == TaskResultStatus.READY
            assert result.attempts == 0
            assert result.started_at is result.finished_at is result.last_attempted_at is None
            assert default_task_backend.get_result(result.id) == result


def test_priority_queue_and_time_are_the_jobs() -> None:
    from tests.django.shop.tasks import add, send_receipt

    soon = _in(hours=1)
    job = pgqueue.get_job("default", add.using(priority=1, queue_name="slow", run_after=soon).enqueue(1).id)
    assert (job.priority, job.queue, job.run_at, job.state) == (6, "slow", soon, pgqueue.JobState.SCHEDULED)
    job = pgqueue.get_job("default", send_receipt.enqueue(1).id)
    assert (job.target, job.priority, job.queue) == ("tests.django.shop.tasks:send_receipt", 7, "mail")


def test_priorities_keep_their_order_and_the_small_ones_differ_from_none() -> None:
    from pgqueue.contrib.django import priorities

    ours = [priorities.of(each) for each in range(-100, 101)]
    assert ours == sorted(ours)
    assert {each: priorities.of(each) for each in (-100, -1, 0, 1, 100)} == {-100: 0, -1: 4, 0: 5, 1: 6, 100: 9}
    assert [priorities.of(priorities.said(each)) for each in range(10)] == list(range(10))


def test_a_task_that_returned_has_its_value_times_and_worker() -> None:
    from tests.django.shop.framework import TaskResultStatus
    from tests.django.shop.tasks import add

    result = add.enqueue(1, b=2)
    with pytest.raises(ValueError, match="not finished"):
        _ = result.return_value
    run()
    result.refresh()
    assert result.return_value == 3
    assert result.is_finished
    assert result.status in (
        TaskResultStatus.__members__.get("SUCCESSFUL"),
        TaskResultStatus.__members__.get("SUCCEEDED"),
    )
    assert result.enqueued_at <= result.started_at + timedelta(seconds=5)
    assert result.started_at == result.last_attempted_at <= result.finished_at
    assert (result.attempts, len(result.worker_ids), result.errors) == (1, 1, [])


def test_a_task_that_fails_is_ready_again_with_its_error_and_failed_after_its_last_attempt() -> None:
    from tests.django.shop.framework import TaskResultStatus
    from tests.django.shop.tasks import fail, fail_once

    result, last = fail.enqueue(7), fail_once.enqueue(7)
    run(raises=False)
    result.refresh()
    last.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.READY, 1)
    assert (last.status, last.attempts) == (TaskResultStatus.FAILED, 1)
    for each in (result, last):
        (error,) = each.errors
        assert error.exception_class is LookupError
        assert "no order 7" in error.traceback
    with pytest.raises(ValueError, match="Task failed"):
        _ = last.return_value


def test_a_cancelled_job_has_failed_with_the_reason() -> None:
    from tests.django.shop.framework import TaskResultStatus
    from tests.django.shop.tasks import add

    result = add.enqueue(1)
    pgqueue.cancel("default", result.id)
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    assert result.errors[0].exception_class is pgqueue.JobFailed
    assert "cancelled" in result.errors[0].traceback


def test_the_context_has_the_attempt_and_the_result_that_runs() -> None:
    from tests.django.shop.tasks import tell_context

    result = tell_context.enqueue("hello")
    run()
    result.refresh()
    assert result.return_value == ["hello", 1, result.id, "RUNNING", ["hello"], {}]


def test_coroutines_run_with_the_orm() -> None:
    from tests.django.shop.tasks import write_receipt

    result = write_receipt.enqueue(order=5)
    run()
    result.refresh()
    assert result.return_value == 5
    assert receipts() == [(5, "async")]


def test_aenqueue_and_aget_result() -> None:
    from tests.django.shop.tasks import add

    async def enqueued() -> Any:
        result = await add.aenqueue(1, 2)
        found = await add.aget_result(result.id)
        await found.arefresh()
        return result, found

    result, found = asyncio.run(enqueued())
    assert result == found


def test_arguments_and_results_go_through_json_as_they_are() -> None:
    from tests.django.shop.tasks import give_back, give_back_what_is_not_json, take_anything, take_moment

    mixed = take_anything.enqueue(1, (2, 3), flag=True)
    assert mixed.args == [1, [2, 3]]
    unsaid, text, value = (
        take_anything.enqueue(),
        take_moment.enqueue("2027-01-01T00:00:00Z"),
        give_back.enqueue({"a": [1]}),
    )
    with pytest.raises(TypeError):
        give_back.enqueue(object())
    bad = give_back_what_is_not_json.enqueue()
    run(raises=False)
    for result in (mixed, unsaid, text, value, bad):
        result.refresh()
    assert mixed.return_value == [[1, [2, 3]], {"flag": True}]
    assert unsaid.return_value == [[], {}]
    assert text.return_value == "str"
    assert value.return_value == {"a": [1]}
    assert bad.errors[0].exception_class is TypeError


def test_arguments_that_the_function_does_not_take_are_refused_where_it_is_enqueued() -> None:
    from tests.django.shop.tasks import add, tell_context

    for call in (lambda: add.enqueue(), lambda: add.enqueue(1, c=2), lambda: tell_context.enqueue("a", "b")):
        with pytest.raises(TypeError, match="its arguments are"):
            call()


def test_tasks_that_no_job_could_be_are_refused() -> None:
    from datetime import datetime

    from tests.django.shop.framework import InvalidTask, task
    from tests.django.shop.tasks import add

    with pytest.raises(InvalidTask, match="priority"):
        add.using(priority=101)
    with pytest.raises(InvalidTask, match="aware"):
        add.using(run_after=datetime(2027, 1, 1))  # which is refused
    with pytest.raises(InvalidTask, match="is not valid for backend"):
        add.using(backend="elsewhere", queue_name="mail")
    with pytest.raises(InvalidTask, match="queue_name must be a text"):
        add.using(queue_name="x" * 501)
    with pytest.raises(InvalidTask, match="module level"):
        task(lambda: None)


def test_results_that_are_not_there_are_said_to_be() -> None:
    from tests.django.shop.framework import TaskResultDoesNotExist, TaskResultMismatch, default_task_backend
    from tests.django.shop.tasks import add, give_back

    for wrong in (str(uuid4()), "nothing", "", 42):
        with pytest.raises(TaskResultDoesNotExist):
            default_task_backend.get_result(wrong)
    ours = pgqueue.enqueue("default", "tests.django.shop.tasks:plain", [1])
    with pytest.raises(TaskResultDoesNotExist):
        default_task_backend.get_result(str(ours.id))
    with pytest.raises(TaskResultMismatch):
        give_back.get_result(add.enqueue(1).id)


def test_another_backend_is_another_database() -> None:
    from tests.django.shop.tasks import add

    result = add.using(backend="elsewhere").enqueue(1, 2)
    assert pgqueue.get_job("other", result.id).args == [1, 2]
    assert run() == []
    run("other")
    result.refresh()
    assert (result.return_value, result.backend) == (3, "elsewhere")


def test_signals_are_sent_at_each_step_and_what_a_receiver_raises_hurts_no_job() -> None:
    from tests.django.shop.framework import task_enqueued, task_finished, task_started
    from tests.django.shop.tasks import add, fail, fail_once

    heard: list[tuple[str, str, str]] = []

    def hear(name: str) -> Any:
        def receiver(sender: Any, task_result: Any, **_: Any) -> None:
            heard.append((name, task_result.task.name, str(task_result.status)))
            if name != "enqueued":
                raise ZeroDivisionError

        return receiver

    signals = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}
    receivers = {name: hear(name) for name in signals}
    for name, signal in signals.items():
        signal.connect(receivers[name])
    try:
        add.enqueue(1)
        run()
        fail.enqueue(1)
        run(raises=False)
        fail_once.enqueue(1)
        run(raises=False)
    finally:
        for name, signal in signals.items():
            signal.disconnect(receivers[name])
    assert [(name, task) for name, task, _ in heard] == [
        ("enqueued", "add"),
        ("started", "add"),
        ("finished", "add"),
        ("enqueued", "fail"),
        ("started", "fail"),
        ("enqueued", "fail_once"),
        ("started", "fail_once"),
        ("finished", "fail_once"),
    ]
    assert heard[2][2].startswith("SUCCE")
    assert heard[-1][2] == "FAILED"


def test_errors_of_the_database_are_djangos() -> None:
    from django.db import DatabaseError, connection, transaction

    from tests.django.shop.tasks import add

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set local transaction_read_only = on")
        with pytest.raises(DatabaseError):
            add.enqueue(1)
        transaction.set_rollback(True)


def test_tasks_of_pgqueue_and_plain_functions_run_beside_them_and_complete_in_an_atomic() -> None:
    from django.db import connection

    from tests.django.shop.tasks import charge, charge_once, plain

    charge.enqueue(connection, 1)
    charge_once.enqueue("default", 2)
    pgqueue.enqueue("default", plain, [3])
    run(app=["tests.django.shop.tasks"])
    assert sorted(receipts()) == [(1, "pgqueue"), (2, "complete"), (3, "plain")]


def test_options_of_the_backend_and_of_a_task_are_those_of_its_jobs() -> None:
    from pgqueue.contrib.django.known import known
    from tests.django.shop.tasks import add, fail_once

    assert known(fail_once, {}).options.max_attempts == 1
    assert known(add, {}).options.store_result is True


def test_a_job_that_raises_is_an_attempt_that_failed() -> None:
    from tests.django.shop.tasks import fail_once

    fail_once.enqueue(1)
    with pytest.raises(AttemptFailed, match="no order 1"):
        run()


def _in(**delay: float) -> Any:
    from django.utils import timezone

    return timezone.now() + timedelta(**delay)


def test_without_a_framework_for_tasks_the_backend_says_what_to_install() -> None:
    program = """
import sys
sys.modules["django.tasks"] = sys.modules["django_tasks"] = None
from django.utils.module_loading import import_string
try:
    import_string("pgqueue.contrib.django.Backend")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "Django has from 6.0 on; under Django 5.2 install the package django-tasks" in done.stdout, done.stderr


def test_an_error_in_a_task_of_pgqueue_is_its_own_in_a_worker() -> None:
    from tests.django.shop import tasks

    job = tasks.break_transaction.enqueue("default")
    run(raises=False)
    assert "nowhere" in (pgqueue.get_job("default", job.id).last_error or "")
