"""A shop's queues on an ordinary day: for people who look at the pages."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.job import NewJob
from pgqueue.store import enqueueing, execute, feeds, jobs, limits, queues, routes, schedules, workers
from tests.browser.flowing import flows
from tests.browser.said import say
from tests.browser.steered import steered
from tests.browser.wrong import alarm
from tests.factories import claim, failure, settle, worker_id

Conn = psycopg.Connection[Any]
TASKS = {
    "mail": ("shop.mail:send_receipt", "shop.mail:send_newsletter"),
    "video": ("shop.video.transcoding:cut", "shop.video.transcoding:thumbnails"),
    "payments": ("shop.payments:charge", "shop.payments:refund"),
    "search": ("shop.search.indexing:reindex_product",),
    "reports": ("shop.reports:nightly",),
}
TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/.venv/lib/python3.12/site-packages/pgqueue/worker/attempts/call.py", line 88, in call
    return function(*args, **kwargs)
  File "/srv/shop/shop/mail.py", line 41, in send_receipt
    smtp.deliver(message)
  File "/srv/shop/shop/smtp.py", line 17, in deliver
    connection = smtplib.SMTP(HOST, timeout=10)
  File "/usr/lib/python3.12/smtplib.py", line 255, in __init__
    (code, msg) = self.connect(host, port)
  File "/usr/lib/python3.12/smtplib.py", line 341, in connect
    self.sock = self._get_socket(host, port, self.timeout)
  File "/usr/lib/python3.12/socket.py", line 852, in create_connection
    raise exceptions[0]
ConnectionRefusedError: [Errno 111] Connection refused
"""


def open_shop(conn: Conn) -> dict[str, Any]:
    """Fill a database; answers jobs by what they are good for, and a worker. `conn` is in autocommit mode."""
    luck = random.Random(7)
    staff = [hire(conn, host, pid, names, slots) for host, pid, names, slots in STAFF]
    for queue, tasks in TASKS.items():
        count = {"mail": 240, "video": 18, "payments": 60, "search": 420, "reports": 3}[queue]
        execute(conn, enqueueing.enqueue_many([job(luck, queue, luck.choice(tasks)) for _ in range(count)]))
    for queue, worker, ended, dead, running in (
        ("mail", staff[0], 120, 4, 5), ("payments", staff[0], 30, 1, 2), ("search", staff[1], 200, 0, 7),
        ("video", staff[2], 4, 2, 2),
    ):  # fmt: skip
        work(conn, luck, queue, worker, ended, dead, running)
    later = [job(luck, "mail", "shop.mail:send_newsletter", delay=3600.0 * hour) for hour in range(1, 20)]
    execute(conn, enqueueing.enqueue_many(later))
    execute(conn, queues.pause("reports", 7200.0))
    execute(conn, queues.set_settings(queues.Settings("video", 3600.0, 5, None, None)))
    execute(conn, queues.set_settings(queues.Settings("mail", 60.0, 8, 6, None)))
    execute(conn, routes.put("shop.video.*", "video"))
    execute(conn, routes.put("shop.mail:*", "mail"))
    execute(conn, limits.put("key", "tenant:*", 2, "100/m", 20, None, None, None))
    execute(conn, limits.put("key", "stripe", 4, "25/s", None, None, None, None))
    execute(conn, limits.put("queue", "video", 4, None, None, None, None, None))
    conn.execute("insert into pgqueue.holds (name, seq) select 'k:stripe', n from generate_series(1, 3) as n")
    plans(conn)
    execute(conn, feeds.take("orders-2026", "shop.exports:orders", "shop.search.indexing:reindex_product", 1000, 7,
                             ("web-1", 4711), pooled=True, again=False))  # fmt: skip
    conn.execute("update pgqueue.feeds set items = 48210, fed_at = now()")
    steered(conn)
    age(conn)
    remember(conn)
    alarm(conn)
    found = {**some(conn), "workflow": flows(conn, staff[2])}
    say(conn, found)
    return found


STAFF = (
    ("web-1.shop.example", 4711, ["mail", "payments"], 8),
    ("web-2.shop.example", 3120, ["search", "mail"], 8),
    ("gpu-1.shop.example", 977, ["video"], 4),
    ("gpu-1.shop.example", 978, ["video"], 4),
)


def hire(conn: Conn, host: str, pid: int, names: list[str], slots: int) -> int:
    worker = worker_id()
    execute(conn, workers.enlist(worker, host, pid, names, "process", slots, timedelta(seconds=3600)))
    return worker


def job(luck: random.Random, queue: str, target: str, **options: Any) -> NewJob:
    args = {"order_id": luck.randrange(10**6), "tenant": f"t{luck.randrange(9)}", "api_key": "sk_live_7f3a91"}
    return NewJob(target, args, queue=queue, labels={"tenant": args["tenant"]}, max_attempts=8, **options)


def work(conn: Conn, luck: random.Random, queue: str, worker: int, ended: int, dead: int, running: int) -> None:
    claims = claim(conn, worker, ended + dead + running + 3, queue)
    settle(conn, *claims[:ended])
    for number, each in enumerate(claims[ended : ended + dead]):
        said = failure(each, None)
        execute(conn, jobs.fail(worker, [said]))
        conn.execute(
            "update pgqueue.dead_jobs set error_type = %s, error = %s, traceback = %s where id = %s",
            [*ERRORS[number % len(ERRORS)], TRACEBACK, each.id],
        )
        conn.execute(
            "update pgqueue.attempts set error_type = %s, error = %s, traceback = %s where job_id = %s",
            [*ERRORS[number % len(ERRORS)], TRACEBACK, each.id],
        )
    for each in claims[ended + dead : ended + dead + 3]:
        execute(conn, jobs.fail(worker, [failure(each, luck.uniform(60, 900))]))


ERRORS = (
    ("builtins.ConnectionRefusedError", "[Errno 111] Connection refused"),
    ("stripe.error.RateLimitError", "Too many requests in a row; retry after 30 s"),
    ("shop.errors.UnknownAddress", "no such customer: 'ann@example.org'"),
)


def plans(conn: Conn) -> None:
    for name, cron, target in (
        ("nightly-report", "30 3 * * *", "shop.reports:nightly"),
        ("tidy", "*/10 * * * *", "shop.tasks:tidy"),
        ("newsletter", "0 9 * * mon", "shop.mail:send_newsletter"),
    ):
        said = {"name": name, "cron": cron, "timezone": "Europe/Vienna", "target": target, "queue": "reports"}
        execute(conn, schedules.put(said))
    execute(conn, schedules.run("tidy"))
    execute(conn, schedules.pause("newsletter"))
    conn.execute(
        "update pgqueue.schedules set tzdata = '2026b', next_at = now() + interval '7 minutes' where name <> 'x'"
    )


def age(conn: Conn) -> None:
    """Let what has happened have happened a while ago."""
    for table, key, names in (
        ("jobs", "id", ("run_at", "created_at", "started_at")),
        ("attempts", "job_id", ("created_at", "run_at", "started_at", "finished_at")),
        ("dead_jobs", "id", ("created_at", "run_at", "started_at", "died_at")),
    ):
        shifts = ", ".join(f"{name} = row.{name} - shift" for name in names)
        conn.execute(
            f"""
            update pgqueue.{table} as row set {shifts}
            from (select ctid as place, abs(hashtext({key}::text)) % 240 * interval '1 second' as shift
                  from pgqueue.{table}) as aged
            where row.ctid = aged.place
            """
        )
    conn.execute("update pgqueue.jobs set created_at = created_at - interval '9 seconds'")
    conn.execute("update pgqueue.dead_jobs set created_at = created_at - interval '9 seconds'")
    conn.execute("update pgqueue.attempts set started_at = finished_at - random() * interval '2 seconds'")
    conn.execute("update pgqueue.workers set started_at = started_at - random() * interval '3 days'")


def remember(conn: Conn) -> None:
    """Some hours of what workers count and note, and causes of what has failed."""
    conn.execute(
        """
        insert into pgqueue.depths (minute, queue, ready, later, running, dead, oldest, entered, exact)
        select date_trunc('minute', now()) - n * interval '1 minute', name,
               greatest(0, share * (60 + 45 * sin(n / 40.0) + 20 * sin(n / 7.0 + share)) + n % 5)::bigint,
               (share * 12)::bigint, least(8, 2 + share * 4 + n % 3)::bigint, 2 + (360 - n) / 90,
               greatest(1, 90 + 80 * sin(n / 40.0) * share + n % 9), (share * (40 + 12 * sin(n / 25.0)))::bigint, true
        from generate_series(1, 360) as n,
             (values ('mail', 1.0), ('search', 1.6), ('video', 0.2), ('payments', 0.5)) as queue (name, share)
        """
    )
    conn.execute(
        """
        insert into pgqueue.tallies (minute, queue, target, outcome, n, ended, wait, run)
        select date_trunc('minute', now()) - n * interval '1 minute', name, target, 'succeeded',
               jobs, jobs, bucketed, bucketed
        from generate_series(1, 360) as n,
             (values ('mail', 'shop.mail:send_receipt', 1.0), ('search', 'shop.search.indexing:reindex_product', 1.6),
                     ('video', 'shop.video.transcoding:cut', 0.2), ('payments', 'shop.payments:charge', 0.5))
               as queue (name, target, share),
             lateral (select (share * (38 + 12 * sin(n / 25.0 + 1)))::bigint as jobs) as counted,
             lateral (select array_agg(case b when 5 then jobs / 2 when 6 then jobs - jobs / 2 else 0 end order by b)
                        as bucketed
                      from generate_series(1, 25) as b) as spread
        """
    )
    conn.execute(
        """
        insert into pgqueue.tallies (minute, queue, target, outcome, cause, n)
        select date_trunc('minute', now()) - n * interval '1 minute', 'mail', 'shop.mail:send_receipt', 'failed',
               '9f2c01a4b7de', 1 + n % 4
        from generate_series(1, 360, 3) as n
        """
    )
    conn.execute(
        """
        insert into pgqueue.causes (cause, target, error_type, error, first_at) values
          ('9f2c01a4b7de', 'shop.mail:send_receipt', 'builtins.ConnectionRefusedError',
           '[Errno 111] Connection refused', now() - interval '40 minutes'),
          ('04be77c1d5a2', 'shop.video.transcoding:cut', 'stripe.error.RateLimitError',
           'Too many requests in a row; retry after 30 s', now() - interval '9 days')
        """
    )
    conn.execute("update pgqueue.duties set done_at = now() where name = 'depths'")
    conn.execute("update pgqueue.dead_jobs set cause = '9f2c01a4b7de' where error_type like 'builtins%%'")
    conn.execute("update pgqueue.dead_jobs set cause = '04be77c1d5a2' where error_type like 'stripe%%'")
    conn.execute(
        """
        insert into pgqueue.worker_reports (id, report)
        select id, json_build_object('busy', 5, 'slots', concurrency, 'settled_per_s', 12.5, 'rss', 91226112,
          'children', json_build_array(json_build_array(1, 141226112)), 'lag_ms', 2.1, 'beat_ms', 1.4,
          'listening', true, 'release', case when pid = 3120 then '4f1a' else '4f1b' end)
        from pgqueue.workers
        """
    )


def some(conn: Conn) -> dict[str, Any]:
    found = conn.execute(
        """
        select 'dead', id from (select id from pgqueue.dead_jobs order by id limit 1) as dead
        union all select 'running', id from (select id from pgqueue.jobs where worker is not null limit 1) as running
        union all select 'waiting', id from (select id from pgqueue.jobs where worker is null limit 1) as waiting
        union all select 'succeeded', job_id
        from (select job_id from pgqueue.attempts where outcome = 'succeeded' limit 1) as ended
        """
    )
    worker = conn.execute("select id from pgqueue.workers order by host, pid limit 1").fetchone()
    return {**dict(found.fetchall()), "worker": worker and worker[0]}
