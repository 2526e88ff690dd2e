"""Chains, groups and chords: what follows begins once, with what was returned, whatever the size and the nesting."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.workflows.looking import Conn, finish, first_of, job_of, states
from tests.workflows.shop_tasks import add, failing, later, note, ran, total


def last() -> object:
    """What ran last was called with."""
    return ran[-1][1]


def test_chain_gives_each_result_to_the_next(conn: Conn) -> None:
    pgqueue.chain(add.job(4, 4), add.job(pgqueue.previous, 8), add.job(y=10, x=pgqueue.previous)).enqueue(conn)
    drain(conn)
    assert [said for _, said in ran] == [(4, 4), (8, 8), (16, 10)]


def test_chain_waits_with_what_uses_nothing(conn: Conn) -> None:
    pgqueue.chain(note.job("a"), note.job("b"), later.job("c")).enqueue(conn)
    assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (1,)
    drain(conn)
    assert [said for _, said in ran] == ["a", "b", "c"]


def test_jobs_with_options_of_their_own_keep_them_while_they_wait(conn: Conn) -> None:
    slow = note.using(queue="slow", priority=9, timeout=5, labels={"a": "b"}, max_attempts=3, limit_key="one", delay=60)
    started = pgqueue.chain(note.job("a"), slow.job("b")).enqueue(conn)
    drain(conn)
    job = pgqueue.get_job(conn, job_of(conn, started.id, "note-2"))
    assert (job.state, job.queue, job.priority, job.labels) == ("scheduled", "slow", 9, {"a": "b"})
    assert (job.max_attempts, job.limit_key) == (3, "one")


@pytest.mark.parametrize("size", [0, 1, 2, 499, 501, pytest.param(1001, marks=pytest.mark.faults)])
def test_what_follows_a_group_of_any_size_begins_once(conn: Conn, size: int) -> None:
    pgqueue.group((note.job(1) for _ in range(size)), then=note.job("then", pgqueue.results)).enqueue(conn)
    drain(conn, max_jobs=2000)
    assert [said for _, said in ran if said != 1] == [("then", [1] * size if size <= 1000 else None)]
    assert len(ran) == size + 1


def test_results_of_a_group_come_in_the_order_of_its_members(conn: Conn) -> None:
    pgqueue.chord([add.job(n, n) for n in range(10)], note.job(pgqueue.results)).enqueue(conn)
    drain(conn)
    assert last() == [2 * n for n in range(10)]


def test_map_starmap_and_chunks_enqueue_what_iterators_yield(conn: Conn) -> None:
    pgqueue.map(note, iter("ab"), then=note.job(pgqueue.results)).enqueue(conn)
    pgqueue.starmap(add, zip(range(2), range(2), strict=True), then=note.job(pgqueue.results)).enqueue(conn)
    pgqueue.map_chunks(total, iter(range(5)), 2, then=note.job(pgqueue.results)).enqueue(conn)
    drain(conn)
    assert [said for name, said in ran if name == "note" and isinstance(said, list)] == [["a", "b"], [0, 2], [1, 5, 4]]
    assert list(pgqueue.chunks(iter("abc"), 2)) == [["a", "b"], ["c"]]


def test_group_after_a_job_waits_for_it_whole(conn: Conn) -> None:
    pgqueue.chain(
        add.job(1, 1), pgqueue.group([add.job(pgqueue.previous, n) for n in range(3)]), total.job(pgqueue.previous)
    ).enqueue(conn)
    drain(conn)
    assert last() == [2, 3, 4]


def test_group_after_a_group_waits_for_all_of_it(conn: Conn) -> None:
    first = pgqueue.map(note, range(3))
    pgqueue.chain(first, pgqueue.map(note, "abc"), note.job(pgqueue.previous)).enqueue(conn)
    drain(conn)
    assert [said for _, said in ran][:3] == [0, 1, 2]
    assert last() == ["a", "b", "c"]


def test_empty_group_in_a_chain_is_passed(conn: Conn) -> None:
    pgqueue.chain(note.job("a"), pgqueue.group([]), note.job(pgqueue.previous)).enqueue(conn)
    drain(conn)
    assert [said for _, said in ran] == ["a", []]


# The bugs that made chords famous, by name.


def test_empty_header(conn: Conn) -> None:
    pgqueue.chord([], total.job(pgqueue.results)).enqueue(conn)
    drain(conn)
    assert ran == [("total", [])]


def test_header_that_fails(conn: Conn) -> None:
    failing[1] = ValueError
    started = pgqueue.chord([add.job(n, 0) for n in range(3)], total.job(pgqueue.results)).enqueue(conn)
    finish(conn)
    assert states(conn, started.id) == {"add": ["succeeded", "dead", "succeeded"], "total": ["waiting"]}
    del failing[1]
    assert pgqueue.retry_workflow(conn, started) == 1
    drain(conn)
    assert (last(), len(ran)) == ([0, 1, 2], 5)


def test_header_that_fails_for_good_calls_its_body_off_where_that_is_asked(conn: Conn) -> None:
    failing[1] = ValueError
    header = [add.job(n, 0) for n in range(3)]
    started = pgqueue.chord(header, total.job(pgqueue.results)).enqueue(conn, on_failure="cancel")
    finish(conn)
    assert states(conn, started.id)["total"] == ["cancelled"]


def test_result_expired(conn: Conn) -> None:
    header = [add.job(1, 1), add.using(delay=864_000).job(2, 2)]
    started = pgqueue.chord(header, note.job(pgqueue.results)).enqueue(conn)
    drain(conn)
    conn.execute("select pgqueue.prune('0', '180 days')")
    conn.execute("update pgqueue.jobs set run_at = now() where workflow_id = %s", [started.id])
    drain(conn)
    assert last() == [2, 4]


def test_callback_that_errors(conn: Conn) -> None:
    failing["then"] = ValueError
    started = pgqueue.chord([note.job(1)], note.job("then", pgqueue.results)).enqueue(conn)
    finish(conn)
    failing.clear()
    pgqueue.retry_workflow(conn, started)
    drain(conn)
    assert [said for _, said in ran] == [1, ("then", [1]), ("then", [1])]
    assert states(conn, started.id) == {"note": ["succeeded"], "note-2": ["succeeded"]}


def test_nested_chords(conn: Conn) -> None:
    inner = [pgqueue.chord([add.job(n, m) for m in range(3)], total.job(pgqueue.results)) for n in range(3)]
    pgqueue.chord(inner, note.job(pgqueue.results)).enqueue(conn)
    drain(conn)
    assert last() == [3, 6, 9]
    assert len(ran) == 13


def test_member_retried_after_the_join(conn: Conn) -> None:
    failing[2] = ValueError
    jobs = [add.job(1, 0), add.job(2, 0)]
    started = pgqueue.group(
        jobs, then=note.job("all"), on_complete=note.job("ended"), on_death=note.job("death")
    ).enqueue(conn)
    finish(conn)
    assert sorted(said for name, said in ran if name == "note") == ["death", "ended"]
    failing.clear()
    pgqueue.retry(conn, first_of(conn, "dead_jobs"))
    drain(conn)
    assert [said for name, said in ran if name == "note"][2:] == ["all"]
    assert states(conn, started.id)["add"] == ["succeeded", "succeeded"]


def test_revoked_member(conn: Conn) -> None:
    jobs = [note.job(1), note.job(2)]
    started = pgqueue.group(
        jobs, then=note.job("all"), on_complete=note.job("ended"), on_death=note.job("death")
    ).enqueue(conn)
    assert pgqueue.cancel(conn, first_of(conn, "jobs")) == "cancelled"
    drain(conn)
    assert sorted(map(str, (said for _, said in ran))) == ["2", "death", "ended"]
    assert states(conn, started.id)["note-2"] == ["cancelled"]


# Celery's own examples of its canvas, translated.


def test_celery_chain_of_three(conn: Conn) -> None:
    # res = (add.s(2, 2) | add.s(4) | add.s(8))()
    pgqueue.chain(add.job(2, 2), add.job(pgqueue.previous, 4), add.job(pgqueue.previous, 8)).enqueue(conn)
    drain(conn)
    assert last() == (8, 8)


def test_celery_chord_then_more(conn: Conn) -> None:
    # c3 = (group(add.s(i, i) for i in range(10)) | xsum.s()); (c3 | note.s())()
    c3 = pgqueue.group([add.job(i, i) for i in range(10)], then=total.job(pgqueue.results))
    pgqueue.chain(c3, note.job(pgqueue.previous)).enqueue(conn)
    drain(conn)
    assert last() == 90


def test_celery_immutable_signatures_in_a_group_after_a_chain(conn: Conn) -> None:
    # (add.s(4, 16) | group(add.si(1, 1), add.si(2, 2)))()
    pgqueue.chain(add.job(4, 16), pgqueue.group([add.job(1, 1), add.job(2, 2)])).enqueue(conn)
    drain(conn)
    assert [said for _, said in ran] == [(4, 16), (1, 1), (2, 2)]
