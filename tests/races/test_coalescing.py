"""P10: whatever was committed with a call that found a job waiting is seen by a run, in a storm of both."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from pgqueue.job import NewJob
from pgqueue.store import enqueueing, execute
from pgqueue.store.functions import text_of
from tests.factories import TARGET, Conn, claim, count, enlist, settle

LOCK = "perform from pgqueue.jobs as job where job.id = _job.id and job.worker is null for share;"
PRODUCERS, COMMITS, WORKERS = 6, 40, 2
MODES: list[dict[str, Any]] = [{"on_conflict": "keep"}, {"on_conflict": "replace"}, {"max_wait": 0.001}]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: next(iter(mode.items())))
def test_p10_no_commit_is_lost_on_a_job_that_starts_before_it(db: Conn, dsn: str, mode: dict[str, Any]) -> None:
    db.execute("create table facts (id int generated always as identity, seen int)")
    produced = threading.Event()

    def produce(seed: int) -> None:
        chance = random.Random(seed)
        new = NewJob(TARGET, unique_key="k", unique_until="start", **mode)
        with psycopg.connect(dsn) as conn:
            for _ in range(COMMITS):
                conn.execute("insert into facts default values")
                execute(conn, enqueueing.enqueue(new))
                conn.execute("select pg_sleep(%s)", [chance.choice([0, 0.002])])
                conn.rollback() if chance.random() < 0.1 else conn.commit()

    def work() -> int:
        runs = 0
        with psycopg.connect(dsn, autocommit=True) as conn:
            worker = enlist(conn)
            while True:
                ending = produced.is_set()
                taken = claim(conn, worker, 5)
                if taken:
                    runs += len(taken)
                    conn.execute("update facts set seen = %s where seen is null", [runs])
                    settle(conn, *taken)
                elif ending and not count(conn, "jobs"):
                    return runs

    with ThreadPoolExecutor() as pool:
        working = [pool.submit(work) for _ in range(WORKERS)]
        producing = [pool.submit(produce, seed) for seed in range(PRODUCERS)]
        try:
            for each in producing:
                each.result(60)
        finally:
            produced.set()
        runs = sum(each.result(60) for each in working)
    assert db.execute("select count(*) from facts where seen is null").fetchone() == (0,)
    assert db.execute("select count(*) from facts").fetchone() != (0,)
    if "max_wait" not in mode:
        # It was coalesced at all.
        assert runs < PRODUCERS * COMMITS


@pytest.mark.parametrize(("locks", "unseen"), [(True, 0), (False, 1)])
def test_without_the_lock_on_what_it_found_a_commit_is_lost(db: Conn, one: Conn, *, locks: bool, unseen: int) -> None:
    text = text_of("enqueue_keyed")
    assert LOCK in text
    db.execute(text if locks else text.replace(LOCK, LOCK.replace(" for share", "")))
    db.execute("create table facts (id int generated always as identity, seen int)")
    new = NewJob(TARGET, unique_key="k", unique_until="start")
    execute(db, enqueueing.enqueue(new))
    one.execute("insert into facts default values")
    execute(one, enqueueing.enqueue(new))
    worker = enlist(db)
    for run, commit in ((1, one.commit), (2, db.commit)):
        if taken := claim(db, worker, 5):
            db.execute("update facts set seen = %s where seen is null", [run])
            settle(db, *taken)
        commit()
    assert db.execute("select count(*) from facts where seen is null").fetchone() == (unseen,)
