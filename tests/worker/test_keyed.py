"""What a worker remembers of where keyed jobs wait."""

from __future__ import annotations

from datetime import UTC, datetime

from pgqueue.store.jobs import Step
from pgqueue.store.keyed import KeyedSlot, KeyedStep
from pgqueue.worker.claiming.keyed import WINDOW, Keyed, KeyedAnswer
from pgqueue.worker.selection import select


def answer(slots: list[KeyedSlot]) -> KeyedAnswer:
    """Nothing was claimed, and these slots have something."""
    step = Step(claims=[], expired=[], alive=True, late=frozenset(), now=datetime.now(UTC), next_due=None)
    found = KeyedStep(step, slots, more=False, busy=False, waiting=True, unadopted=False, look_after=None)
    return KeyedAnswer(found, 0.0, 0.001)


def test_a_slot_that_is_found_again_is_remembered_once() -> None:
    keyed = Keyed(select(None))
    many = [KeyedSlot(f"q{number:03}", 5) for number in range(2 * WINDOW)]
    keyed.answered(answer(many), 10)
    for _ in range(5):
        offered, _look = keyed.offer(1.0, searching=True)
        keyed.answered(answer([*offered, *many]), 10)
    windows = []
    for _ in range(6):
        offered, _look = keyed.offer(1.0, searching=False)
        keyed.answered(answer(offered), 10)
        windows.append(sorted(slot.queue for slot in offered))
    assert windows[0] != windows[1]
    assert windows == [windows[0], windows[1]] * 3
    assert sorted(windows[0] + windows[1]) == [slot.queue for slot in many]
