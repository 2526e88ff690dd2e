"""A job enqueued on what Django has for a connection exists if and only if Django's transaction commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

import pgqueue

TARGET = "tests.django.shop.tasks:plain"
pytestmark = pytest.mark.usefixtures("fresh")


def by_proxy() -> Any:
    from django.db import connection

    return connection


def by_wrapper() -> Any:
    from django.db import connections

    return connections["default"]


def by_cursor() -> Any:
    from django.db import connection

    return connection.cursor()


def by_alias() -> Any:
    return "default"


def by_pool() -> Any:
    return "pooled"


WAYS = [by_proxy, by_wrapper, by_cursor, by_alias]


@contextmanager
def undone() -> Iterator[None]:
    """A block of atomic() that is rolled back."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def count(alias: str = "default") -> int:
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute("select count(*) from pgqueue.jobs")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("way", WAYS)
def test_what_atomic_commits_is_there_and_what_it_rolls_back_is_not(way: Callable[[], Any]) -> None:
    from django.db import transaction

    with transaction.atomic():
        pgqueue.enqueue(way(), TARGET, [1])
    assert count() == 1
    with undone():
        pgqueue.enqueue(way(), TARGET, [2])
    assert count() == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_savepoint_takes_its_jobs_with_it(way: Callable[[], Any]) -> None:
    from django.db import transaction

    with transaction.atomic():
        pgqueue.enqueue(way(), TARGET, [1])
        with undone():
            pgqueue.enqueue_many(way(), [pgqueue.NewJob(TARGET, [n]) for n in range(2_000)])
        pgqueue.enqueue_many(way(), [pgqueue.NewJob(TARGET, [n]) for n in range(3)])
    assert count() == 4


@pytest.mark.parametrize("way", WAYS)
def test_without_a_transaction_it_is_committed_on_return(way: Callable[[], Any]) -> None:
    job = pgqueue.enqueue(way(), TARGET, [1], unique_key="k")
    assert not pgqueue.enqueue(way(), TARGET, [1], unique_key="k").created
    assert pgqueue.get_job(way(), job.id).args == [1]
    assert pgqueue.cancel(way(), job) == pgqueue.JobState.CANCELLED
    from django.db import connection

    assert connection.get_autocommit()


def test_a_connection_of_a_pool_goes_back_to_it() -> None:
    from django.db import connections, transaction

    for n in range(5):
        with transaction.atomic(using="pooled"):
            pgqueue.enqueue("pooled", TARGET, [n])
        connections["pooled"].close()
    assert count() == 5
    connections["pooled"].close_pool()


def test_each_alias_is_a_database_of_its_own() -> None:
    from django.db import transaction

    with transaction.atomic():
        pgqueue.enqueue("other", TARGET, [1])
        transaction.set_rollback(True)
    assert (count("default"), count("other")) == (0, 1)


def test_in_a_broken_transaction_django_says_so() -> None:
    from django.db import transaction

    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            pgqueue.enqueue("default", TARGET, [1])


def test_a_connection_that_was_found_lost_is_opened_anew() -> None:
    from django.db import connection

    pgqueue.enqueue(connection, TARGET, [1])
    with psycopg.connect(_dsn("default"), autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        pgqueue.enqueue(connection, TARGET, [2])
    pgqueue.enqueue(connection, TARGET, [3])
    assert count() == 2


def test_in_an_event_loop_django_refuses_its_connection() -> None:
    import asyncio

    from django.core.exceptions import SynchronousOnlyOperation

    async def enqueue() -> None:
        pgqueue.enqueue("default", TARGET, [1])

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(enqueue())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("lite", "is SQLite, and jobs live in PostgreSQL"),
        ("nowhere", "DATABASES has no 'nowhere'; it has default, other, pooled, lite"),
        ("postgresql:///shop", "conn must be a connection"),
        (object(), "conn must be a connection"),
    ],
)
def test_what_is_no_connection_is_named(given: Any, said: str) -> None:
    with pytest.raises(pgqueue.UsageError, match=said):
        pgqueue.enqueue(given, TARGET, [1])


def test_a_dsn_leads_where_django_goes_and_has_nothing_of_its_own_words() -> None:
    with psycopg.connect(_dsn("pooled")) as conn:
        assert conn.info.dbname == "django_shop"


def test_the_role_that_django_assumes_a_worker_assumes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    monkeypatch.setitem(connections["other"].settings_dict["OPTIONS"], "assume_role", "pg_read_all_data")
    with psycopg.connect(_dsn("other")) as conn:
        row = conn.execute("select current_user").fetchone()
    assert row == ("pg_read_all_data",)


def _dsn(alias: str) -> str:
    from pgqueue.contrib.django.dsn import dsn_of

    return dsn_of(alias)
