"""Tasks: what @task accepts, how calls are bound, and what a target may name."""

from __future__ import annotations

import asyncio
import functools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from pgqueue.client import enqueue
from pgqueue.context import bound
from pgqueue.enqueued import Enqueued
from pgqueue.errors import ArgumentError, NotBound, OptionError, TargetError, UsageError
from pgqueue.job import NewJob
from pgqueue.retry import Fixed
from pgqueue.tasks import Modules, Refused, Task, find_task, target_of, task
from pgqueue.tasks.bounds import Bounds


@task(queue="mail", max_attempts=3, retry=Fixed(5), timeout=60)
def send(order_id: int, copies: int = 1) -> int:
    return order_id * copies


@task
def spread(first: int, /, *rest: int, loud: bool = False) -> None: ...


@task(transactional=True)
def charge(conn: object, order_id: int) -> tuple[object, int]:
    return conn, order_id


@task
def boxed(first: int, *rest: int, **named: int) -> None: ...


def plain() -> None: ...


def test_calling_a_task_is_an_ordinary_call() -> None:
    assert send(2, copies=3) == 6
    assert charge("conn", 7) == ("conn", 7)


def test_a_call_keeps_the_form_it_was_given_in() -> None:
    assert send.job(1, 2).args == (1, 2)
    assert send.job(order_id=1).args == {"order_id": 1}
    assert plain_task().job().args is None


def plain_task() -> Task[[], None]:
    return Task(plain)


def test_a_mixed_call_is_stored_by_name() -> None:
    assert send.job(1, copies=2).args == {"order_id": 1, "copies": 2}


def test_a_call_that_needs_positions_and_names_at_once_is_refused() -> None:
    assert spread.job(1, 2, 3).args == (1, 2, 3)
    with pytest.raises(ArgumentError, match="loud can only be given by keyword"):
        spread.job(1, loud=True)


def test_surplus_positions_never_become_names() -> None:
    with pytest.raises(ArgumentError, match="x can only be given by keyword"):
        boxed.job(1, 2, x=3)


@pytest.mark.parametrize(
    ("args", "kwargs", "fault"),
    [
        ((), {}, "missing a required argument: 'order_id'"),
        ((1, 2, 3), {}, "too many positional arguments"),
        ((1,), {"colour": "red"}, "unexpected keyword argument 'colour'"),
        ((1,), {"order_id": 1}, "multiple values for argument 'order_id'"),
    ],
)
def test_wrong_arguments_are_refused_at_enqueue(args: Any, kwargs: Any, fault: str) -> None:
    with pytest.raises(ArgumentError, match=fault) as caught:
        send.job(*args, **kwargs)
    assert str(caught.value).startswith(f"{__name__}:send: ")


def test_a_transactional_task_is_enqueued_without_its_connection() -> None:
    assert charge.job(42).args == (42,)
    assert charge.job(order_id=42).args == {"order_id": 42}
    with pytest.raises(ArgumentError):
        charge.job("conn", 42)


def test_a_job_has_the_options_of_its_task() -> None:
    job = send.job(1)
    assert job == NewJob(f"{__name__}:send", (1,), queue="mail", max_attempts=3, timeout=60)


def test_using_changes_only_what_it_names() -> None:
    nudge = send.using(delay=3600, unique_key="nudge:42", queue="slow")
    job = nudge.job(42)
    assert (job.queue, job.delay, job.unique_key, job.max_attempts) == ("slow", 3600, "nudge:42", 3)
    assert send.options.queue == "mail"
    assert nudge.retry == Fixed(5)


def test_wrong_options_are_refused_where_they_are_written() -> None:
    with pytest.raises(OptionError, match="priority"):
        send.using(priority=11)
    with pytest.raises(OptionError, match="retry must be a policy"):
        task(retry=5)(plain)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("soft_timeout", float("nan"), "soft_timeout must be more than 0"),
        ("soft_timeout", "5", "soft_timeout must be seconds or a timedelta"),
        ("on_timeout", "burry", "on_timeout must be one of retry, bury, cancel"),
        ("on_timeout", ["retry", "bury"], r"one of retry, bury, cancel, or a function .* got \['retry', 'bury'\]"),
        ("on_dead", ["stop"], r"on_dead must be a function that takes one event, or a list of such functions, got \['"),
        ("on_expiry", "retry", "on_expiry must be one of bury, cancel"),
        ("on_expiry", None, "on_expiry must not be None"),
        ("at_most_once", 1, "at_most_once must be True or False"),
        ("infra_errors", "OSError", "infra_errors must be types of exceptions"),
        ("infra_errors", [OSError()], "infra_errors must be types of exceptions"),
        ("transactional", "yes", "transactional must be True or False"),
        ("store_result", "yes", "store_result must be True or False"),
        ("timeout", float("nan"), "timeout must be more than 0"),
        ("ttl", -5, "ttl must be more than 0"),
        ("run_at", None, r"run_at: it is one job's own; say it in using"),
        ("job_id", None, r"job_id: it is one job's own"),
    ],
)
def test_every_option_of_a_task_is_checked_where_it_is_written(option: str, value: Any, fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        task(**{option: value})


def test_infra_errors_may_be_in_any_collection() -> None:
    assert Bounds(infra_errors=[ConnectionError]).infra_errors == (ConnectionError,)


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ("crontab", "say cron or every"),
        ("max_retries", "say max_attempts, which counts the first attempt"),
        ("eta", "run_at"),
        ("countdown", "delay"),
        ("expires", "ttl"),
        ("priorty", r"did you mean priority\?"),
        ("colour", "it takes queue, priority"),
    ],
)
def test_an_option_of_another_queue_is_answered_with_our_word(option: str, advice: str) -> None:
    given: dict[str, Any] = {option: 5}
    for act, where in (
        (lambda: task(**given), "task"),
        (lambda: send.using(**given), "using"),
        (lambda: NewJob(send, **given), "NewJob"),
        (lambda: enqueue(None, send, **given), "enqueue"),  # type: ignore[call-overload]  # nothing is sent
    ):
        with pytest.raises(OptionError, match=f"{where} takes no option '{option}': .*{advice}"):
            act()


def test_an_option_of_the_task_is_not_one_of_a_job() -> None:
    for act in (lambda: send.using(retry=Fixed(5)), lambda: enqueue(None, send, soft_timeout=5)):  # type: ignore[call-arg,call-overload]
        with pytest.raises(OptionError, match=r"the worker asks the task, not the job; say it in @task"):
            act()


def test_a_task_is_pickled_by_reference() -> None:
    assert pickle.loads(pickle.dumps(send)) is send
    copy = pickle.loads(pickle.dumps(send.using(queue="slow")))
    assert (copy.target, copy.options.queue) == (send.target, "slow")


def test_delay_without_any_connection_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGQUEUE_DSN", raising=False)
    with pytest.raises(NotBound, match=r"send\.delay\(\) has no connection.*PGQUEUE_DSN"):
        send.delay(1)


def _local() -> Callable[[], None]:
    def local() -> None: ...

    return local


class Holder:
    def method(self) -> None: ...

    def __call__(self) -> None: ...


def yields() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("thing", "fault"),
    [
        (lambda: None, "lambda"),
        (_local(), "defined inside a function"),
        (Holder, "is a class"),
        (Holder.method, "is a method"),
        (Holder(), "is a Holder"),
        (functools.partial(plain), "is a partial"),
        (len, "builtin"),
        (yields, "is a generator"),
    ],
)
def test_what_no_worker_could_call_is_no_task(thing: Any, fault: str) -> None:
    with pytest.raises(TargetError, match=fault):
        task(thing)
    with pytest.raises(TargetError, match=fault):
        target_of(thing)


def test_a_function_of_main_cannot_be_enqueued() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("def job(): ...", namespace)
    with pytest.raises(TargetError, match="__main__"):
        target_of(namespace["job"])
    with pytest.raises(TargetError, match="__main__"):
        Task(namespace["job"]).job()


@pytest.mark.parametrize(
    "target", ["shop.send", "shop:", ":send", "shop.tasks:os.system", "shop tasks:x", "shop:__import__", "", "a:b:c"]
)
def test_a_malformed_target_is_refused(target: str) -> None:
    with pytest.raises(TargetError):
        target_of(target)
    with pytest.raises(Refused):
        find_task(target, Modules(("shop",)))


def test_target_of_names_functions_tasks_and_texts() -> None:
    assert target_of(plain) == f"{__name__}:plain"
    assert target_of(send) == f"{__name__}:send"
    assert target_of("shop.tasks:send") == "shop.tasks:send"


def test_bound_takes_no_async_connection() -> None:
    conn = psycopg.AsyncConnection(psycopg.pq.PGconn())
    with pytest.raises(UsageError, match="await"), bound(conn):  # type: ignore[arg-type]
        pass


def targets(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    rows = conn.execute("select target, args::text from pgqueue.jobs order by id").fetchall()
    conn.rollback()
    return rows


def test_a_task_is_enqueued_in_the_transaction_of_its_connection(conn: psycopg.Connection[Any], connect: Any) -> None:
    other = connect()
    send.enqueue(conn, 42)
    conn.rollback()
    assert targets(other) == []
    job = send.enqueue(conn, order_id=42)
    conn.commit()
    assert job.created
    assert targets(other) == [(f"{__name__}:send", '{"order_id":42}')]


def test_a_task_is_enqueued_on_an_async_connection(dsn: str, conn: psycopg.Connection[Any]) -> None:
    async def enqueue() -> Enqueued:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            return await send.enqueue(connection, 42)

    assert asyncio.run(enqueue()).created
    assert targets(conn) == [(f"{__name__}:send", "[42]")]


def test_delay_enqueues_in_the_bound_transaction(conn: psycopg.Connection[Any], connect: Any) -> None:
    with bound(conn):
        send.delay(1)
    conn.rollback()
    with bound(conn):
        send.delay(2)
    conn.commit()
    assert targets(connect()) == [(f"{__name__}:send", "[2]")]


def test_delay_opens_a_connection_of_its_own(
    dsn: str, conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", dsn)
    assert send.delay(3).created
    assert targets(conn) == [(f"{__name__}:send", "[3]")]
