"""Large arguments and results: what a worker holds, and what one step carries, is bounded in bytes."""

from __future__ import annotations

import pytest

from pgqueue.events import AttemptsFinished, Finished
from pgqueue.job import NewJob
from pgqueue.store.jobs import MOST_BYTES
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.portion import FIRST_BYTES, LEAST_BYTES, MOST_ROWS, Portion
from tests.factories import success
from tests.worker.claims import claim
from tests.worker.running import ERRANDS, KINDS, Desk, StartThreaded

MEGABYTE = 2**20


@pytest.mark.parametrize("kind", KINDS)
def test_few_large_jobs_are_held_after_many_small_ones(start: StartThreaded, desk: Desk, kind: str) -> None:
    """By number it would claim as many large ones ahead as it got through small ones."""
    desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(5_000)])
    desk.send_many([NewJob(f"{ERRANDS}:swallow", ["x" * MEGABYTE, 0.01], max_args=2 * MEGABYTE) for _ in range(60)])
    start(executor=kind, concurrency=2)
    held = "select count(*) from pgqueue.jobs where worker is not null and target like '%%swallow'"
    most = 0
    while desk.one("select exists (select from pgqueue.jobs)"):
        most = max(most, desk.one(held))
    # What is held at most, and one step's least.
    assert 0 < most * MEGABYTE <= MOST_BYTES + MOST_BYTES // 8 + 2 * MEGABYTE


def test_what_has_a_free_slot_is_claimed_however_large(start: StartThreaded, desk: Desk) -> None:
    half = MOST_BYTES // 2 // MEGABYTE
    jobs = [NewJob(f"{ERRANDS}:swallow", ["x" * (half * MEGABYTE), 60], max_args=MOST_BYTES) for _ in range(4)]
    sent = desk.send_many(jobs)
    worker = start(executor="thread", concurrency=4, shutdown_timeout=0.1)
    for job_id in sent:
        desk.await_state(job_id, "running")
    assert worker.heard(AttemptsFinished) == []
    desk.conn.execute("select pgqueue.cancel(id) from pgqueue.jobs")


def test_large_results_are_written_a_few_at_a_time(start: StartThreaded, desk: Desk) -> None:
    sent = desk.send_many([NewJob(f"{ERRANDS}:give", [MEGABYTE], store_result=True) for _ in range(40)])
    worker = start(executor="thread", concurrency=40)
    desk.await_all_ended()
    assert desk.one("select count(*) from pgqueue.results") == len(sent)
    # A step tells what it has written.
    most = max(len(event.batch) for event in worker.heard(AttemptsFinished))
    assert most * MEGABYTE <= MOST_BYTES


def done(size: int) -> Finished:
    ended = claim("give")
    return Finished(ended, success(ended, "x" * size), 0.0)


def test_a_batch_of_outcomes_is_bounded_in_bytes_and_never_empty() -> None:
    outbox = Outbox(lambda _: None)
    outbox.add([done(size) for size in (10, 20, 30, 500)])
    assert outbox.size == 560
    assert [len(outbox.first(limit, size)) for limit, size in ((9, 29), (9, 30), (1, 99), (9, 1), (9, 1000))] == [
        1,
        2,
        1,
        1,
        4,
    ]
    outbox.forget(3)
    assert outbox.size == 500
    outbox.take_out({each.claim.token for each in outbox.first(9, 1)})
    assert outbox.size == 0


def test_a_step_that_was_cut_off_is_halved_until_it_is_answered() -> None:
    portion = Portion(10)
    portion.unanswered(10)
    assert (portion.rows, portion.size) == (MOST_ROWS // 2, FIRST_BYTES // 2)
    portion.unanswered(0.1)
    assert portion.size == FIRST_BYTES // 2
    for _ in range(40):
        portion.unanswered(10)
    assert (portion.rows, portion.size) == (1, LEAST_BYTES)


def test_a_portion_grows_only_by_what_it_carried_quickly() -> None:
    portion = Portion(10)
    portion.unanswered(10)
    portion.answered(MOST_ROWS // 2, FIRST_BYTES // 2, seconds=9)
    portion.answered(1, 1, seconds=0.1)
    assert (portion.rows, portion.size) == (MOST_ROWS // 2, FIRST_BYTES // 2)
    portion.answered(MOST_ROWS // 4, 1, seconds=0.1)
    assert (portion.rows, portion.size) == (MOST_ROWS, FIRST_BYTES // 2)
    for _ in range(9):
        portion.answered(1, portion.size // 2, seconds=0.1)
    assert (portion.rows, portion.size) == (MOST_ROWS, MOST_BYTES)
