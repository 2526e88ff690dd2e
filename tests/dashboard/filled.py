"""A database in which every page has something to show."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Json

from pgqueue.dashboard.actions import ACTIONS
from pgqueue.ids import new_job_id
from pgqueue.job import JobState
from pgqueue.job_log import Said
from pgqueue.search import word
from pgqueue.store import audit, dumps, execute, feeds, job_logs, limits, queues, routes, schedules
from tests.factories import Conn, claim_one, enlist, enqueue, fail, make

# The queue that a tenant sees, and one of somebody else.
THEIRS, OTHERS = "mail.eu", "secret-bank"
# Every page, by what its address needs beside what fill() made.
ADDRESSES = (
    "/",
    "/queues",
    "/queues?sort=oldest",
    "/queue?name={queue}",
    "/jobs",
    "/jobs?q=state:dead",
    "/jobs?q={asked}",
    "/jobs?columns=state,task,queue,priority,attempt,enqueued,moment,started,worker,key,limit,reason,error",
    "/operations",
    "/operations/{operation}",
    "/audit",
    "/jobs/{waiting}",
    "/jobs/{running}",
    "/jobs/{dead}",
    "/jobs/{dead}?whole=1",
    "/jobs/{succeeded}",
    "/running",
    "/dead",
    "/dead?queue={queue}",
    "/workers",
    "/schedules",
    "/schedule?name={schedule}",
    "/limits",
    "/limit?of=key&name={limit}",
    "/limit?of=key&name=tenant:*",
    "/workflows",
    "/workflows?state=failed",
    "/workflows?name={queue}",
    "/workflows/{workflow}",
    "/jobs/{gated}",
    "/settings",
    "/feeds",
    "/doctor",
    "/causes",
    "/causes/0123456789ab",
    "/?range=7d",
    "/at",
    "/at?when=5m+ago",
    "/at?when={queue}",
    "/queue?name={queue}&range=1h",
    "/worker?id={worker}",
    "/queue?name={queue}&slots=%2B8&pause=10m&rate=50/s&in=5/m",
    "/queue?name={queue}&slots={queue}",
)
# Every form of an action, likewise.
FORMS = tuple(
    f"{each.path}?of={{{key}}}"
    for each in ACTIONS
    for key in ({"job": "dead", "limits": "limit", "limit": "rule", "bulk": "asked"}.get(each.on.name, each.on.name),)
    # The operation that stands there retries.
    if each.on.name != "operation" or each.name.endswith("-retry")
)


@dataclass(frozen=True, slots=True)
class Filled:
    """The names and ids of what stands there."""

    queue: str
    target: str
    schedule: str
    limit: str
    rule: str
    worker: int
    waiting: UUID
    running: UUID
    dead: UUID
    succeeded: UUID
    operation: int
    workflow: UUID
    gated: UUID
    cause: str = "0123456789ab"
    alert: str = "growing mail"

    @property
    def asked(self) -> str:
        """A search for the jobs of the queue and the task."""
        return f"{word('queue', self.queue)} {word('task', self.target)}"

    def address(self, shape: str) -> str:
        """An address with the names in it, as a page would link to it."""
        from urllib.parse import quote

        names = {name: quote(str(getattr(self, name)), safe="") for name in (*self.__slots__, "asked")}
        return shape.format(**names)


def fill(conn: Conn, text: str = "mail", args: Any = None) -> Filled:
    """Something of everything, with `text` wherever somebody may write one. `conn` is in autocommit mode."""
    args = {"to": text, text: [text, {"deep": text}], "n": 3} if args is None else args
    worker = enlist(conn, concurrency=4)
    conn.execute("update pgqueue.workers set host = %s, queues = %s where id = %s", [text, [text, "*"], worker])
    labels = {"by": text}
    dead = claim_one(conn, args, worker=worker, queue="default", labels=labels, unique_key=text)
    fail(conn, dead, None)
    succeeded = make(conn, JobState.SUCCEEDED, args=args)
    execute(conn, job_logs.keep([Said(dead.id, dead.claim, 1, n, time.time(), "warning", text) for n in (1, 2)]))
    there = {"job": text, "target": text, "queue": text, "attempt": 1, "seconds": 1.5, "stack": text}
    asked_at = execute(conn, dumps.ask(worker))
    assert asked_at is not None
    execute(conn, dumps.tell(worker, asked_at, json.dumps({"jobs": [there, {**there, "stack": None, "why": text}]})))
    running = claim_one(conn, args, worker=worker, queue="default", labels=labels)
    waiting = enqueue(conn, args, delay=60.0, labels=labels, limit_key=text.replace("\x01", "") or "x")
    make(conn, JobState.CANCELLED)
    enqueue(conn, args)
    for table, key in (("jobs", "id"), ("dead_jobs", "id"), ("attempts", "job_id")):
        conn.execute(f"update pgqueue.{table} set queue = %s, target = %s where {key} is not null", [text, text])
    conn.execute("update pgqueue.attempts set error_type = %s, error = %s, traceback = %s", [text, text, _trace(text)])
    conn.execute("update pgqueue.dead_jobs set error_type = %s, error = %s, reason = %s", [text, text, text])
    execute(conn, queues.pause(text, 3600.0))
    execute(conn, queues.set_settings(queues.Settings(text, 60.0, 5, 3, None)))
    execute(conn, routes.put("shop.*", text))
    execute(conn, limits.put("key", "tenant:*", 1, "10/s", 5, 2, True, "stop"))
    execute(conn, limits.put("queue", text, 3, None, None, None, None, None))
    said = {"name": text, "cron": "0 3 * * *", "timezone": "Europe/Vienna", "target": "shop.tasks:send", "args": args}
    execute(conn, schedules.put({**said, "queue": text}))
    execute(conn, schedules.run(text))
    conn.execute("update pgqueue.schedules set target = %s, fault = %s", [text, text])
    conn.execute(
        """
        insert into pgqueue.causes (cause, target, error_type, error, title, note, assignee, resolved_release)
        values ('0123456789ab', %(text)s, %(text)s, %(text)s, %(text)s, %(text)s, %(text)s, %(text)s)
        """,
        {"text": text},
    )
    conn.execute("update pgqueue.dead_jobs set cause = '0123456789ab'")
    conn.execute(
        """
        insert into pgqueue.depths (minute, queue, ready, later, running, dead, oldest, entered, exact)
        select date_trunc('minute', now()) - n * interval '1 minute', %s, 1, 1, 1, 1, 1, 1, true
        from generate_series(1, 30) as n
        """,
        [text],
    )
    conn.execute(
        """
        insert into pgqueue.tallies (minute, queue, target, outcome, cause, n)
        values (date_trunc('minute', now()) - interval '2 minutes', %s, %s, 'failed', '0123456789ab', 2)
        """,
        [text, text],
    )
    conn.execute(
        """
        insert into pgqueue.alerts (key, kind, object, state, opened_at)
        values ('growing mail', 'growing', %s, 'open', now())
        """,
        [text],
    )
    operation = conn.execute(
        """
        insert into pgqueue.operations (kind, filter, who, via, reason, why, state, rate, trial, trial_ids)
        values ('retry', %(text)s, %(text)s, %(text)s, %(text)s, %(text)s, 'stopped', 1, 1, %(ids)s)
        returning id
        """,
        {"text": text, "ids": [dead.id]},
    ).fetchone()
    assert operation is not None
    execute(conn, audit.write(text, text, text, filter_text=text, job_ids=[dead.id], n=1, reason=text))
    execute(conn, feeds.take(text, text, text, 100, 7, (text, 7), pooled=True, again=False))
    jobs = (waiting, running.id, dead.id, succeeded)
    flow = _flow(conn, text, dead.id)
    return Filled(text, text, text, "tenant:1", f"queue:{text}", worker, *jobs, operation[0], *flow)


def _flow(conn: Conn, text: str, dead: UUID) -> tuple[UUID, UUID]:
    """A workflow whose first node is dead, a group that waits for it, and a branch; answers its id and a job's."""
    flow, gated = new_job_id(), new_job_id()
    said = {"flow": flow, "text": text, "dead": dead, "gated": gated, "labels": Json({"by": text})}
    for sql in (
        "insert into pgqueue.workflows (id, name, unique_key, labels)"
        " values (%(flow)s, %(text)s, %(text)s, %(labels)s)",
        """
        insert into pgqueue.nodes (workflow_id, node, name, target, total, needs, repairs, job_id) values
          (%(flow)s, 1, %(text)s, %(text)s, 1, '{}', null, %(dead)s),
          (%(flow)s, 2, %(text)s, %(text)s, 3, '{1}', null, null),
          (%(flow)s, 3, %(text)s, %(text)s, 1, '{}', '{1}', null)
        """,
        "update pgqueue.dead_jobs set workflow_id = %(flow)s, node = 1, success_links = '{1}' where id = %(dead)s",
        "insert into pgqueue.gates (workflow_id, gate, unmet, total) values (%(flow)s, 1, 1, 1)",
        """
        insert into pgqueue.waiting (id, workflow_id, gate, node, queue, target, labels)
        values (%(gated)s, %(flow)s, 1, 2, %(text)s, %(text)s, %(labels)s)
        """,
    ):
        conn.execute(sql, said)
    return flow, gated


def _trace(text: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/shop/tasks.py", line 3, in {text}\n    {text}\n'
        f'  File "/usr/lib/python3.11/site-packages/x.py", line 7, in {text}\n    raise OSError\n'
        f"OSError: {text}\n"
    )


def planted(secret: str) -> dict[str, Any]:
    """Arguments with a secret at every depth."""
    return {
        "password": secret,
        "user": {"api_key": secret, "name": "ann", "cards": [{"card_number": secret}]},
        "headers": [["Authorization", "x"], {"Authorization": f"Bearer {secret}"}],
        "Secret-Token": {"nested": [secret]},
    }


def text_of(args: Any) -> str:
    return json.dumps(args)


def fill_two_tenants(conn: Conn) -> list[UUID]:
    """Give a tenant and another the same of everything; answers the ids of the other's jobs."""
    hidden = []
    for queue in (THEIRS, OTHERS):
        waiting = enqueue(conn, {"of": queue}, queue=queue, limit_key=f"key of {queue}")
        dead = claim_one(conn, {"of": queue}, worker=enlist(conn, queues=[queue]), queue=f"{queue}.x")
        fail(conn, dead, None)
        claim_one(conn, worker=enlist(conn, queues=[queue]), queue=f"{queue}.y")
        execute(conn, queues.set_settings(queues.Settings(queue, 60.0, None, None, None)))
        execute(conn, routes.put(f"{queue}.*", queue))
        execute(conn, limits.put("queue", queue, 3, None, None, None, None, None))
        execute(conn, schedules.put({"name": f"of {queue}", "every": 60, "target": "a:b", "queue": queue}))
        hidden += [waiting, dead.id] if queue == OTHERS else []
    return hidden
