"""What people do to many jobs and to one: operations, changes, the audit, and the searches that they begin with."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pgqueue import operations
from pgqueue.operations import Plan
from pgqueue.search import parse
from pgqueue.store import audit, erasing, execute, explaining, queues, role_limits, searching, suggesting
from pgqueue.store import operations as store
from pgqueue.store.looking import look
from tests import factories
from tests.store.flows import chord

Conn = psycopg.Connection[Any]
SEARCHES = ("", "queue:q state:dead", "state:running error:no worker:w", "key:k args.a:1 label.b:2", "cause:a")
SEARCHES += ("-queue:a,b* id:0190a7b2-0000-7000-8000-000000000001", "queue:q* queue!=q state:dead")


def steered_on(conn: Conn) -> None:
    """Jobs are searched for, moved in bulk and one by one, and all that is looked at."""
    now = datetime.now(UTC)
    for text in SEARCHES:
        assert searching.page(conn, parse(text, now))
    for kind in operations.STATES:
        level = 3 if kind == "priority" else None
        plan = Plan(kind=kind, filter="queue:steered", made_at=now, who="ann", via="test", priority=level)
        factories.fill(conn, 2, queue="steered")
        factories.fail(conn, factories.claim_one(conn, queue="steered"), delay=None)
        assert operations.preview(conn, plan)
        number = operations.begin(conn, plan)
        begun = operations.get(conn, number)
        assert begun is not None
        assert operations.left(conn, begun)
        operations.step(conn, number, lambda _lines: None)
    operations.drive_detached(conn)
    execute(conn, store.detached())
    assert look(conn, lambda conn: execute(conn, suggesting.words())) is not None
    execute(conn, explaining.nearest_target("a:b"))
    execute(conn, store.wait(number, 0.0))
    execute(conn, store.trial([]))
    execute(conn, store.end_trial(number, ended=False))
    execute(conn, store.stop(number, "enough"))
    execute(conn, store.resume(number, detached=True))
    execute(conn, store.keys_taken([]))
    execute(conn, store.newest(None, 1))
    execute(conn, audit.newest(None, 1))
    with conn.transaction(force_rollback=True):
        execute(conn, queues.allow("steered", [factories.TARGET]))
        factories.fill(conn, 2, queue="steered")
        execute(conn, queues.allow("steered", None))
    with conn.transaction(force_rollback=True):
        # `pg_monitor` is there, and this one is none of its members, which `*` does not ask.
        execute(conn, role_limits.put("pg_monitor", "1/s", 1, 1, 1, 1))
        execute(conn, role_limits.put("*", None, None, 1000, 50, 100_000))
        assert len(execute(conn, role_limits.rows(10))) == 2
        assert execute(conn, role_limits.get("*")) is not None
        factories.fill(conn, 1, queue="bounded")
        conn.execute("update pgqueue.jobs set args = '[1]' where queue = 'bounded'")
        rule = "(select each from pgqueue.role_limits as each where each.role = 'pg_monitor')"
        conn.execute(f"select pgqueue.take_rate({rule}, 1), pgqueue.refuse_full({rule}, '{{none}}')")
        conn.execute("select pgqueue.held_in('bounded', 5), pgqueue.is_limited_by('pg_monitor', 'nobody')")
        for said in (f"refuse_large({rule}, 7)", "refuse_limit('*', 'rate', 'ask', 'later', 1.5)", "refuse_busy()"):
            refusals = (psycopg.errors.ConfigurationLimitExceeded, psycopg.errors.LockNotAvailable)
            with suppress(*refusals), conn.transaction():
                conn.execute(f"select pgqueue.{said}")
        conn.execute("select pgqueue.acting_role()")
        execute(conn, role_limits.remove("pg_monitor"))
        execute(conn, role_limits.remove("*"))
    with conn.transaction(force_rollback=True):
        flow = chord(conn, 2)
        conn.execute('update pgqueue.workflows set labels = \'{"who": "ada"}\' where id = %s', [flow.id])
        factories.enqueue(conn, {"who": "ada"}, queue="erased")
        due = now - timedelta(hours=1)
        factories.fail(conn, factories.claim_one(conn, {"who": "ada"}, queue="erased2", run_at=due), delay=None)
        sought = erasing.Sought({"who": "ada"}, [(["who"], "ada")])
        for place in erasing.PLACES:
            behind = None
            for _ in range(20):
                behind = execute(conn, erasing.erase_behind(place, behind, 1, sought, once=False)).last
                if behind is None:
                    break
        assert execute(conn, erasing.elsewhere(sought))
    waiting = factories.enqueue(conn, queue="steered")
    execute(conn, store.set_due(waiting, now))
    execute(conn, store.set_priority(waiting, 2))
    execute(conn, store.export([waiting]))
    execute(conn, store.edit_args(waiting, "[]", "ann"))
    execute(conn, store.bury(waiting, "odd"))
