"""Ageing: a job of low priority is served within a bound, however many higher ones keep coming."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pgqueue.store import queues
from pgqueue.worker.claiming.ageing import EVERY, Ageing
from pgqueue.worker.selection import ALL, Selection, select
from tests.factories import Conn, enqueue, fill
from tests.worker.steps import Steps

MINUTE, HOUR = 60.0, 3600.0
SELECTIONS = {"one queue": select(["q0"]), "few queues": select(["q0", "q1", "q2"]), "many queues": ALL}
OTHERS = {"one queue": 1, "few queues": 3, "many queues": 40}


@pytest.fixture(params=SELECTIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def claims_until(db: Conn, kind: str, ageing: Ageing, low: UUID, *, most: int, limit: int = 1) -> int | None:
    """After how many claims the low one is taken, while more of the highest priority come than are claimed."""
    selection: Selection = SELECTIONS[kind]
    worker = Steps(db, selection, ageing)
    for number in range(OTHERS[kind]):
        fill(db, 2 * limit, queue=f"q{number}", priority=9)
    # Many queues are found one window after another.
    worker.claim(0)
    for count in range(1, most + 1):
        claims = worker.claim(limit)
        if low in {each.id for each in claims}:
            return count
        fill(db, limit, queue=f"q{count % OTHERS[kind]}", priority=9)
    return None


def test_by_priority_alone_the_lowest_starves(db: Conn, kind: str) -> None:
    low = enqueue(db, queue="q0", priority=0, run_at=ago(HOUR))
    assert claims_until(db, kind, Ageing(None), low, most=10 * EVERY) is None


@pytest.mark.parametrize("limit", [1, 10])
def test_with_ageing_it_is_taken_by_the_eighth_full_claim(db: Conn, kind: str, limit: int) -> None:
    low = enqueue(db, queue="q0", priority=0, run_at=ago(HOUR))
    assert claims_until(db, kind, Ageing(MINUTE), low, most=10 * EVERY, limit=limit) == EVERY


def test_it_waits_for_no_more_than_what_ranks_before_it_by_age(db: Conn, kind: str) -> None:
    """Higher ones that fell due up to nine levels after it: each takes one of the claims that are by age."""
    before = 3
    for number in range(before):
        # Their priority is worth 9 minutes, and they waited 1 less than it did.
        enqueue(db, queue=f"q{number % OTHERS[kind]}", priority=9, run_at=ago(HOUR - MINUTE))
    low = enqueue(db, queue="q0", priority=0, run_at=ago(HOUR))
    count = claims_until(db, kind, Ageing(MINUTE), low, most=10 * EVERY)
    assert count is not None
    assert count <= EVERY * (before + 1)


def test_before_it_has_waited_for_its_levels_it_is_not_taken(db: Conn, kind: str) -> None:
    low = enqueue(db, queue="q0", priority=0, run_at=ago(8 * MINUTE))
    assert claims_until(db, kind, Ageing(MINUTE), low, most=3 * EVERY) is None


def test_a_queue_may_age_faster_than_the_others(db: Conn, kind: str) -> None:
    low = enqueue(db, queue="q0", priority=0, run_at=ago(8 * MINUTE))
    ageing = Ageing(MINUTE, {f"q{number}": 1.0 for number in range(OTHERS[kind])}.get)
    assert claims_until(db, kind, ageing, low, most=3 * EVERY) == EVERY


def test_within_a_share_the_lowest_does_not_starve_either(db: Conn) -> None:
    worker = Steps(db, select({"q0": 1, "other": 1}), Ageing(MINUTE))
    low = enqueue(db, queue="q0", priority=0, run_at=ago(HOUR))
    for queue in ("q0", "other"):
        fill(db, 50, queue=queue, priority=9)
    taken = [worker.claim()[0] for _ in range(4 * EVERY)]
    assert low in {each.id for each in taken}
    # One more of one of them, at most.
    assert abs(sum(1 if each.queue == "q0" else -1 for each in taken)) <= 1


def test_claims_that_come_back_short_are_not_counted(counting: Callable[[], int], db: Conn) -> None:
    worker = Steps(db, select(["q0"]), Ageing(MINUTE))
    for _ in range(3 * EVERY):
        enqueue(db, queue="q0")
        worker.claim(2)
    assert counting() == 0
    fill(db, 2 * EVERY, queue="q0")
    for _ in range(EVERY):
        worker.claim()
    assert counting() == 1


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many looks at heads there were."""
    asked = queues.order_slots
    counted: list[None] = []

    def order_slots(*args: object) -> object:
        counted.append(None)
        return asked(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(queues, "order_slots", order_slots)
    return lambda: len(counted)
