"""Slots are dealt as evenly as the wishes allow, and offered to those who come for them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgqueue.worker.many.dealing import Wish, dealt
from pgqueue.worker.many.sharing import KEPT, Seat, Sharing

WISHES = st.lists(st.builds(Wish, st.integers(0, 50), st.floats(0, 100)), max_size=12)


@given(st.integers(0, 60), WISHES)
def test_nobody_gets_less_than_another_while_it_wishes_more(slots: int, wishes: list[Wish]) -> None:
    given = dealt(slots, wishes)
    assert sum(given) == min(slots, sum(wish.most for wish in wishes))
    for mine, share in zip(wishes, given, strict=True):
        assert share <= mine.most
        assert share == mine.most or all(share >= other - 1 for other in given)


def test_what_does_not_come_out_even_goes_to_whom_waits_longest() -> None:
    assert dealt(8, [Wish(8, 3.0), Wish(8, 1.0), Wish(8, 2.0)]) == [2, 3, 3]
    assert dealt(1, [Wish(1, 5.0), Wish(1, 4.0), Wish(1, 6.0)]) == [0, 1, 0]


class Table:
    """Seats of one sharing, and who was woken."""

    def __init__(self, slots: int, seats: int) -> None:
        self.sharing = Sharing(slots)
        self.seats = [Seat() for _ in range(seats)]
        self.woken: list[int] = []
        for number, seat in enumerate(self.seats):
            seat.wake = lambda number=number: self.woken.append(number)  # type: ignore[misc]
            self.sharing.join(seat)

    def claim(self, number: int, wanted: int, ahead: int = 0) -> int:
        """One turn of a claim loop with so many jobs due; answers how many it has claimed."""
        seat = self.seats[number]
        room = max(0, self.sharing.own(seat, ahead) + ahead - seat.load)
        taken = min(room, wanted)
        if taken:
            self.sharing.took(seat, taken)
        self.sharing.want(seat, wanted > taken)
        return taken


def test_a_single_busy_database_has_all_slots() -> None:
    table = Table(8, seats=5)
    assert table.claim(0, 100) == 8


def test_who_comes_second_gets_each_slot_that_comes_free_until_both_have_as_many() -> None:
    table = Table(4, seats=2)
    assert table.claim(0, 100) == 4
    assert table.claim(1, 100) == 0
    for _ in range(2):
        table.sharing.ended(table.seats[0], 1)
        assert table.woken == [1]
        table.woken.clear()
        assert table.claim(0, 100) == 0
        assert table.claim(1, 100) == 1
    table.sharing.ended(table.seats[1], 1)
    assert table.claim(0, 100) == 0
    assert table.claim(1, 100) == 1


def test_more_databases_than_slots_have_their_turns() -> None:
    table = Table(1, seats=4)
    served = []
    for _ in range(12):
        for number in range(4):
            if table.claim(number, 100):
                served.append(number)
        for seat in table.seats:
            if seat.load:
                table.sharing.ended(seat, 1)
    assert sorted(served) == sorted([0, 1, 2, 3] * 3)


def test_a_database_that_does_not_come_loses_what_was_kept_for_it() -> None:
    table = Table(4, seats=2)
    # It asks, and hangs in its claim.
    assert table.sharing.own(table.seats[0], 0) == 4
    assert table.claim(1, 100) == 0
    table.seats[0].asked_at -= KEPT
    assert table.claim(1, 100) == 4


def test_what_one_does_not_want_others_have_at_once() -> None:
    table = Table(4, seats=2)
    assert table.claim(0, 1) == 1
    assert table.claim(1, 100) == 3


def test_a_start_of_short_jobs_is_let_in_although_the_other_works_ahead() -> None:
    table = Table(4, seats=2)
    table.claim(0, 1000, ahead=100)
    assert table.seats[0].load == 104
    table.claim(1, 1000)
    table.sharing.ended(table.seats[0], 10)
    assert table.claim(0, 1000, ahead=100) <= 8
    assert table.claim(1, 1000) >= 1
