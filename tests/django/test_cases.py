"""Django's test cases with jobs: what a test enqueues runs in it, and none is left behind."""
# ruff: noqa: PT009  # as Django's users write them

from __future__ import annotations

import unittest
from typing import Any

import pytest

from tests.django.test_connections import count

pytestmark = pytest.mark.usefixtures("fresh")


def outcome_of(case: Any) -> unittest.TestResult:
    """Run all tests of a case."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun
    assert [*result.errors, *result.failures] == []
    return result


def test_in_a_testcase_jobs_run_in_the_tests_transaction_and_are_gone_with_it() -> None:
    from pgqueue.contrib.django.testing import TestCase
    from tests.django.shop import tasks
    from tests.django.shop.models import Receipt

    class Tests(TestCase):
        def test_what_a_view_enqueues_runs(self) -> None:
            order = int(self.client.post("/orders", {"item": "ball"}).content)
            self.assert_enqueued(tasks.send_receipt, args=[order], queue="mail")
            self.assert_enqueued(tasks.charge, args={"order": order})
            self.refute_enqueued(tasks.add)
            self.assertEqual([each.outcome for each in self.drain()], ["succeeded", "succeeded"])
            self.assertEqual(Receipt.objects.filter(order=order).count(), 2)
            self.assertEqual(self.enqueued(), [])

        def test_a_job_that_breaks_its_transaction_does_not_break_the_test(self) -> None:
            tasks.break_transaction.enqueue("default")
            tasks.charge.enqueue("default", 5)
            broken, charged = self.drain(raises=False)
            self.assertIn("nowhere", broken.message)
            self.assertTrue(charged.succeeded)
            self.assertTrue(Receipt.objects.filter(order=5).exists())

        def test_what_waits_runs_later(self) -> None:
            tasks.charge.using(delay=3600).enqueue("default", 6)
            self.assertEqual(self.drain(), [])
            with self.time_travel(hours=1):
                self.assertEqual(len(self.drain()), 1)

        def test_eagerly(self) -> None:
            with self.eager() as ran:
                result = tasks.add.enqueue(1, 2)
            self.assertEqual([each.value for each in ran], [3])
            result.refresh()
            self.assertEqual(result.return_value, 3)

        def test_plain_functions_and_coroutines_may_run(self) -> None:
            tasks.charge_once.enqueue("default", 7)
            self.assertEqual([each.outcome for each in self.drain()], ["succeeded"])

    outcome_of(Tests)
    assert count() == 0
    assert Receipt.objects.count() == 0


def test_in_a_transactiontestcase_jobs_run_as_by_a_worker_and_none_is_left() -> None:
    from django.db import transaction

    from pgqueue.contrib.django.testing import TransactionTestCase
    from tests.django.shop import tasks
    from tests.django.shop.models import Receipt

    class Tests(TransactionTestCase):
        available_apps = ("tests.django.shop",)

        def test_what_is_committed_runs(self) -> None:
            with transaction.atomic():
                tasks.send_receipt.enqueue(1)
                self.assertEqual(self.drain(), [])
            tasks.write_receipt.enqueue(2)
            self.assertEqual([each.outcome for each in self.drain()], ["succeeded", "succeeded"])
            self.assertEqual(Receipt.objects.count(), 2)
            tasks.add.using(run_after=None).enqueue(1)

    outcome_of(Tests)
    assert count() == 0


def test_without_a_test_case_djangos_connection_goes_where_pgqueues_own_helpers_take_one() -> None:
    from django.db import connection, transaction

    from pgqueue.testing import assert_enqueued, drain
    from tests.django.shop import tasks
    from tests.django.shop.models import Receipt

    with transaction.atomic():
        tasks.send_receipt.enqueue(42)
        assert_enqueued(connection, "tests.django.shop.tasks:send_receipt", args=[42])
        assert [each.outcome for each in drain(connection)] == ["succeeded"]
        assert Receipt.objects.count() == 1
        transaction.set_rollback(True)
    assert Receipt.objects.count() == count() == 0


def test_an_assertion_that_fails_says_what_is_enqueued() -> None:
    from pgqueue.contrib.django.testing import TestCase
    from tests.django.shop import tasks

    class Tests(TestCase):
        def test_it(self) -> None:
            tasks.send_receipt.enqueue(41)
            with pytest.raises(AssertionError, match="expected 42, got 41"):
                self.assert_enqueued(tasks.send_receipt, args=[42])

    outcome_of(Tests)
