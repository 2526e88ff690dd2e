"""The workers of a month: what each holds, knows, and says of itself."""

from __future__ import annotations

from hashlib import sha256

from bench.month.shape import EACH, Month
from bench.shop import TARGETS
from pgqueue.bench.site import Conn

_TARGETS = "insert into pgqueue.targets (hash, names) values (%s, %s)"
_WORKERS = """
insert into pgqueue.workers (id, host, pid, executor, concurrency, started_at, expires_at, targets)
select id, 'web-' || n %% 8, 4000 + n, 'process', %(each)s, now() - n * interval '1 hour',
       now() + interval '1 day', %(hash)s
from unnest(%(workers)s::bigint[]) with ordinality as worker (id, n)
"""
# The oldest of all; a claim is an update, as a worker's.
_RUNNING = """
update pgqueue.jobs as job
set worker = (%(workers)s::bigint[])[1 + oldest.n %% %(count)s], claim = 1, attempt = 1,
    started_at = now() - oldest.n * interval '2 seconds'
from (
  select first.id, row_number() over (order by first.id) as n
  from pgqueue.jobs as first
  where first.lane is null and first.attempt = 0 and first.run_at < now()
  order by first.id
  limit %(most)s) as oldest
where job.id = oldest.id
"""
_REPORTS = """
insert into pgqueue.worker_reports (id, at, report, tallied, tallied_until)
select worker.id, now(), json_build_object(
         'busy', count(job.id), 'slots', %(each)s, 'load', count(job.id), 'outbox', 0, 'settled_per_s', 38.5,
         'rss', 412000000, 'cpu_s', 812.5, 'children', '[]'::json, 'lag_ms', 2, 'beat_ms', 1.5, 'quiet', false,
         'listening', true, 'executor', 'process', 'release', '4f1a', 'pgqueue', '0.1.0', 'python', '3.11.7',
         'running', coalesce(
           json_agg(json_build_array(job.id, 1, round(extract(epoch from now() - job.started_at), 1)))
             filter (where job.id is not null), '[]')),
       100, now()
from pgqueue.workers as worker
left join (
  select first.id, first.worker, first.started_at
  from pgqueue.jobs as first order by first.id limit 2 * %(most)s) as job
  on job.worker = worker.id
group by worker.id
on conflict (id) do update set at = excluded.at, report = excluded.report
"""
# Ten lines of each of the newest attempts; and things that were wrong, a tenth of which still are.
_LOGS = """
insert into pgqueue.job_logs (job_id, at, claim, attempt, seq, level, line)
select newest.job_id, newest.finished_at, newest.claim, newest.attempt, line.n, 'info',
       'step ' || line.n || ' of 10: the order is there'
from (select a.* from pgqueue.attempts as a order by a.job_id desc limit %s) as newest
cross join generate_series(1, 10) as line (n)
"""
_ALERTS = """
with wrong as (
  insert into pgqueue.alerts (key, kind, object, state, opened_at, noticed_at, last_at, n, told, told_at)
  select 'stalled:' || n, 'stalled', 'queue-' || n, case n %% 10 when 0 then 'open' else 'well' end,
         now() - n * interval '1 hour', now() - n * interval '1 hour', now(), n, true, now()
  from generate_series(1, %s) as n
  returning key
)
insert into pgqueue.alert_messages (key, channel, number, what, made_at, facts, sent_at)
select wrong.key, 'mail', n, 'opened', now() - n * interval '1 hour', '{}', now() from wrong, generate_series(1, 3) as n
"""
ALERTS, LOGGED = 300, 20_000
_AGAIN = "update pgqueue.workers set expires_at = now() + interval '1 day'"


def begin_work(conn: Conn, month: Month) -> None:
    """Have the workers run what is oldest, and tell of it."""
    digest = sha256("\n".join(TARGETS).encode()).hexdigest()
    count = len(month.workers)
    said = {"workers": month.workers, "count": count, "each": EACH, "hash": digest, "most": count * EACH}
    conn.execute(_TARGETS, [digest, sorted(TARGETS)])
    conn.execute(_WORKERS, said)
    conn.execute(_RUNNING, said)
    conn.execute(_REPORTS, said)
    conn.execute(_LOGS, [max(100, round(LOGGED * month.scale))])
    conn.execute(_ALERTS, [ALERTS])


def go_on(conn: Conn, month: Month) -> None:
    """Have their leases and reports be of now, for one who looks at the month later."""
    conn.execute(_AGAIN)
    conn.execute(_REPORTS, {"each": EACH, "most": len(month.workers) * EACH})
