"""What workers, producers and people ask of the rules that the database keeps: schedules, limits, feeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

import pgqueue
from pgqueue.cron import Decision, Tick
from pgqueue.job import Claim
from pgqueue.store import declaring, execute, feeds, holding, keyed, limits, schedules
from tests import factories
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]


def schedules_on(conn: Conn) -> None:
    """Each kind of schedule is made, fires, and goes."""
    kinds: dict[str, Any] = {
        "plain": {},
        "overlapping": {"overlap": "skip"},
        "keyed": {"unique_key": "of ticks"},
        "replacing": {"unique_key": "of others", "on_conflict": "replace", "unique_until": "start"},
    }
    for name, more in kinds.items():
        said = {"name": name, "target": factories.TARGET, "every": 60.0, **more}
        execute(conn, schedules.put(said))
    conn.execute("select pgqueue.schedule('sql', 'a:b', '[1]', cron => '@daily', unique_until => 'start')")
    worker = factories.enlist(conn)
    execute(conn, declaring.declare(worker, "app", [schedules.encoded({"name": "a:b", "target": "a:b", "every": 9.0})]))
    execute(conn, schedules.next_tick())
    execute(conn, schedules.replan("2026a"))
    due, now = execute(conn, schedules.due("2026a", ["nobody"]))
    assert now is not None
    at = now - timedelta(seconds=1)
    decisions = [Decision(each.name, each.next_at, (Tick(at, "due"),), now + timedelta(hours=1)) for each in due]
    assert execute(conn, schedules.fire(decisions, "2026a")).decided == len(decisions)
    execute(conn, schedules.note_fault("plain", datetime.now(UTC), "none"))
    assert execute(conn, schedules.run("plain"))
    execute(conn, schedules.rows(9))
    execute(conn, schedules.get("plain"))
    execute(conn, schedules.history("plain", 9))
    execute(conn, schedules.pause("plain"))
    execute(conn, schedules.resume("plain"))
    execute(conn, schedules.remove("plain"))


def limits_on(conn: Conn) -> None:
    """Rules are set, looked at, adopted and removed."""
    execute(conn, limits.put("key", "tenant:*", 2, "100/m", 20, 2, None, None))
    execute(conn, limits.put("queue", "limited", 2, None, None, None, None, None))
    execute(conn, limits.rows(9))
    execute(conn, limits.get("key", "tenant:*"))
    execute(conn, limits.rule_of("tenant:7"))
    execute(conn, limits.put_size("sized", 5, "drop_oldest"))
    execute(conn, limits.size_of("sized"))
    for _ in range(2):
        pgqueue.enqueue(conn, factories.TARGET, queue="sized", limit_key="tenant:7")
    pgqueue.enqueue(conn, factories.TARGET, queue="limited")
    pgqueue.enqueue(conn, factories.TARGET, queue="limited", delay=1, limit_key="tenant:8")
    execute(conn, keyed.queues("", 9))
    for _ in range(5):
        pgqueue.enqueue(conn, factories.TARGET, queue="sized")
    # As a program writes a row that knows no lanes.
    conn.execute("insert into pgqueue.jobs (id, target, limit_key) values (pgqueue.uuid7(), 'a:b', 'tenant:9')")
    shares = conn.execute(
        "select seq from pgqueue.hold('tenant:7', 9), pgqueue.keep_hold('tenant:7', seq, 9)"
    ).fetchall()
    conn.execute("select pgqueue.let_go_of('tenant:7', %s)", shares[0])
    share = execute(conn, holding.take("tenant:7", 9.0, 1))
    assert share.number is not None
    assert execute(conn, holding.give_back("tenant:7", share.number))
    execute(conn, limits.use_of("key", "tenant:7", "100/m"))
    # A key that nobody has held before, and a task with room: tests share the database, and leave jobs running.
    in_order = f"in order {uuid4()}"
    execute(conn, limits.put("key", in_order, 1, None, None, None, True, None))
    for _ in range(2):
        pgqueue.enqueue(conn, factories.TARGET, queue="limited", limit_key=in_order)
    execute(conn, limits.put("task", factories.TARGET, 900, None, None, None, None, None))
    wait_until(lambda: execute(conn, keyed.adopt()))
    worker = factories.enlist(conn)
    look = keyed.Look(["limited", "sized"])

    def claimed(*, careful: bool) -> list[Claim]:
        epoch = factories.epoch(conn, worker)
        asked = keyed.claim(worker, epoch, [], 3, free=3, visits=100, look=look, careful=careful)
        return execute(conn, asked).step.claims

    # Vacuum may have a lock of the rules for a moment, and a lane in other hands is passed by.
    taken = wait_until(lambda: claimed(careful=True)) + claimed(careful=False)
    factories.settle(conn, *taken[:1])
    for each in taken[1:]:
        factories.fail(conn, each)
    execute(conn, keyed.claim(worker, factories.epoch(conn, worker), [], 9, free=9, visits=100, look=look))
    execute(conn, keyed.reconcile())
    execute(conn, keyed.reconcile(1))
    for scope, name in (("key", "tenant:*"), ("key", in_order), ("task", factories.TARGET), ("queue", "limited")):
        execute(conn, limits.remove(scope, name))


def feeds_on(conn: Conn) -> None:
    """A feed is taken, goes forward, and is left."""
    taken = execute(conn, feeds.take("f", "a:b", "c:d", 9, 7, ("h", 1), pooled=False, again=False))
    assert taken is not None
    job = pgqueue.enqueue(conn, factories.TARGET, queue="fed").id
    execute(conn, feeds.forward("f", 7, {"at": 1}, [job]))
    execute(conn, feeds.room("f", 7, 9, 3))
    execute(conn, feeds.hold("f", 7, pooled=False))
    execute(conn, feeds.listed())
    execute(conn, feeds.leave("f", 7, finished=True))
    execute(conn, feeds.remove("f"))
