"""Which slots of many are claimed from first, and what is remembered of the others."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.heads import Head, Heads
from pgqueue.worker.claiming.told import MOST_AGAIN, MOST_TOLD, Told

LONG_AGO = datetime(2030, 1, 1, tzinfo=UTC)


def head(due_at: float) -> Head:
    return Head(due_at, LONG_AGO, UUID(int=round(due_at * 1000) % 2**64))


def known(**due: float) -> Heads:
    """Heads of slots written as queue and priority: a5."""
    heads = Heads(Ageing(None))
    for name, due_at in due.items():
        heads.put((name[:-1], int(name[-1])), head(due_at))
    return heads


def popped(heads: Heads, count: int, now: float) -> list[str]:
    return [f"{each.slot.queue}{each.slot.priority}" for each in heads.pop(count, now)]


def test_higher_priorities_come_first_then_who_waited_longest() -> None:
    assert popped(known(a5=3, b5=1, c9=4, d0=0, e5=2), 10, now=9) == ["c9", "b5", "e5", "a5", "d0"]


def test_no_more_are_handed_out_than_asked_for_and_each_once() -> None:
    heads = known(a5=3, b5=1, c9=4)
    assert popped(heads, 2, now=9) == ["c9", "b5"]
    assert popped(heads, 2, now=9) == ["a5"]
    assert not heads.any_due(9)
    assert len(heads) == 0


def test_what_is_not_due_yet_is_remembered_until_it_is() -> None:
    heads = known(a5=5, b5=1)
    assert popped(heads, 9, now=2) == ["b5"]
    assert heads.next_at == 5
    assert not heads.any_due(4.9)
    assert popped(heads, 9, now=5) == ["a5"]
    assert heads.next_at is None


def test_a_head_that_was_seen_anew_takes_the_place_of_the_former() -> None:
    heads = known(a5=1)
    heads.put(("a", 5), head(7))
    assert not heads.any_due(6)
    assert popped(heads, 9, now=7) == ["a5"]
    assert not heads.any_due(9)


def test_heads_that_change_all_the_time_take_no_more_memory() -> None:
    heads = known(a5=1)
    for turn in range(20_000):
        heads.put(("b", 0), head(2 + turn))
    assert len(heads._coming) + len(heads._ready) < 5_000


def test_so_many_queues_are_told_of_at_a_time_and_none_is_forgotten() -> None:
    told = Told()
    names = [str(number) for number in range(3 * MOST_TOLD)]
    for name in names:
        told.add(name)
    taken = [told.take(0, going=False)[0] for _ in range(3)]
    assert [name for each in taken for name in each] == names
    assert not told.due(0)


def test_a_queue_is_looked_at_again_in_time_or_with_a_step_that_goes_anyway() -> None:
    told = Told()
    assert told.again("a", 10, earliest=5)
    assert told.take(4, going=True) == ([], [])
    assert told.take(9, going=False) == ([], [])
    assert told.next_at == 10
    assert told.take(5, going=True) == ([], ["a"])
    for number in range(MOST_AGAIN):
        assert told.again(str(number), 10, earliest=10)
    assert not told.again("one more", 10, earliest=10)
