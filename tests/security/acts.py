"""Every command that acts, ready to be called: what must be there, and its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

import pgqueue
from pgqueue.job import JobState
from pgqueue.store import durable, execute, operations, tallies
from tests import factories
from tests.cli.conftest import SHOP
from tests.cli.test_effects import RESERVED
from tests.store.test_operations import plan

Conn = psycopg.Connection[Any]
CAUSE = "9f2c00000001"
Words = list[object]


def job(conn: Conn) -> object:
    return factories.make(conn, JobState.SCHEDULED)


def dead(conn: Conn) -> object:
    return factories.make(conn, JobState.DEAD)


def worker(conn: Conn) -> object:
    conn.execute("delete from pgqueue.workers")
    return factories.enlist(conn)


def workflow(conn: Conn) -> object:
    return pgqueue.chain(pgqueue.NewJob("a:b"), pgqueue.NewJob("a:b")).enqueue(conn).id


def failed_workflow(conn: Conn) -> object:
    made = pgqueue.chain(pgqueue.NewJob("a:b", queue="alone"), pgqueue.NewJob("a:b")).enqueue(conn).id
    (taken,) = factories.claim(conn, factories.enlist(conn), 1, "alone")
    factories.fail(conn, taken, None)
    return made


def forkable(conn: Conn) -> object:
    claim = factories.claim_one(conn, queue="forked")
    execute(conn, durable.remember(claim, "step", "charge", 1, "1", None))
    return claim.id


def runnable(conn: Conn) -> object:
    return pgqueue.enqueue(conn, f"{SHOP}:send_receipt", [1]).id


def cause(conn: Conn) -> object:
    said = f'[{{"queue":"q","target":"a:b","outcome":"failed","n":1,"ended":0,"cause":"{CAUSE}","error_type":"E"}}]'
    execute(conn, tallies.append(said))
    return CAUSE


def schedule(conn: Conn) -> object:
    pgqueue.schedule(conn, "nightly", "a:b", cron="0 3 * * *")
    return "nightly"


def effect(conn: Conn) -> object:
    conn.execute("delete from pgqueue.effects")
    conn.execute(RESERVED, ["charge:1"])
    return "charge:1"


def channel(conn: Conn) -> object:
    conn.execute(
        "insert into pgqueue.alert_channels (name, kind, settings) values ('ops', 'webhook', '{\"url\": \"https://a/\"}')"
        " on conflict do nothing"
    )
    return "ops"


def running(conn: Conn) -> object:
    return operations_begin(conn)


def stopped(conn: Conn) -> object:
    number = operations_begin(conn)
    execute(conn, operations.stop(number, "stopped"))
    return number


def operations_begin(conn: Conn) -> int:
    return pgqueue.operations.begin(conn, plan("cancel", "queue:nowhere", detached=True))


def limited(conn: Conn) -> object:
    pgqueue.set_limit(conn, "key", "k:*", concurrency=1)
    return "k:*"


def fed(conn: Conn) -> object:
    conn.execute(
        "insert into pgqueue.feeds (name, source, target, buffer)"
        " values ('books', 'x', 'a:b', 9) on conflict do nothing"
    )
    return "books"


def muted(conn: Conn) -> object:
    conn.execute("select pgqueue.mute_alert('dead:y', now(), 'x')")
    return "dead:y"


def routed(conn: Conn) -> object:
    conn.execute("select pgqueue.set_route('a.*', 'a')")
    return "a.*"


def manual(conn: Conn) -> object:
    return factories.make(conn, JobState.MANUAL)


def nothing(conn: Conn) -> object:
    return None


Made = Callable[[Conn], object]
# The words behind the command, with {} for what was made.
ACTS: dict[str, tuple[Made, Words]] = {
    "jobs cancel": (job, ["{}"]),
    "jobs retry": (dead, ["{}"]),
    "jobs bury": (job, ["{}"]),
    "jobs purge": (dead, ["state:dead", "--yes"]),
    "jobs priority": (job, ["{}", "3"]),
    "jobs due-now": (job, ["{}"]),
    "jobs snooze": (job, ["{}", "--for", "1h"]),
    "jobs edit": (job, ["{}", "[2]"]),
    "jobs run-again": (job, ["{}"]),
    "jobs run": (runnable, ["{}", "-A", SHOP]),
    "signal": (job, ["{}", "approval"]),
    "fork": (forkable, ["{}", "charge"]),
    "dead retry": (dead, ["--all"]),
    "dead purge": (dead, ["--yes"]),
    "manual done": (manual, ["{}"]),
    "manual fail": (manual, ["{}"]),
    "causes mute": (cause, ["{}"]),
    "causes resolve": (cause, ["{}"]),
    "causes describe": (cause, ["{}", "--title", "the relay"]),
    "workflows cancel": (workflow, ["{}"]),
    "workflows retry": (failed_workflow, ["{}"]),
    "queues limit": (nothing, ["mail", "--concurrency", "2"]),
    "queues pause": (nothing, ["mail"]),
    "queues resume": (nothing, ["mail"]),
    "queues notify": (nothing, ["off", "mail"]),
    "queues set": (nothing, ["mail", "--timeout", "90"]),
    "queues unset": (nothing, ["mail"]),
    "limits set": (nothing, ["x:*", "--concurrency", "2"]),
    "limits role": (nothing, ["*", "--max-args", "1000000"]),
    "limits remove": (limited, ["{}"]),
    "routes set": (nothing, ["video.*", "media"]),
    "routes remove": (routed, ["{}"]),
    **{f"workers {what}": (worker, ["{}"]) for what in ("quiet", "resume", "stop", "evict")},
    "schedules add": (nothing, ["hourly", "a:b", "--every", "1h"]),
    **{f"schedules {what}": (schedule, ["{}"]) for what in ("pause", "resume", "remove", "run")},
    "feeds remove": (fed, ["{}"]),
    "effects forget": (effect, ["{}"]),
    "effects done": (effect, ["{}"]),
    "alerts mute": (nothing, ["dead:x"]),
    "alerts unmute": (
        lambda conn: conn.execute("select pgqueue.mute_alert('dead:y', now(), 'x')") and "dead:y",
        ["{}"],
    ),
    "workers dump": (worker, ["{}", "--timeout", "0.1"]),
    "alerts test": (channel, ["--wait", "0"]),
    "alerts channels add": (nothing, ["team", "webhook", "--url", "https://a/"]),
    "alerts channels remove": (channel, ["{}"]),
    "alerts rules set": (nothing, ["growing", "60"]),
    "alerts rules unset": (nothing, ["growing"]),
    "operations stop": (running, ["{}"]),
    "operations resume": (stopped, ["{}", "--detach"]),
    "roles sync": (nothing, []),
    "index add": (nothing, ["args.order_id", "--yes"]),
    "index drop": (nothing, ["args.order_id"]),
}
# What belongs to the owner of the tables, or to a worker.
OF_THE_OWNER = {"roles sync", "index add", "index drop", "jobs run"}
