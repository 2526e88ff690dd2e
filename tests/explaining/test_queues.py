"""Why a queue does not drain: the first reason that holds, with a cure that works."""

from __future__ import annotations

import pgqueue
from pgqueue.store import execute, queues, workers
from tests.conftest import Connect
from tests.explaining.asking import finding, knowing, why_not_drained
from tests.factories import HOUR, Conn, claim, enqueue, fill
from tests.limits import rule, take_keyed


def test_a_queue_without_jobs_is_empty(db: Conn) -> None:
    found = why_not_drained(db, "mail")
    assert (found.code, found.text) == ("empty", "no job waits")
    enqueue(db, queue="mail", delay=HOUR)
    found = why_not_drained(db, "mail")
    assert (found.code, found.text) == ("empty", "no job is due; the next falls due in 60 min")


def test_a_paused_queue_says_so_and_the_cure_resumes_it(db: Conn) -> None:
    knowing(db)
    enqueue(db, queue="mail")
    execute(db, queues.pause("mail"))
    found = why_not_drained(db, "mail")
    assert (found.code, found.cure) == ("queue_paused", "pgqueue queues resume -- mail")
    execute(db, queues.resume("mail"))
    assert why_not_drained(db, "mail").code == "draining"


def test_a_full_limit_of_the_queue_says_so(db: Conn) -> None:
    rule(db, "queue", "default", concurrency=1)
    fill(db, 2)
    assert len(take_keyed(db, knowing(db, concurrency=5))) == 1
    found = why_not_drained(db, "default")
    assert (found.code, found.cure) == ("limit_full", "pgqueue limits set --queue=default --concurrency 2")


def test_a_queue_that_nobody_serves_asks_for_a_worker(db: Conn) -> None:
    enqueue(db, queue="mail")
    assert why_not_drained(db, "mail").cure == "pgqueue worker -A shop.tasks"
    worker = knowing(db, queues=["web"])
    found = why_not_drained(db, "mail")
    assert (found.code, found.cure) == ("unserved", "pgqueue worker -A shop.tasks -Q mail")
    knowing(db, queues=["mail"])
    assert why_not_drained(db, "mail").code == "draining"
    execute(db, workers.ask(worker, "stop"))
    assert why_not_drained(db, "mail").code == "draining"


def test_lanes_that_are_all_full_say_so(db: Conn) -> None:
    rule(db, "key", "tenant:*", concurrency=1)
    fill(db, 2, limit_key="tenant:1")
    fill(db, 2, limit_key="tenant:2")
    worker = knowing(db, concurrency=9)
    assert len(take_keyed(db, worker)) == 2
    found = why_not_drained(db, "default")
    assert (found.code, found.cure) == ("lanes_full", "pgqueue limits show -- tenant:1")
    assert found.text == "2 of the first 2 lanes are held back by their limits, tenant:1 among them"
    fill(db, 1, limit_key="free")
    assert why_not_drained(db, "default").code != "lanes_full"


def test_busy_slots_say_so(db: Conn) -> None:
    worker = knowing(db, queues=["default"])
    fill(db, 3)
    claim(db, worker)
    found = why_not_drained(db, "default")
    assert (found.code, found.detail["busy"], found.detail["slots"]) == ("slots_busy", 1, 1)


def test_a_head_that_no_worker_knows_says_so(db: Conn) -> None:
    knowing(db, "blog:post")
    job_id = enqueue(db)
    found = why_not_drained(db, "default")
    assert (found.code, found.detail["code"], found.detail["job"]) == ("head", "unknown_target", str(job_id))
    assert found.cure == "pgqueue worker -A shop.tasks"


def test_a_head_that_somebody_has_locked_says_so(db: Conn, connect: Connect) -> None:
    knowing(db)
    job_id = enqueue(db)
    holder = connect()
    holder.execute("select from pgqueue.jobs where id = %s for update", [job_id])
    found = why_not_drained(db, "default")
    assert (found.code, found.detail["code"]) == ("head", "locked")
    assert found.cure == f"select pg_terminate_backend({holder.info.backend_pid});"


def test_what_waits_is_counted_up_to_a_thousand(db: Conn) -> None:
    knowing(db)
    fill(db, 1500)
    fill(db, 2, delay=HOUR)
    found = pgqueue.explain_queue(db, "default")
    assert found.findings[0].text == "queue default: more than 1,000 due, 2 for later, 0 with workers"
    assert found.findings[0].detail["counted_to_the_end"] is False
    assert finding(found, "draining").holds
