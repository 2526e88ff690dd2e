"""The lower bounds of claims: what they leave out must be found by other claims soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.worker.claiming.bounds import BEGINNING, LAG, LAST_ID, PRIORITIES, Bounds
from pgqueue.worker.claiming.ration import LONGEST_REST, RATION, SAMPLE_EVERY
from tests.worker.claims import claim

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CHEAP, DEAR = 0.001, 0.5


def claimed(seconds: float, queue: str = "default", priority: int = 5) -> Claim:
    return claim("x", run_at=NOW + timedelta(seconds=seconds), queue=queue, priority=priority, id=new_job_id())


def bound_of(bounds: Bounds, queue: str = "default", priority: int = 5, at: float = 0.0) -> tuple[datetime, UUID]:
    slots, _ = bounds.slots(at)
    (slot,) = [slot for slot in slots if (slot.queue, slot.priority) == (queue, priority)]
    return slot.after, slot.after_id


def tell(bounds: Bounds, *claims: Claim, short: bool = False, at: float = 0.0, cost: float = CHEAP) -> None:
    bounds.claimed(claims, short=short, now=NOW, at=at, cost=cost)


def unbounded(bounds: Bounds, at: float = 0.0) -> bool:
    """Ask for the slots of a claim; whether it will be unbounded in the slot that `claimed` is about."""
    return bound_of(bounds, at=at)[0] == BEGINNING


def expensive(bounds: Bounds) -> None:
    """Make unbounded scans dear: the bounds are used from here on, for RATION times DEAR seconds."""
    at = -100.0
    while not unbounded(bounds, at) or at < -90:
        tell(bounds, claimed(0), at=at)
        at += 1
    tell(bounds, claimed(0), cost=DEAR)
    while not unbounded(bounds):
        tell(bounds, claimed(0))
    tell(bounds, claimed(0), cost=DEAR)
    bounds.slots(0)


def test_higher_priorities_come_first_and_every_slot_is_named() -> None:
    slots, _ = Bounds(["mail", "web"]).slots(0)
    assert [(slot.queue, slot.priority) for slot in slots] == [(q, p) for p in PRIORITIES for q in ("mail", "web")]


def test_a_queue_named_twice_is_claimed_from_once() -> None:
    bounds = Bounds(["mail", "mail"])
    assert bounds.queues == ["mail"]
    assert len(bounds.slots(0)[0]) == len(PRIORITIES)


def test_the_next_claim_begins_behind_the_last_one_of_its_slot() -> None:
    bounds = Bounds(["default", "web"])
    expensive(bounds)
    first, last, other = claimed(1), claimed(2), claimed(3, "web", 7)
    tell(bounds, first, last, other)
    assert bound_of(bounds) == (last.run_at, last.id)
    tell(bounds)
    assert bound_of(bounds, "web", 7) == (other.run_at, other.id)
    tell(bounds)
    assert bound_of(bounds, "web", 5) == (BEGINNING, UUID(int=0))


def test_after_a_short_batch_the_bounds_are_now_less_the_lag() -> None:
    bounds = Bounds(["default"])
    expensive(bounds)
    tell(bounds, claimed(1), short=True)
    slots, lag = bounds.slots(0)
    assert {(slot.after, slot.after_id) for slot in slots} == {(NOW, LAST_ID)}
    assert lag == LAG
    tell(bounds, claimed(2))
    assert bounds.slots(0)[1] == timedelta(0)


def test_cheap_unbounded_scans_are_almost_always_made() -> None:
    bounds = Bounds(["default"])
    made = 0
    for turn in range(SAMPLE_EVERY * 10):
        made += unbounded(bounds, turn * 0.01)
        tell(bounds, claimed(turn), at=turn * 0.01)
    assert made >= SAMPLE_EVERY * 9


def test_expensive_unbounded_scans_are_rationed_and_never_given_up() -> None:
    bounds = Bounds(["default"])
    expensive(bounds)
    clock, spent, made = 0.0, 0.0, 0
    while clock < 60:
        whole = unbounded(bounds, clock)
        cost = DEAR if whole else CHEAP
        clock += cost
        if whole:
            made += 1
            spent += cost
        tell(bounds, claimed(clock), at=clock, cost=cost)
    assert spent / clock < 1.5 / RATION
    assert made > 60 / (DEAR * RATION) / 2


def test_large_steps_hide_no_scan_that_is_half_as_dear_again() -> None:
    """A thousand rows take 15 ms; 20 more to walk dead ones would leave two thirds of the speed, each time."""
    bounds = Bounds(["default"])
    clock, made = 0.0, 0
    for turn in range(400):
        whole = unbounded(bounds, clock)
        # Batches differ; what each of their rows costs does not.
        rows = 500 if turn % 2 else 1000
        cost = rows * 15e-6 + (0.020 if whole else 0.0)
        clock += cost
        made += whole
        bounds.claimed([claimed(clock)], short=False, now=NOW, at=clock, cost=cost, settled=rows)
    assert 0 < made < 400 / 5


def test_a_scan_that_waited_for_a_lock_does_not_hide_late_jobs_for_minutes() -> None:
    bounds = Bounds(["default"])
    for _ in range(2):
        while not unbounded(bounds):
            tell(bounds, short=True)
        tell(bounds, short=True, cost=20.0)
    made = [unbounded(bounds, LONGEST_REST + turn) for turn in range(2)]
    assert any(made)


def test_one_scan_that_was_dear_by_chance_puts_off_no_other() -> None:
    bounds = Bounds(["default"])
    for cost in (CHEAP, DEAR, CHEAP, DEAR):
        while not unbounded(bounds):
            tell(bounds)
        tell(bounds, cost=cost)
    assert unbounded(bounds) or unbounded(bounds)


def test_queues_that_stay_keep_their_bounds() -> None:
    bounds = Bounds(["default"])
    expensive(bounds)
    last = claimed(5)
    tell(bounds, last)
    bounds.serve(["default", "new"])
    assert bound_of(bounds) == (last.run_at, last.id)
    tell(bounds)
    assert bound_of(bounds, "new") == (BEGINNING, UUID(int=0))
