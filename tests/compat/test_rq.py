"""RQ's front page and its documentation's, with the import changed; a real worker runs what is enqueued."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.compat.rq import Callback, Dependency, Job, JobStatus, Queue, Repeat, Retry, cancel_job, requeue_job
from pgqueue.compat.rq.exceptions import DuplicateJobError, NoSuchJobError
from tests.compat import rq_functions
from tests.compat.rq_functions import (
    add,
    count_words_at_url,
    div_by_zero,
    fails_until,
    note,
    report_failure,
    report_success,
    say_hello,
    who_am_i,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.adopt
Conn = psycopg.Connection[Any]


def ended(job: Job) -> Job:
    wait_until(lambda: job.get_status() in ("finished", "failed", "canceled"), 20, "the job's end")
    return job


def test_a_function_is_enqueued_and_its_result_is_there(shop: str) -> None:
    q = Queue()
    job = q.enqueue(count_words_at_url, "https://python-rq.org")
    assert ended(job).is_finished
    assert (job.result, job.return_value(), job.latest_result().return_value) == (3, 3, 3)
    assert Queue("low").enqueue(f"{rq_functions.__name__}.count_words_at_url", "a/b").origin == "low"


def test_arguments_by_place_and_by_keyword_and_beside_options(shop: str) -> None:
    q = Queue()
    assert ended(q.enqueue(say_hello, "Ann", punctuation="?")).result == "Hello, Ann?"
    by_name = q.enqueue(f"{rq_functions.__name__}.say_hello", "Ann", punctuation="?")
    assert ended(by_name).result == "Hello, Ann?"
    assert (by_name.func_name, by_name.args, by_name.kwargs) == (
        "tests.compat.rq_functions.say_hello", ["Ann"], {"punctuation": "?"},
    )  # fmt: skip
    job = q.enqueue(say_hello, ttl=30, args=("Bob",), kwargs={"punctuation": "."}, description="a greeting")
    assert ended(job).result == "Hello, Bob."
    assert job.description == "a greeting"
    assert ended(q.enqueue_call(say_hello, args=("Eve",), timeout="3m")).result == "Hello, Eve!"


def test_jobs_are_scheduled(shop: str, shop_conn: Conn) -> None:
    queue = Queue(connection=shop_conn)
    at = queue.enqueue_at(datetime(2031, 10, 8, 9, 15), say_hello)
    in_ = queue.enqueue_in(timedelta(seconds=1000), say_hello)
    assert (at.get_status(), in_.get_status()) == ("scheduled", JobStatus.SCHEDULED)
    assert at.enqueued_at == datetime(2031, 10, 8, 9, 15).astimezone(UTC)
    shop_conn.rollback()
    with pytest.raises(NoSuchJobError):
        Job.fetch(at.id)


def test_a_job_is_in_the_callers_transaction(shop: str, shop_conn: Conn) -> None:
    with pgqueue.bound(shop_conn):
        job = Queue().enqueue(say_hello)
    assert not Job.exists(job.id)
    shop_conn.commit()
    assert ended(Job.fetch(job.id)).result == "Hello, World!"


def test_a_job_that_fails_is_failed_at_once(shop: str) -> None:
    job = ended(Queue().enqueue(div_by_zero))
    assert job.is_failed
    assert "ZeroDivisionError" in job.exc_info
    assert job.result is None
    assert "ZeroDivisionError" in job.latest_result().exc_string
    assert ended(requeue_job(job.id)).is_failed


@pytest.mark.parametrize("retry", [Retry(max=3), Retry(max=3, interval=[0, 0.1, 0.2])])
def test_a_job_that_fails_is_retried(shop: str, retry: Retry) -> None:
    name = uuid.uuid4().hex
    job = ended(Queue().enqueue(fails_until, name, 2, retry=retry))
    assert job.result == "xxx"
    assert ended(Queue().enqueue(fails_until, uuid.uuid4().hex, 9, retry=Retry(max=1))).is_failed


def test_retries_wait_as_long_as_their_intervals_say(shop: str, shop_conn: Conn) -> None:
    job = Queue().enqueue(div_by_zero, retry=Retry(max=3, interval=[600, 1200]))
    wait_until(lambda: job.get_status() == "scheduled", 20, "the first retry")
    row = shop_conn.execute("select run_at - now() > '9 min' from pgqueue.jobs where id = %s", [job.id]).fetchone()
    assert row == (True,)
    assert job.meta["function"] == "tests.compat.rq_functions:div_by_zero"
    cancel_job(job.id)


def test_a_job_is_repeated(shop: str, folder: Path) -> None:
    Queue().enqueue(note, "repeated", repeat=Repeat(times=3, interval=[0, 0.1]))
    wait_until(lambda: (folder / "repeated").exists() and (folder / "repeated").read_text() == "xxxx", 20, "repeats")


def test_an_id_of_ones_own_names_one_job(shop: str) -> None:
    name = f"welcome_{uuid.uuid4().hex}"
    job = ended(Queue().enqueue(say_hello, job_id=name, unique=True))
    assert Job.fetch(name) == job
    assert Job.fetch_many([name, "nobody"]) == [job, None]
    with pytest.raises(DuplicateJobError, match="unique_key"):
        Queue().enqueue(say_hello, job_id=name, unique=True)


def test_the_front_of_a_queue_is_its_highest_priority(shop: str, shop_conn: Conn) -> None:
    job = Queue(connection=shop_conn).enqueue(say_hello, at_front=True)
    assert pgqueue.get_job(shop_conn, job.id).priority == 9
    shop_conn.rollback()


def test_several_are_enqueued_at_once(shop: str) -> None:
    jobs = Queue().enqueue_many([Queue.prepare_data(say_hello, (name,)) for name in ("a", "b")])
    assert [ended(job).result for job in jobs] == ["Hello, a!", "Hello, b!"]


def test_a_job_begins_behind_others(shop: str, shop_conn: Conn) -> None:
    queue = Queue(connection=shop_conn)
    first, second = queue.enqueue(say_hello), queue.enqueue_in(timedelta(seconds=2), say_hello)
    behind = queue.enqueue(say_hello, "both", depends_on=[first, second])
    shop_conn.commit()
    wait_until(lambda: Job.fetch(behind.id).get_status() == "deferred", 20, "what it waits for")
    assert ended(Job(behind.id)).result == "Hello, both!"
    again = Queue().enqueue(say_hello, "again", depends_on=behind.id)
    assert ended(again).result == "Hello, again!"


def test_a_job_behind_one_that_fails_begins_only_if_it_may(shop: str) -> None:
    queue = Queue()
    failing = queue.enqueue_in(timedelta(seconds=0.3), div_by_zero)
    waits = queue.enqueue(say_hello, depends_on=failing)
    goes_on = queue.enqueue(say_hello, depends_on=Dependency(jobs=[failing], allow_failure=True, enqueue_at_front=True))
    assert ended(goes_on).result == "Hello, World!"
    assert waits.get_status() == "deferred"
    with pytest.raises(pgqueue.UsageError, match="retry it first"):
        queue.enqueue(say_hello, depends_on=failing)
    waits.cancel()


def test_callbacks_are_told_of_the_end(shop: str, folder: Path) -> None:
    queue, told = Queue(), {"on_success": report_success, "on_failure": Callback(report_failure, timeout="2m")}
    well, badly = queue.enqueue(say_hello, **told), queue.enqueue(div_by_zero, **told)
    stopped = queue.enqueue_in(timedelta(hours=1), say_hello, on_stopped=f"{rq_functions.__name__}.report_stopped")
    stopped.cancel()
    for job in (well, badly, stopped):
        wait_until((folder / job.id).exists, 20, "the callback")
    assert (folder / well.id).read_text() == "finished: 'Hello, World!'"
    assert (folder / badly.id).read_text().startswith("ZeroDivisionError: division by zero\nTraceback")
    assert (folder / stopped.id).read_text() == "canceled"


def test_a_job_knows_itself(shop: str) -> None:
    job = Queue().enqueue(who_am_i)
    assert ended(job).result == job.id


def test_a_decorated_function_enqueues_itself(shop: str) -> None:
    job = add.delay(3, 4)
    assert (ended(job).result, job.origin) == (7, "low")
    assert add(3, 4) == 7


class Redis:
    """As that of Redis's own package looks."""


Redis.__module__ = "redis.client"


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        (lambda: Queue(connection=Redis()), "one to PostgreSQL here"),
        (lambda: Queue(is_async=False), r"pgqueue.testing.eager\(\)"),
        (lambda: Queue(serializer="json"), "arguments are JSON"),
        (lambda: Queue().count, "pgqueue status"),
        (lambda: len(Queue()), "pgqueue status"),
        (lambda: Queue().empty(), "pgqueue jobs cancel"),
        (lambda: Queue().failed_job_registry, "pgqueue dead list"),
        (lambda: Job("1").delete(), r"cancel\(\)"),
        (lambda: Job("1").save_meta(), r"current_job\(\).progress"),
        (lambda: Queue().enqueue(say_hello, result_ttl=-1), "a day at most"),
        (lambda: Queue().enqueue(say_hello, meta={"a": 1}), "labels here, which are texts"),
        (lambda: Queue().enqueue(say_hello, webhooks=["x"]), "http_task"),
        (lambda: Queue().enqueue(say_hello, rate_limit="x"), "limit_key"),
        (lambda: Queue().enqueue(say_hello, job_timeout="soon"), "180, 3m or 1h"),
        (lambda: Queue().enqueue(say_hello, retry=Retry(max=0)), "1 or more"),
        (lambda: Queue().enqueue(lambda: 1), "a lambda has no name"),
        (lambda: Queue().enqueue(say_hello, 1, 2, 3), "too many positional arguments"),
        (lambda: Queue.prepare_data(say_hello, timout=3), "takes no option timout"),
        (lambda: Queue().enqueue_many([Queue.prepare_data(say_hello, depends_on="a")]), r"pgqueue.chain\("),
    ],
)
def test_what_differs_names_ours(shop: str, call: Callable[[], object], ours: str) -> None:
    with pytest.raises((pgqueue.UsageError, AttributeError), match=ours):
        call()


@pytest.mark.parametrize(("name", "ours"), [("Worker", "pgqueue worker -A"), ("cron", r"pgqueue.schedule\(")])
def test_what_differs_names_ours_where_it_is_imported(name: str, ours: str) -> None:
    with pytest.raises(ImportError, match=ours):
        exec(f"from pgqueue.compat.rq import {name}")
