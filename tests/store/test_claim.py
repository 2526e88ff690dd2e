"""Claims: the order, the limits, the lease they need, and what one costs."""

from __future__ import annotations

import json
import random
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from pgqueue.store import execute, jobs, queues, workers
from tests.conftest import Connect
from tests.factories import (
    BEGINNING,
    HOUR,
    Conn,
    claim,
    claim_one,
    enlist,
    enqueue,
    expire,
    fail,
    fill,
    job,
    lose,
    release,
    settle,
    slots,
    step,
)

LAST_ID = UUID(int=2**128 - 1)


def at(seconds: float) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def test_p9_claims_follow_priority_then_run_at_then_id(db: Conn) -> None:
    options = [(5, 2), (5, 1), (9, 3), (0, 0), (5, 1), (9, 3)]
    made = {enqueue(db, priority=priority, run_at=at(second)): (-priority, second) for priority, second in options}
    expected = sorted(made, key=lambda new: (made[new], new))
    worker = enlist(db)
    taken = claim(db, worker, 3) + claim(db, worker, 3)
    assert [each.id for each in taken] == expected


def test_p9_the_queue_whose_head_waited_longest_comes_first(db: Conn) -> None:
    late, early = enqueue(db, queue="a", run_at=at(2)), enqueue(db, queue="b", run_at=at(1))
    worker = enlist(db)
    assert [each.id for each in claim(db, worker, 1, "a", "b")] == [early]
    assert [each.id for each in claim(db, worker, 1, "a", "b")] == [late]


def test_p9_a_full_queue_does_not_starve_another(db: Conn) -> None:
    for second in range(20):
        enqueue(db, queue="full", run_at=at(second))
    waiting = enqueue(db, queue="other", run_at=at(4.5))
    worker = enlist(db)
    order = [claim(db, worker, 2, "full", "other")[0].id for _ in range(4)]
    assert waiting in order


def test_p9_priority_goes_before_queue(db: Conn) -> None:
    enqueue(db, queue="a", run_at=at(1))
    urgent = enqueue(db, queue="b", priority=9)
    assert claim(db, enlist(db), 1, "a", "b")[0].id == urgent


def test_claims_never_more_than_asked_and_locks_no_more(db: Conn, connect: Connect) -> None:
    for queue in ("a", "b", "c"):
        for priority in (5, 7):
            fill(db, 10, queue=queue, priority=priority)
    first, second = connect(), connect()
    workers = enlist(db), enlist(db)
    taken = claim(first, workers[0], 7, "a", "b", "c")
    rest = claim(second, workers[1], 100, "a", "b", "c")
    assert (len(taken), len(rest)) == (7, 53)
    assert not {each.id for each in taken} & {each.id for each in rest}


@pytest.mark.parametrize("text", ["x", "distinct"])
def test_a_claim_takes_no_more_bytes_than_asked_and_always_one(db: Conn, text: str) -> None:
    """Whether they compress well or not at all: what counts is what the worker will hold."""
    worker = enlist(db)
    value = text * 100_000 if text == "x" else "".join(random.choices(string.ascii_letters, k=100_000))
    fill(db, 5, args=[value], max_args=250_000)
    bound = {"most_bytes": 250_000}
    taken = [len(execute(db, jobs.step(worker, [], slots(), timedelta(0), 10, **bound)).claims) for _ in range(3)]
    assert taken == [3, 2, 0]
    fill(db, 2, args=[value], max_args=250_000)
    assert len(execute(db, jobs.step(worker, [], slots(), timedelta(0), 10, most_bytes=1)).claims) == 1


def test_a_worker_that_knows_the_heads_says_which_slot_is_first(db: Conn) -> None:
    old, new = enqueue(db, queue="old", run_at=at(0)), enqueue(db, queue="new", run_at=at(1))
    worker = enlist(db)
    by_name = [slot for slot in slots("new", "old") if slot.priority == 5]
    (first,) = execute(db, jobs.step(worker, [], by_name, timedelta(0), 1, ordered=True)).claims
    (second,) = execute(db, jobs.step(worker, [], by_name, timedelta(0), 1)).claims
    assert [first.id, second.id] == [new, old]


def test_a_claim_of_none_claims_none(db: Conn) -> None:
    fill(db, 3)
    assert claim(db, enlist(db), 0) == []


def test_p7_no_job_starts_early(db: Conn) -> None:
    scheduled = enqueue(db, delay=HOUR)
    worker = enlist(db)
    answer = step(db, worker, [], 10)
    assert answer.claims == []
    assert answer.next_due == job(db, scheduled).run_at


def test_p7_a_retry_does_not_start_early(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken, delay=HOUR)
    assert claim(db, taken.worker) == []


def test_only_the_asked_queues_are_claimed_from(db: Conn) -> None:
    enqueue(db, queue="mail")
    assert claim(db, enlist(db), 10, "web") == []


def test_a_paused_queue_is_not_claimed_from_until_it_is_resumed(db: Conn) -> None:
    enqueue(db, queue="mail")
    other = enqueue(db, queue="web")
    worker = enlist(db)
    execute(db, queues.pause("mail"))
    assert [each.id for each in claim(db, worker, 10, "mail", "web")] == [other]
    execute(db, queues.resume("mail"))
    assert len(claim(db, worker, 10, "mail", "web")) == 1


def test_a_pause_ends_by_itself_by_the_databases_clock(db: Conn) -> None:
    enqueue(db, queue="mail")
    worker = enlist(db)
    execute(db, queues.pause("mail", 60))
    answer = step(db, worker, [], 10, "mail")
    assert answer.claims == []
    # When it ends is when there is something to look at next.
    (until,) = db.execute("select paused_until from pgqueue.queues").fetchone() or ()
    assert answer.next_due == until
    db.execute("update pgqueue.queues set paused_until = now()")
    assert len(step(db, worker, [], 10, "mail").claims) == 1


def test_a_pause_without_an_end_does_not_end_because_an_earlier_one_had_one(db: Conn) -> None:
    enqueue(db, queue="mail")
    execute(db, queues.pause("mail", 0.001))
    execute(db, queues.pause("mail"))
    assert claim(db, enlist(db), 10, "mail") == []


def test_a_pause_that_has_ended_leaves_nothing_behind_that_a_worker_of_the_last_release_takes_for_one(db: Conn) -> None:
    execute(db, queues.pause("mail", 60))
    execute(db, queues.pause("web", 60))
    db.execute("update pgqueue.queues set paused_until = now() where name = 'mail'")
    execute(db, workers.prune(timedelta(days=7), timedelta(days=180), 10))
    assert db.execute("select name from pgqueue.queues where paused").fetchall() == [("web",)]


@pytest.mark.parametrize("length", ["0", "-1 day", "200 years"])
def test_a_pause_of_no_length_is_refused(db: Conn, length: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="a pause must be more than 0"):
        db.execute("select pgqueue.pause_queue('mail', %s)", [length])


def test_a_job_past_its_ttl_is_handed_out_as_expired_only(db: Conn) -> None:
    stale = enqueue(db, run_at=at(0), ttl=1)
    fresh = enqueue(db, ttl=HOUR)
    answer = step(db, enlist(db), [], 10)
    assert [each.id for each in answer.claims] == [fresh]
    assert [each.id for each in answer.expired] == [stale]


def test_an_expired_job_ends_dead_and_its_attempt_is_not_counted(db: Conn) -> None:
    stale = enqueue(db, run_at=at(0), ttl=1)
    (expired,) = step(db, enlist(db), [], 10).expired
    fail(db, expired, None, outcome="expired", reason="expired")
    found = job(db, stale)
    assert (found.state, found.reason, found.attempt) == ("dead", "expired", 0)


@pytest.mark.parametrize("after_id", [UUID(int=0), LAST_ID])
def test_a_lower_bound_hides_what_lies_below_and_lag_finds_it(db: Conn, after_id: UUID) -> None:
    low = enqueue(db, run_at=at(0))
    worker = enlist(db)
    bound = slots(after=datetime.now(UTC), after_id=after_id)
    assert execute(db, jobs.step(worker, [], bound, timedelta(0), 10)).claims == []
    lowered = execute(db, jobs.step(worker, [], bound, datetime.now(UTC) - at(-1), 10))
    assert [each.id for each in lowered.claims] == [low]


def test_p8_the_lag_reaches_back_from_the_bound_however_long_ago_that_was(db: Conn) -> None:
    bound = datetime.now(UTC) - timedelta(seconds=60)
    late = enqueue(db, run_at=bound - timedelta(seconds=0.5))
    taken = execute(
        db, jobs.step(enlist(db), [], slots(after=bound, after_id=LAST_ID), timedelta(seconds=1), 10)
    ).claims
    assert [each.id for each in taken] == [late]


def test_the_bound_is_exclusive_and_counts_the_id(db: Conn) -> None:
    same = sorted(enqueue(db, run_at=at(0)) for _ in range(3))
    bound = slots(after=at(0), after_id=same[1])
    taken = execute(db, jobs.step(enlist(db), [], bound, timedelta(0), 10)).claims
    assert [each.id for each in taken] == [same[2]]


def test_a_job_that_commits_late_is_found_below_the_bound(db: Conn, connect: Connect) -> None:
    slow = connect()
    late = enqueue(slow)
    worker = enlist(db)
    enqueue(db)
    (taken,) = claim(db, worker, 10)
    bound = slots(after=taken.run_at, after_id=taken.id)
    slow.commit()
    assert execute(db, jobs.step(worker, [], bound, timedelta(0), 10)).claims == []
    found = execute(db, jobs.step(worker, [], bound, timedelta(minutes=1), 10)).claims
    assert [each.id for each in found] == [late]


def test_a_released_job_is_found_below_the_bound(db: Conn) -> None:
    taken = claim_one(db)
    release(db, taken)
    bound = slots(after=taken.run_at, after_id=taken.id)
    assert execute(db, jobs.step(taken.worker, [], bound, timedelta(0), 1)).claims == []
    (again,) = execute(db, jobs.step(taken.worker, [], bound, timedelta(minutes=1), 1)).claims
    assert again.id == taken.id


def test_p5_an_expired_worker_claims_nothing_and_is_told(db: Conn) -> None:
    fill(db, 3)
    worker = enlist(db)
    expire(db, worker)
    answer = step(db, worker, [], 10)
    assert (answer.claims, answer.alive) == ([], False)


def test_p5_a_worker_that_is_not_enlisted_claims_nothing(db: Conn) -> None:
    fill(db, 1)
    assert not step(db, 4711, [], 10).alive


def test_p5_a_heartbeat_after_expiry_changes_nothing(db: Conn) -> None:
    worker = enlist(db)
    assert execute(db, workers.heartbeat(worker, timedelta(seconds=30))).alive
    expire(db, worker)
    assert not execute(db, workers.heartbeat(worker, timedelta(seconds=30))).alive
    assert not step(db, worker, [], 1).alive


def test_p3_each_claim_counts_an_attempt_and_the_claim_number_only_grows(db: Conn) -> None:
    first = claim_one(db)
    fail(db, first)
    (second,) = claim(db, first.worker)
    release(db, second)
    (third,) = claim(db, first.worker)
    lose(db, third)
    (fourth,) = claim(db, enlist(db))
    assert [each.attempt for each in (first, second, third, fourth)] == [1, 2, 2, 3]
    assert [each.claim for each in (first, second, third, fourth)] == [1, 2, 3, 4]


def test_p3_a_start_is_committed_before_the_claim_is_known(db: Conn, connect: Connect) -> None:
    taken = claim_one(db)
    seen = job(connect(), taken.id)
    assert (seen.state, seen.attempt, seen.worker) == ("running", 1, taken.worker)


@pytest.mark.parametrize(
    "text", ['{"n":123456789012345678901234567890.000100}', '{"s":"héé\\u0000\\ud83d"}', '[1e400, "\\u2028"]', "{}"]
)
def test_arguments_arrive_as_the_very_text_that_was_stored(db: Conn, text: str) -> None:
    db.execute("select pgqueue.enqueue('shop.tasks:send', %s::json)", [text])
    (taken,) = claim(db, enlist(db))
    assert taken.args == text


def test_unicode_arguments_arrive_unchanged(db: Conn) -> None:
    value = {"name": "Zoë 🎉 \x00 \u2028 \"'", "n": 2**200, "f": 0.1}
    enqueue(db, value)
    (taken,) = claim(db, enlist(db))
    assert json.loads(taken.args) == value


def test_p11_one_row_that_no_client_can_read_does_not_stop_the_claim(db: Conn) -> None:
    db.execute("select pgqueue.enqueue('a:b', (repeat('[', 5000) || repeat(']', 5000))::json)")
    db.execute("select pgqueue.enqueue('a:b', ('[' || repeat('9', 5000) || ']')::json)")
    fine = enqueue(db)
    assert fine in [each.id for each in claim(db, enlist(db), 10)]


def test_a_job_that_another_transaction_references_is_claimed_nevertheless(db: Conn, connect: Connect) -> None:
    db.execute("create table orders (job uuid references pgqueue.jobs (id) on delete set null)")
    held = enqueue(db)
    other = connect()
    other.execute("insert into orders values (%s)", [held])
    assert [each.id for each in claim(db, enlist(db))] == [held]


def test_a_claim_writes_no_index(db: Conn) -> None:
    fill(db, 200)
    db.execute("select pg_stat_force_next_flush(), pg_stat_reset()")
    worker = enlist(db)
    for _ in range(20):
        claim(db, worker, 10)
    db.execute("select pg_stat_force_next_flush()")
    row = db.execute("select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'jobs'").fetchone()
    assert row == (200, 200)


def test_the_header_tells_when_the_next_job_is_due_only_if_the_batch_came_back_short(db: Conn) -> None:
    fill(db, 2)
    enqueue(db, delay=HOUR)
    worker = enlist(db)
    assert step(db, worker, [], 2).next_due is None
    assert step(db, worker, [], 2).next_due is not None


def test_settling_and_claiming_ride_in_one_call(db: Conn) -> None:
    fill(db, 4)
    worker = enlist(db)
    first = step(db, worker, [], 2).claims
    answer = step(db, worker, first, 2)
    assert (answer.late, len(answer.claims)) == (frozenset(), 2)
    assert settle(db, *answer.claims) == frozenset()
    assert answer.now > BEGINNING
