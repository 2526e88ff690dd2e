"""Celery's page on canvas, with the import changed; a real worker runs what is enqueued."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import pgqueue
from pgqueue.compat.celery import chain, chord, group, signature
from pgqueue.compat.celery.exceptions import ChordError
from tests.compat.proj.tasks import (
    add,
    create_user,
    fail,
    import_contacts,
    log_error,
    log_id,
    mul,
    reset_buffers,
    send_welcome_email,
    subtract,
    tsum,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.adopt
ADD = "tests.compat.proj.tasks.add"
MUL = "tests.compat.proj.tasks.mul"
WAIT = 20


# Signatures.


def test_a_signature_is_a_value_with_arguments_and_options() -> None:
    assert repr(signature(ADD, args=(2, 2), countdown=10)) == f"{ADD}(2, 2)"
    assert repr(add.s(2, 2, debug=True)) == f"{ADD}(2, 2, debug=True)"
    s = add.signature((2, 2), {"debug": True}, countdown=10)
    assert (s.args, s.kwargs, s.options) == ((2, 2), {"debug": True}, {"countdown": 10})
    assert add.s(2, 2).set(countdown=1).options == {"countdown": 1}
    assert repr(add.s(2).clone(args=(4,), kwargs={"debug": True})) == f"{ADD}(4, 2, debug=True)"


def test_calling_a_signature_calls_the_task_here() -> None:
    assert add.s(2, 2)() == 4
    assert subtract.s(10)(30) == 20


def test_arguments_given_later_stand_in_front(shop: str) -> None:
    assert add.s(2).delay(4).get(WAIT) == 6
    assert subtract.s(10).apply_async((30,)).get(WAIT) == 20
    assert add.s(2, 2).delay(debug=True).get(WAIT) == [4, "debug"]
    assert add.s(2, 2).apply_async(kwargs={"debug": True}).get(WAIT) == [4, "debug"]
    assert ~add.s(2, 2) == 4


def test_options_given_later_win(shop_conn: psycopg.Connection) -> None:
    s = add.signature((2, 2), countdown=1000)
    result = s.apply_async(countdown=10, connection=shop_conn)
    row = shop_conn.execute("select run_at < now() + '20 s' from pgqueue.jobs where id = %s", [result.id]).fetchone()
    assert row == (True,)
    shop_conn.rollback()


# Callbacks.


def test_a_callback_is_called_with_what_was_returned(shop: str) -> None:
    res = add.apply_async((2, 2), link=mul.s(16))
    assert res.get(WAIT) == 4
    assert [child.get(WAIT) for child in res.children] == [64]
    assert [value for _, value in res.collect(timeout=WAIT)] == [4, 64]


def test_an_immutable_callback_is_not(shop: str) -> None:
    assert add.apply_async((2, 2), link=reset_buffers.si()).children[0].get(WAIT) == "reset"
    res = add.apply_async((2, 2), link=reset_buffers.signature(immutable=True))
    assert res.children[0].get(WAIT) == "reset"


def test_several_callbacks_are_called_beside_each_other(shop: str) -> None:
    s = add.s(2, 2)
    s.link(mul.s(4))
    s.link(add.s(8))
    res = s.delay()
    assert [child.get(WAIT) for child in res.children] == [16, 12]


def test_an_errback_is_told_of_the_failure(shop: str, folder: Path) -> None:
    for res in (fail.s().on_error(log_error.s()).delay(), fail.apply_async(link_error=log_error.s())):
        assert isinstance(res.get(WAIT, propagate=False), ValueError)
        wait_until((folder / res.id).exists, WAIT, "the errback")
        written = (folder / res.id).read_text()
        assert written.startswith(f"{res.id}: ValueError('something something')")
        assert "raise ValueError" in written


def test_an_errback_of_one_argument_is_given_the_id(shop: str, folder: Path) -> None:
    res = fail.apply_async(link_error=log_id.s())
    wait_until((folder / res.id).exists, WAIT, "the errback")
    assert (folder / res.id).read_text() == f"only {res.id}"


# Chains.


def test_a_chain_hands_each_result_on(shop: str) -> None:
    assert chain(add.s(2, 2), add.s(4), add.s(8))().get(WAIT) == 16
    assert (add.s(2, 2) | add.s(4) | add.s(8))().get(WAIT) == 16
    assert repr(chain(add.s(4, 4), mul.s(8), mul.s(10))) == f"{ADD}(4, 4) | {MUL}(8) | {MUL}(10)"


def test_a_chain_of_immutable_tasks_does_not(shop: str) -> None:
    res = (add.si(2, 2) | add.si(4, 4) | add.si(8, 8))()
    assert (res.get(WAIT), res.parent.get(WAIT), res.parent.parent.get(WAIT)) == (16, 8, 4)


def test_a_chain_knows_its_parents(shop: str) -> None:
    res = chain(add.s(4, 4), mul.s(8), mul.s(10))()
    assert (res.get(WAIT), res.parent.get(WAIT), res.parent.parent.get(WAIT)) == (640, 64, 8)
    assert [value for _, value in res.parent.parent.collect()] == [8, 64, 640]


def test_chains_are_partial_and_parts_of_others(shop: str) -> None:
    c1 = add.s(4) | mul.s(8)
    assert c1(16).get(WAIT) == 160
    c2 = add.s(4, 16) | mul.s(2) | (add.s(4) | mul.s(8))
    assert c2().get(WAIT) == 352


def test_a_chain_ends_where_a_task_fails(shop: str, folder: Path) -> None:
    res = chain(add.s(2, 2), fail.s(), mul.s(4)).apply_async(link_error=log_error.s())
    with pytest.raises(ValueError, match="something"):
        res.get(WAIT)
    assert (res.state, res.parent.state) == ("REVOKED", "FAILURE")
    wait_until((folder / res.parent.id).exists, WAIT, "the errback")


def test_callbacks_within_a_chain_are_beside_it(shop: str) -> None:
    first = add.s(2, 2)
    first.link(mul.s(100))
    res = chain(first, add.s(4), mul.s(10))()
    assert (res.get(WAIT), res.parent.get(WAIT), res.parent.parent.get(WAIT)) == (80, 8, 4)
    assert sorted(child.get(WAIT) for child in res.parent.parent.children) == [8, 400]


# Groups.


def test_a_group_is_a_list_of_results(shop: str) -> None:
    res = group(add.s(i, i) for i in range(10))()
    assert res.get(timeout=WAIT) == [2 * i for i in range(10)]
    assert (res.ready(), res.successful(), res.failed(), res.waiting(), res.completed_count()) == (
        True, True, False, False, 10,
    )  # fmt: skip
    assert repr(group(add.s(2, 2), add.s(4, 4))) == f"group({ADD}(2, 2), {ADD}(4, 4))"
    assert group(add.s(i) for i in range(3))(10).get(WAIT) == [10, 11, 12]


def test_a_group_behind_a_task_is_given_its_result(shop: str) -> None:
    new_user = create_user.s() | group(import_contacts.s(), send_welcome_email.s())
    res = new_user.delay(username="artv", first="Art", last="Vandelay", email="art@vandelay.com")
    who = "Art Vandelay <art@vandelay.com>"
    assert res.get(WAIT) == [f"contacts of {who}", f"welcome, {who}"]


def test_an_immutable_group_behind_a_task_is_not(shop: str) -> None:
    res = (add.s(4, 4) | group(add.si(i, i) for i in range(10)))()
    assert res.get(WAIT) == [2 * i for i in range(10)]
    assert res.parent.get(WAIT) == 8


def test_a_callback_of_a_group_is_of_its_first_task(shop: str) -> None:
    g = group(add.s(2, 2), add.s(4, 4))
    g.link(add.s(1))
    res = g()
    assert res.get(WAIT) == [4, 8]
    assert res[0].children[0].get(WAIT) == 5


def test_an_errback_of_a_group_is_told_of_each_failure(shop_conn: psycopg.Connection, folder: Path) -> None:
    for tasks in ([fail.s(), fail.s()], [add.s(1, 1) | fail.s()]):
        g = group(tasks)
        g.link_error(log_error.s())
        res = g()
        for each in res:
            wait_until((folder / each.id).exists, WAIT, "the errback")
            job = pgqueue.get_job(shop_conn, each.id)
            assert [node.how for node in pgqueue.tree(shop_conn, job.id)][1:] == ["on_failure"]
        assert res.failed()


def test_a_group_of_one_in_a_chain_is_that_one(shop: str) -> None:
    assert chain(add.s(2, 2), group(add.s(1)), add.s(1))().get(WAIT) == 6
    assert chain(group(add.s(1, 1)), add.s(2))().get(WAIT) == 4


# Chords.


def test_a_chord_gives_all_results_to_its_callback(shop: str) -> None:
    assert chord((add.s(i, i) for i in range(10)), tsum.s())().get(WAIT) == 90
    assert chord(add.s(i, i) for i in range(100))(tsum.s()).get(WAIT) == 9900
    assert (group(add.s(i, i) for i in range(10)) | tsum.s())().get(WAIT) == 90
    assert chord([add.s(1, 1)], tsum.s())().get(WAIT) == 2


def test_an_immutable_callback_of_a_chord_is_given_nothing(shop: str) -> None:
    assert chord((add.s(i, i) for i in range(3)), reset_buffers.si()).apply_async().get(WAIT) == "reset"


def test_chords_are_parts_of_chains(shop: str) -> None:
    res = chain(add.s(2, 2), group(add.s(1), add.s(2)), tsum.s(), mul.s(10))()
    assert res.get(WAIT) == 110
    assert res.parent.parent.get(WAIT) == [5, 6]


def test_a_callback_of_a_chord_is_called_off_where_its_header_fails(shop: str) -> None:
    res = chord([add.s(4, 4), fail.s(), add.s(8, 8)], tsum.s())()
    with pytest.raises(ChordError, match=r"Dependency .* raised ValueError"):
        res.get(WAIT)
    assert res.parent[0].get(WAIT) == 8


def test_an_errback_of_a_callback_is_told_of_its_failure(shop: str, folder: Path) -> None:
    res = (group(add.s(i, i) for i in range(3)) | fail.s().on_error(log_error.s())).delay()
    wait_until((folder / res.id).exists, WAIT, "the errback")
    assert res.failed()


def test_a_callback_is_not_given_more_results_than_an_argument_has() -> None:
    with pytest.raises(pgqueue.UsageError, match=r"1,000 results at most, got 1,001.*gathered"):
        chord((add.s(i, i) for i in range(1001)), tsum.s())()


# Map, starmap, chunks.


def test_map_and_starmap_are_one_job(shop: str) -> None:
    assert ~tsum.map([list(range(10)), list(range(100))]) == [45, 4950]
    assert ~add.starmap(zip(range(10), range(10), strict=True)) == [2 * i for i in range(10)]


def test_chunks_are_a_job_each(shop: str) -> None:
    res = add.chunks(zip(range(100), range(100), strict=True), 10)()
    assert res.get(WAIT) == [[2 * i for i in range(10 * n, 10 * n + 10)] for n in range(10)]
    assert len(res) == 10


def test_a_group_is_skewed(shop_conn: psycopg.Connection) -> None:
    skewed = add.chunks(zip(range(30), range(30), strict=True), 10).group().skew(start=10, stop=11)
    res = skewed.apply_async(connection=shop_conn)
    rows = shop_conn.execute(
        "select round(extract(epoch from run_at - now())) from pgqueue.jobs where id = any (%s)",
        [[each.id for each in res]],
    )
    assert sorted(int(row[0]) for row in rows) == [10, 11, 11]
    shop_conn.rollback()


# In the caller's transaction.


def test_a_canvas_is_in_the_callers_transaction(shop: str, shop_conn: psycopg.Connection) -> None:
    res = chain(add.s(2, 2), mul.s(8)).apply_async(connection=shop_conn)
    assert res.state == "PENDING"
    shop_conn.rollback()
    with shop_conn.transaction(), pgqueue.bound(shop_conn):
        res = (add.s(2, 2) | mul.s(8)).delay()
    shop_conn.commit()
    assert res.get(WAIT) == 32
