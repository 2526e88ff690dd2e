"""The reaper: jobs of vanished workers come back, once, and only theirs."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.store import execute, jobs, reading, workers
from tests.conftest import Connect
from tests.factories import (
    LEASE,
    TARGET,
    Conn,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    expire,
    fail,
    fill,
    job,
    lose,
    outcomes,
    reap,
    settle,
    slots,
    state,
    worker_id,
)


def test_p8_the_jobs_of_a_vanished_worker_are_ready_again(db: Conn) -> None:
    worker = enlist(db)
    made = fill(db, 3)
    claim(db, worker, 3)
    expire(db, worker)
    assert reap(db) == {worker: 3}
    assert [state(db, each) for each in made] == ["ready"] * 3
    assert [each.attempt for each in claim(db, enlist(db), 3)] == [2, 2, 2]


def test_p8_a_lost_attempt_is_recorded_with_its_worker(db: Conn) -> None:
    taken = claim_one(db)
    lose(db, taken)
    (attempt,) = execute(db, reading.attempts(taken.id))
    assert (attempt.outcome, attempt.worker, attempt.claim) == ("lost", taken.worker, 1)
    assert str(taken.worker) in (attempt.error or "")


def test_p6_a_live_lease_is_never_reaped(db: Conn) -> None:
    taken = claim_one(db)
    assert reap(db) == {}
    assert state(db, taken.id) == "running"


def test_p6_only_the_vanished_workers_jobs_are_taken(db: Conn) -> None:
    gone, here = claim_one(db), claim_one(db)
    expire(db, gone.worker)
    assert reap(db) == {gone.worker: 1}
    assert state(db, here.id) == "running"
    assert settle(db, here) == frozenset()


def test_reaping_twice_changes_nothing(db: Conn) -> None:
    taken = claim_one(db)
    lose(db, taken)
    assert reap(db) == {}
    assert outcomes(db, taken.id) == ["lost"]


def test_a_vanished_worker_without_jobs_is_forgotten(db: Conn) -> None:
    worker = enlist(db)
    expire(db, worker)
    assert reap(db) == {worker: 0}
    assert count(db, "workers") == 0


def test_p3_three_vanished_workers_in_a_row_make_a_job_dead_as_poison(db: Conn) -> None:
    made = enqueue(db)
    for _ in range(3):
        (taken,) = claim(db, enlist(db))
        lose(db, taken)
    found = job(db, made)
    assert (found.state, found.reason, found.attempt) == ("dead", "poison", 3)
    assert outcomes(db, made) == ["lost"] * 3


def test_p3_a_failure_in_between_is_no_crash_in_a_row(db: Conn) -> None:
    made = enqueue(db)
    for number in range(4):
        (taken,) = claim(db, enlist(db))
        if number == 2:
            fail(db, taken)
        else:
            lose(db, taken)
    assert state(db, made) == "ready"


def test_p3_a_job_whose_attempts_are_used_up_is_dead_as_exhausted(db: Conn) -> None:
    taken = claim_one(db, {"n": 1}, max_attempts=1)
    lose(db, taken)
    found = job(db, taken.id)
    assert (found.state, found.reason, found.args) == ("dead", "exhausted", {"n": 1})
    assert str(taken.worker) in (found.last_error or "")


def test_p10_a_dead_workers_unique_keys_stay_with_their_jobs(db: Conn) -> None:
    taken = claim_one(db, unique_key="k")
    lose(db, taken)
    assert enqueue(db, unique_key="k") == taken.id


def test_an_open_completion_does_not_hold_up_the_reaper(db: Conn, connect: Connect) -> None:
    worker = enlist(db)
    fill(db, 2)
    completing, other = claim(db, worker, 2)
    own = connect()
    execute(own, jobs.complete(completing, None))
    expire(db, worker)
    db.execute("set statement_timeout = '2s'")
    assert reap(db) == {worker: 1}
    assert state(db, other.id) == "ready"
    assert state(db, completing.id) == "running"
    own.commit()
    assert state(db, completing.id) == "succeeded"
    assert reap(db) == {worker: 0}
    assert count(db, "workers") == 0


def test_an_open_completion_that_is_rolled_back_is_reaped_later(db: Conn, connect: Connect) -> None:
    taken = claim_one(db)
    own = connect()
    execute(own, jobs.complete(taken, None))
    expire(db, taken.worker)
    db.execute("set statement_timeout = '2s'")
    reap(db)
    own.rollback()
    assert reap(db) == {taken.worker: 1}
    assert outcomes(db, taken.id) == ["lost"]


def test_two_reapers_pass_each_other_by(db: Conn, connect: Connect) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    first = connect()
    assert reap(first) == {taken.worker: 1}
    db.execute("set statement_timeout = '2s'")
    assert reap(db) == {}
    first.commit()
    assert outcomes(db, taken.id) == ["lost"]


def test_p8_a_clean_goodbye_leaves_no_worker(db: Conn) -> None:
    worker = enlist(db)
    execute(db, workers.discharge(worker, clean=True))
    assert count(db, "workers") == 0


def test_p8_an_unclean_goodbye_hands_the_jobs_to_the_reaper_at_once(db: Conn) -> None:
    taken = claim_one(db)
    execute(db, workers.discharge(taken.worker, clean=False))
    assert reap(db) == {taken.worker: 1}
    assert state(db, taken.id) == "ready"


def test_disown_gives_back_what_the_worker_does_not_know(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 3)
    known, *unknown = claim(db, worker, 3)
    assert execute(db, jobs.disown(worker, [known], 1)) == 2
    assert state(db, known.id) == "running"
    assert [(job(db, each.id).state, job(db, each.id).attempt) for each in unknown] == [("ready", 0)] * 2


def test_disown_judges_by_the_claim_number_too(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken)
    claim(db, taken.worker)
    assert execute(db, jobs.disown(taken.worker, [taken], 1)) == 1


def test_a_step_that_arrives_after_disown_claims_nothing(db: Conn) -> None:
    """It was delayed on its way, and nobody waits for its answer any more."""
    worker = enlist(db)
    fill(db, 2)
    execute(db, jobs.disown(worker, [], 1))
    late = execute(db, jobs.step(worker, [], slots(), timedelta(0), 2, 0))
    assert (late.claims, late.alive) == ([], True)
    assert len(execute(db, jobs.step(worker, [], slots(), timedelta(0), 2, 1)).claims) == 2


def test_a_disown_that_arrives_late_changes_nothing(db: Conn) -> None:
    """What it takes for unknown was claimed since."""
    worker = enlist(db)
    fill(db, 1)
    execute(db, jobs.disown(worker, [], 2))
    (taken,) = execute(db, jobs.step(worker, [], slots(), timedelta(0), 1, 2)).claims
    assert execute(db, jobs.disown(worker, [], 1)) == 0
    assert state(db, taken.id) == "running"


def test_disown_leaves_the_jobs_of_others_alone(db: Conn) -> None:
    taken = claim_one(db)
    assert execute(db, jobs.disown(enlist(db), [], 1)) == 0
    assert state(db, taken.id) == "running"


def test_the_reaper_reads_no_history(db: Conn) -> None:
    db.execute(
        "insert into pgqueue.attempts (job_id, worker, claim, attempt, outcome, queue, target)"
        " select gen_random_uuid(), 1, 1, 1, 'succeeded', 'q', 'a:b' from generate_series(1, 1000)"
    )
    taken = claim_one(db)
    expire(db, taken.worker)
    db.execute("select pg_stat_force_next_flush(), pg_stat_reset()")
    reap(db)
    db.execute("select pg_stat_force_next_flush()")
    row = db.execute("select seq_scan, seq_tup_read from pg_stat_user_tables where relname = 'attempts'").fetchone()
    assert row == (0, 0)


def test_p11_jobs_claimed_behind_a_poisonous_one_are_not_taken_for_poison(db: Conn) -> None:
    poisonous = enqueue(db, priority=9)
    innocent = fill(db, 4)
    for _ in range(3):
        taken = claim(db, enlist(db), 5)
        lose(db, taken[0])
    assert job(db, poisonous).reason == "poison"
    assert [state(db, each) for each in innocent] == ["ready"] * 4
    assert db.execute("select distinct crashes from pgqueue.jobs").fetchall() == [(0,)]


def test_a_search_of_many_pages_goes_on_from_call_to_call_and_reads_none_twice(db: Conn) -> None:
    worker, other = enlist(db, concurrency=2), enlist(db)
    fill(db, 200)
    mine = claim(db, worker, 3)
    claim(db, other, 194)
    mine += claim(db, worker, 3)
    expire(db, worker)
    answers = []
    while not answers or not answers[-1][2]:
        (answer,) = db.execute("select * from pgqueue.reap(1)").fetchall()
        answers.append(answer)
        searched = db.execute("select searched from pgqueue.workers where id = %s", [worker]).fetchone()
        assert searched is None or searched == (len(answers),)
    assert len(answers) > 2
    assert [answer[1] for answer in answers] == [0] * (len(answers) - 1) + [6]
    # Who can have been running is known only when all are found.
    crashed = {row[0] for row in db.execute("select id from pgqueue.jobs where crashes = 1")}
    assert crashed == {each.id for each in mine[:2]}
    assert count(db, "workers") == 1


def test_a_worker_that_vanishes_during_a_search_is_searched_for_from_the_beginning(db: Conn) -> None:
    first, second = enlist(db), enlist(db)
    fill(db, 200)
    taken = claim(db, first, 100), claim(db, second, 100)
    expire(db, first)
    db.execute("select * from pgqueue.reap(1)")
    expire(db, second)
    found: dict[int, int] = {}
    while count(db, "workers"):
        for worker, jobs_back, _ in db.execute("select * from pgqueue.reap(1)").fetchall():
            found[worker] = found.get(worker, 0) + jobs_back
    assert found == {first: 100, second: 100}
    assert {state(db, each.id) for each in (*taken[0], *taken[1])} == {"ready"}


def test_orphans_in_a_large_table_are_found_by_and_by(db: Conn) -> None:
    fill(db, 200)
    worker = enlist(db)
    claim(db, worker, 200)
    db.execute("delete from pgqueue.workers")
    taken = 0
    for _ in range(200):
        row = db.execute("select pgqueue.reap_orphans(1)").fetchone()
        taken += row[0] if row else 0
    assert taken == 200


def test_what_may_run_at_most_once_is_buried_when_its_worker_vanishes(db: Conn) -> None:
    worker = worker_id()
    execute(db, workers.enlist(worker, "here", 1, None, "thread", 1, LEASE, at_most_once={TARGET}))
    once = fill(db, 2)
    claim(db, worker, 2)
    expire(db, worker)
    reap(db)
    assert [(job(db, each).state, job(db, each).reason) for each in once] == [("dead", "lost")] * 2
    assert [outcomes(db, each) for each in once] == [["lost"]] * 2


def test_what_a_worker_declares_later_may_run_at_most_once_too(db: Conn) -> None:
    taken = claim_one(db)
    assert execute(db, workers.declare(taken.worker, [TARGET, "a:b"]))
    assert execute(db, workers.declare(taken.worker, ["a:b"]))
    assert db.execute("select at_most_once from pgqueue.workers").fetchone() == (sorted(["a:b", TARGET]),)
    lose(db, taken)
    assert job(db, taken.id).reason == "lost"


def test_an_orphan_that_may_run_at_most_once_by_any_workers_word_is_buried(db: Conn) -> None:
    taken = claim_one(db)
    db.execute("delete from pgqueue.workers")
    execute(db, workers.declare(enlist(db), [TARGET]))
    execute(db, workers.reap_orphans())
    assert job(db, taken.id).reason == "lost"
