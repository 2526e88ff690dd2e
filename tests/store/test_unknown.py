"""Jobs whose target a worker does not know: no attempt is spent, and whoever knows it gets them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, unknown, workers
from pgqueue.store.unknown import Recalled
from tests import factories
from tests.factories import TARGET, claim, count, enlist, enqueue, fill

Conn = psycopg.Connection[Any]
APP = TARGET.partition(":")[0]
WEEK = timedelta(days=7)


def knowing(db: Conn, *names: str, keep: timedelta = WEEK, **options: Any) -> int:
    """A worker that has told what it can run."""
    worker = enlist(db, **options)
    execute(db, unknown.declare_targets(worker, names, keep))
    return worker


def park(db: Conn, *claims: Claim) -> frozenset[UUID]:
    """Give claims back for a worker that knows their target."""
    given = [
        Settlement(each.id, each.claim, Move.PARK, "released", error=f"no task {each.target} here", started=False)
        for each in claims
    ]
    return execute(db, unknown.park(claims[0].worker, given))


def recall(db: Conn, worker: int, *, forget: bool = False, after: str = "") -> Recalled:
    return execute(db, unknown.recall(worker, forget=forget, after=after))


def parked(db: Conn) -> int:
    return count(db, "parked")


def test_p3_an_attempt_that_met_no_task_is_not_counted(db: Conn) -> None:
    stranger = knowing(db, "blog")
    job_id = enqueue(db, max_attempts=1)
    assert park(db, *claim(db, stranger)) == frozenset()
    assert db.execute("select worker, attempt, claim from pgqueue.jobs").fetchone() == (None, 0, 1)
    assert (count(db, "attempts"), count(db, "dead_jobs")) == (0, 0)
    since = execute(db, unknown.parked_since(job_id))
    assert since is not None
    assert db.execute("select unknown_since from pgqueue.job where id = %s", [job_id]).fetchone() == (since,)


def test_a_job_that_no_live_worker_knows_stands_in_nobodys_way(db: Conn) -> None:
    stranger = knowing(db, "blog")
    enqueue(db)
    park(db, *claim(db, stranger))
    assert claim(db, stranger) == []
    assert claim(db, knowing(db, "blog")) == []


def test_a_worker_that_knows_it_gets_it_at_its_old_place(db: Conn) -> None:
    stranger = knowing(db, "blog")
    first, second = fill(db, 2)
    db.execute(
        "update pgqueue.jobs set run_at = now() - case id when %s then 2 else 3 end * interval '1 hour'", [first]
    )
    before = db.execute("select id, run_at from pgqueue.jobs order by id").fetchall()
    park(db, *claim(db, stranger, 2))
    knows = knowing(db, TARGET)
    assert recall(db, knows) == Recalled(2, None)
    assert db.execute("select id, run_at from pgqueue.jobs order by id").fetchall() == before
    assert [taken.id for taken in claim(db, knows, 2)] == [second, first]
    assert parked(db) == 0


def test_what_another_live_worker_knows_is_passed_by_and_stays_where_it_is(db: Conn) -> None:
    stranger, knows = knowing(db, "blog"), knowing(db, TARGET)
    job_id, *_ = fill(db, 3)
    park(db, *claim(db, stranger, 1))
    assert parked(db) == 0
    assert claim(db, stranger, 9) == []
    assert execute(db, workers.overdue(stranger, None, "here", timedelta(0))) is None
    assert claim(db, knows)[0].id == job_id


def test_other_jobs_behind_those_that_are_passed_by_are_claimed(db: Conn) -> None:
    stranger = knowing(db, "blog")
    knowing(db, TARGET)
    fill(db, 3)
    park(db, *claim(db, stranger, 1))
    own = db.execute("select pgqueue.enqueue('blog:post')").fetchone()
    assert [taken.id for taken in claim(db, stranger, 5)] == [own[0]] if own else False


def test_a_worker_that_only_might_know_it_is_tried_with_one_job(db: Conn) -> None:
    stranger = knowing(db, "blog")
    fill(db, 5)
    park(db, *claim(db, stranger, 5))
    maybe = knowing(db, APP)
    assert recall(db, maybe).due == 1
    # It had no such function; nobody else is there who might.
    park(db, *claim(db, maybe, 5))
    assert parked(db) == 5
    assert recall(db, maybe).due == 0


def test_two_workers_of_an_old_release_do_not_hand_a_new_task_to_and_fro(db: Conn) -> None:
    one, other = knowing(db, APP), knowing(db, APP)
    enqueue(db)
    park(db, *claim(db, one))
    assert parked(db) == 0
    park(db, *claim(db, other))
    assert parked(db) == 1
    for worker in (one, other):
        assert recall(db, worker).due == 0
        assert claim(db, worker) == []


def test_what_was_unknown_is_tried_again_after_a_while(db: Conn) -> None:
    maybe = knowing(db, APP)
    enqueue(db)
    park(db, *claim(db, maybe))
    assert recall(db, maybe).due == 0
    assert recall(db, maybe, forget=True).due == 1
    assert len(claim(db, maybe)) == 1


def test_a_worker_whose_knowing_neighbour_vanished_takes_its_jobs_out_of_the_way(db: Conn) -> None:
    stranger, knows = knowing(db, "blog"), knowing(db, TARGET)
    fill(db, 2)
    park(db, *claim(db, stranger, 1))
    factories.expire(db, knows)
    recall(db, stranger)
    park(db, *claim(db, stranger, 2))
    assert parked(db) == 2


def test_a_worker_of_the_former_release_may_know_anything(db: Conn) -> None:
    stranger = knowing(db, "blog")
    enlist(db)
    enqueue(db)
    park(db, *claim(db, stranger))
    assert parked(db) == 0


def test_a_worker_of_other_queues_is_no_reason_to_wait_in_the_way(db: Conn) -> None:
    stranger = knowing(db, "blog", queues=["default"])
    elsewhere = knowing(db, TARGET, queues=["mail"])
    enqueue(db)
    park(db, *claim(db, stranger))
    assert parked(db) == 1
    assert recall(db, elsewhere).due == 0


def test_who_knows_it_and_serves_another_of_our_queues_is_no_reason_either(db: Conn) -> None:
    stranger = knowing(db, "blog", queues=["default", "mail"])
    elsewhere = knowing(db, TARGET, queues=["mail"])
    here, there = enqueue(db), enqueue(db, queue="mail")
    park(db, *claim(db, stranger, 2, "default", "mail"))
    assert db.execute("select job_id from pgqueue.parked").fetchall() == [(here,)]
    assert recall(db, elsewhere).due == 0
    assert [taken.id for taken in claim(db, elsewhere, 2, "mail")] == [there]
    assert recall(db, knowing(db, TARGET)).due == 1


def test_a_job_that_nobody_knew_for_its_time_is_dead_as_unregistered(db: Conn) -> None:
    stranger = knowing(db, "blog", keep=timedelta(hours=1))
    job_id = enqueue(db)
    park(db, *claim(db, stranger))
    hour = "select run_at between now() + '59 minutes' and now() + '61 minutes' from pgqueue.jobs"
    assert db.execute(hour).fetchone() == (True,)
    db.execute("update pgqueue.jobs set run_at = now() - interval '1 second'")
    db.execute("update pgqueue.parked set since = since - interval '1 hour'")
    park(db, *claim(db, stranger))
    assert (count(db, "jobs"), parked(db)) == (0, 0)
    row = db.execute("select id, reason, attempt, error from pgqueue.dead_jobs").fetchone()
    assert row == (job_id, "unregistered", 0, f"no task {TARGET} here")


def test_a_parked_job_keeps_its_ttl(db: Conn) -> None:
    stranger = knowing(db, "blog")
    enqueue(db, ttl=60.0)
    park(db, *claim(db, stranger))
    assert db.execute("select run_at = expires_at from pgqueue.jobs").fetchone() == (True,)


def test_p5_a_late_worker_parks_nothing(db: Conn) -> None:
    stranger = knowing(db, "blog")
    enqueue(db)
    (taken,) = claim(db, stranger)
    factories.expire(db, stranger)
    factories.reap(db)
    assert park(db, taken) == {taken.id}
    assert parked(db) == 0


def test_p5_a_late_worker_gives_up_nothing(db: Conn) -> None:
    stranger, other = knowing(db, "blog", keep=timedelta(0)), knowing(db, "blog")
    enqueue(db)
    park(db, *claim(db, stranger))
    (taken,) = claim(db, stranger)
    factories.release(db, taken, started=False)
    assert len(claim(db, other)) == 1
    assert park(db, taken) == {taken.id}
    assert (count(db, "dead_jobs"), parked(db)) == (0, 1)


def test_parking_that_is_repeated_after_a_lost_reply_changes_nothing(db: Conn) -> None:
    stranger = knowing(db, "blog")
    enqueue(db)
    taken = claim(db, stranger)
    park(db, *taken)
    before = db.execute("select * from pgqueue.jobs").fetchall()
    assert park(db, *taken) == frozenset()
    assert db.execute("select * from pgqueue.jobs").fetchall() == before


def test_a_cancelled_job_leaves_nothing_parked(db: Conn) -> None:
    stranger = knowing(db, "blog")
    job_id = enqueue(db)
    park(db, *claim(db, stranger))
    db.execute("select pgqueue.cancel(%s)", [job_id])
    assert (count(db, "jobs"), parked(db)) == (0, 0)


def test_a_recall_is_bounded_and_goes_on(db: Conn) -> None:
    stranger = knowing(db, "blog")
    fill(db, 2_500)
    for _ in range(3):
        park(db, *claim(db, stranger, 1_000))
    knows = knowing(db, TARGET)
    assert [recall(db, knows).due for _ in range(4)] == [1_000, 1_000, 500, 0]


def test_parked_jobs_cost_a_claim_nothing(db: Conn) -> None:
    stranger = knowing(db, "blog")
    fill(db, 5_000)
    for _ in range(5):
        park(db, *claim(db, stranger, 1_000))
    db.execute("select pgqueue.enqueue('blog:post')")
    db.execute("vacuum pgqueue.jobs")
    read = "select coalesce(idx_tup_fetch, 0) + seq_tup_read from pg_stat_xact_user_tables where relname = 'jobs'"
    with db.transaction():
        before = db.execute(read).fetchone()
        assert len(claim(db, stranger, 10)) == 1
        after = db.execute(read).fetchone()
    assert before
    assert after
    assert after[0] - before[0] < 50


def test_what_no_worker_can_run_any_more_is_pruned(db: Conn) -> None:
    knowing(db, "blog")
    knowing(db, TARGET)
    db.execute("update pgqueue.targets set declared_at = now() - interval '2 days'")
    db.execute(
        "delete from pgqueue.workers where targets = (select hash from pgqueue.targets where 'blog' = any (names))"
    )
    execute(db, workers.prune(timedelta(days=7), timedelta(days=180)))
    assert db.execute("select names from pgqueue.targets").fetchall() == [([TARGET],)]
