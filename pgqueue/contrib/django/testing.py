"""For the tests of a Django project: Django's own test cases, with what pgqueue.testing has for jobs.

    from pgqueue.contrib.django.testing import TestCase

    class OrderTest(TestCase):
        def test_an_order_sends_a_receipt(self):
            self.client.post("/orders", {"item": 42})
            self.assert_enqueued("shop.tasks:send_receipt", args=[42])
            [ran] = self.drain()

A task is a task of pgqueue's, one of Django's framework, a function, or `"module:function"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, ClassVar

from django import test
from django.db import connections
from psycopg.pq import TransactionStatus

from pgqueue import testing
from pgqueue.context import JobContext
from pgqueue.contrib.django import conf
from pgqueue.contrib.django.connection import below
from pgqueue.contrib.django.dsn import dsn_of
from pgqueue.contrib.django.modules import import_tasks, task_modules
from pgqueue.store import emptying, execute
from pgqueue.testing import Ran, Waiting


class JobsMixin:
    """What both test cases have. `pgqueue_database` names another alias than PGQUEUE["DATABASE"]."""

    pgqueue_database: ClassVar[str | None] = None

    def enqueued(self, task: Any = None, *, queue: str | None = None) -> list[Waiting]:
        """The jobs that wait, as pgqueue.testing.enqueued()."""
        return testing.enqueued(self._raw, None if task is None else target_of(task), queue=queue)

    def assert_enqueued(self, task: Any, **expected: Any) -> list[Waiting]:
        """Assert that such a job waits, as pgqueue.testing.assert_enqueued()."""
        return testing.assert_enqueued(self._raw, target_of(task), **expected)

    def refute_enqueued(self, task: Any, **expected: Any) -> None:
        """Assert that no such job waits."""
        testing.refute_enqueued(self._raw, target_of(task), **expected)

    def time_travel(self, **by: float) -> AbstractContextManager[Any]:
        """A block in which it is later, as pgqueue.testing.time_travel()."""
        return testing.time_travel(self._raw, **by)

    def eager(self, *, raises: bool = True) -> AbstractContextManager[list[Ran]]:
        """A block in which each enqueue runs its job before it returns, as pgqueue.testing.eager()."""
        import_tasks()
        return testing.eager(raises=raises, app=task_modules(), middleware=[IN_SAVEPOINT])

    @property
    def _alias(self) -> str:
        return self.pgqueue_database or conf.database()

    @property
    def _raw(self) -> Any:
        return below(connections[self._alias])


class TestCase(JobsMixin, test.TestCase):
    """Django's TestCase: jobs are enqueued, run and settled in the test's transaction, and gone with it."""

    def drain(self, **options: Any) -> list[Ran]:
        """Run what is due, on Django's connection, as pgqueue.testing.drain(); committed or not."""
        import_tasks()
        return testing.drain(self._raw, app=task_modules(), middleware=[IN_SAVEPOINT], **options)


class TransactionTestCase(JobsMixin, test.TransactionTestCase):
    """Django's TransactionTestCase: jobs are run as by a worker, on connections of its own; none is left behind."""

    def drain(self, **options: Any) -> list[Ran]:
        """Run what is due and committed, as a worker does."""
        import_tasks()
        return testing.drain(dsn_of(self._alias), app=task_modules(), **options)

    def _fixture_teardown(self) -> None:
        super()._fixture_teardown()
        execute(self._raw, emptying.everything())


def target_of(task: Any) -> Any:
    """A task as pgqueue.testing understands it: one of Django's framework by its target."""
    function = getattr(task, "func", None)
    return task if function is None else f"{function.__module__}:{function.__qualname__}"


@contextmanager
def in_savepoint(job: JobContext) -> Iterator[None]:
    """What a job breaks of the test's transactions is undone: with a connection of its own it would break only that."""
    with ExitStack() as stack:
        for wrapper in connections.all(initialized_only=True):
            if wrapper.in_atomic_block and wrapper.vendor == "postgresql":
                stack.enter_context(_mended(wrapper))
        yield


@contextmanager
def _mended(wrapper: Any) -> Iterator[None]:
    savepoint = wrapper.savepoint()
    try:
        yield
    finally:
        if wrapper.connection.info.transaction_status == TransactionStatus.INERROR or wrapper.needs_rollback:
            wrapper.needs_rollback = False
            wrapper.savepoint_rollback(savepoint)
        else:
            wrapper.savepoint_commit(savepoint)


IN_SAVEPOINT = f"{in_savepoint.__module__}:{in_savepoint.__qualname__}"
