"""Progress, checkpoints, units and types of arguments, in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from pgqueue.testing import AttemptFailed, assert_enqueued, drain, run_job
from tests.testing import tasks
from tests.testing.conftest import charges

Conn = psycopg.Connection[Any]


def test_a_job_goes_on_from_its_checkpoint(conn: Conn) -> None:
    tasks.count_up.enqueue(conn, 4)
    first, second = drain(conn)
    assert (first.outcome, first.progress) == ("failed", (2, 4, "counting"))
    assert (second.outcome, second.progress) == ("succeeded", (4, 4, "counting"))


def test_units_of_a_transactional_task_stay_where_it_fails(conn: Conn) -> None:
    tasks.charge_each.enqueue(conn, 4)
    with pytest.raises(AttemptFailed, match="in the middle"):
        drain(conn)
    assert charges(conn) == [0, 1]


def test_one_attempt_can_be_told_where_to_go_on(conn: Conn) -> None:
    assert run_job(tasks.count_up, [4], conn=conn, attempt=2, resumed_from=3).progress == (4, 4, "counting")
    assert run_job(tasks.take_time).succeeded


def test_arguments_have_their_types(conn: Conn) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    tasks.due.enqueue(conn, at, Decimal("1.50"))
    assert_enqueued(conn, tasks.due, args={"at": at, "price": Decimal("1.50")})
    assert drain(conn)[0].value == run_job(tasks.due, [at, Decimal("1.50")]).value == "datetime Decimal"
