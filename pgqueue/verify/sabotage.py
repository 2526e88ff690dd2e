"""The proof of the checker: planted damage, one kind after the other, of which it must find exactly each.

Each is done to a run that is in order, in a transaction that is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.verify.checks import check

Conn = psycopg.Connection[Any]

ANY = "select job_id from verify.ended where state = 'succeeded' order by job_id limit 1"
OF_KIND = """
select ended.job_id from verify.ended as ended
join verify.asked as asked on asked.job_id = ended.job_id and asked.created
where ended.state = 'succeeded' and asked.kind = '{}' order by 1 limit 1
"""
PLAIN_KEYS = "from verify.asked where unique_key is not null and unique_for is null and not until_start"
EFFECT = OF_KIND.format("effect")
FOLLOWED = "select parent from verify.brought where how = 'on_end' order by 1 limit 1"
TICK = "select job_id from pgqueue.ticks where schedule = 'sample'"


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What is done, to which job, how (statements with the job's id as %(job)s), and which rules must find it."""

    name: str
    victim: str
    statements: tuple[str, ...]
    rules: frozenset[str]


def _sabotage(name: str, victim: str, rules: str, *statements: str) -> Sabotage:
    return Sabotage(name, victim, statements, frozenset(rules.split()))


IN_LANE = """
select job_id from verify.moves where limit_key = 'lane sample' and what = 'claimed' order by seq desc limit 1
"""
OF_KEY = "select job_id from verify.moves where limit_key = '{} sample'"

SABOTAGES = (
    _sabotage(
        "a job deleted", OF_KIND.format("plain"), "lost", "delete from pgqueue.attempts where job_id = %(job)s"
    ),
    _sabotage(
        "a job kept although its enqueue was rolled back", ANY, "phantom",
        "insert into verify.told values (%(job)s, false)",
    ),
    _sabotage(
        "a job that nobody asked for", ANY, "phantom",
        "delete from verify.asked where job_id = %(job)s",
    ),
    _sabotage(
        "an ended job reopened", ANY, "twice",
        # It would refuse to be lied to.
        "alter table pgqueue.jobs disable trigger user",
        "insert into pgqueue.jobs (id, target, claim) values (%(job)s, 'pgqueue.verify.tasks:plain', 1)",
    ),
    _sabotage(
        "a job left running", OF_KIND.format("plain"), "unended",
        "alter table pgqueue.jobs disable trigger user",
        "delete from pgqueue.attempts where job_id = %(job)s",
        "insert into pgqueue.jobs (id, target, claim, attempt, worker, started_at)"
        " values (%(job)s, 'pgqueue.verify.tasks:plain', 1, 1, 1, now())",
    ),
    _sabotage(
        "a job ended by a worker that had not run it", ANY, "foreign",
        "update pgqueue.attempts set worker = worker - 1 where job_id = %(job)s",
    ),
    _sabotage(
        "a job settled as succeeded while it ran", ANY, "foreign",
        "delete from verify.ends where job_id = %(job)s and what = 'returned'",
    ),
    _sabotage(
        "an effect doubled", EFFECT, "doubled",
        "insert into verify.effects select job_id, claim from verify.effects where job_id = %(job)s",
    ),
    _sabotage("an effect missing", EFFECT, "missing", "delete from verify.effects where job_id = %(job)s"),
    _sabotage(
        "a result missing", OF_KIND.format("answers"), "missing",
        "delete from pgqueue.results where job_id = %(job)s",
    ),
    _sabotage(
        "a job that was gathered missing", OF_KIND.format("brings"), "missing",
        "update verify.asked set parent = null"
        " where job_id = (select job_id from verify.brought where parent = %(job)s limit 1)",
    ),
    _sabotage(
        "an end followed twice", FOLLOWED, "followed",
        "insert into verify.brought select job_id, parent, how from verify.brought"
        " where parent = %(job)s and how = 'on_end'",
    ),
    _sabotage(
        "an end not followed", FOLLOWED, "followed",
        "delete from verify.brought where parent = %(job)s and how = 'on_end'",
    ),
    _sabotage(
        "something done twice", OF_KIND.format("sends"), "effect",
        "insert into verify.sent values ('twice', %(job)s, 1), ('twice', %(job)s, 2)",
    ),
    _sabotage(
        "something told as done that was not", OF_KIND.format("sends_along"), "effect",
        "insert into verify.told_of values ('nothing', %(job)s, 'done')",
    ),
    _sabotage(
        "a callback that did not wait", "select member from verify.joins order by 1 limit 1", "joined",
        "insert into verify.joins select parent, member, callback from verify.joins where member = %(job)s",
    ),
    _sabotage(
        "a step done twice", OF_KIND.format("lasts"), "step",
        "insert into verify.units select job_id, unit, claim from verify.units where job_id = %(job)s and unit = 1",
    ),
    _sabotage(
        "a step missing", OF_KIND.format("lasts"), "step",
        "delete from verify.units where job_id = %(job)s and unit = 1",
    ),
    _sabotage(
        "an effect of an attempt that did not succeed", EFFECT, "stray",
        "update verify.effects set claim = claim + 1 where job_id = %(job)s",
    ),
    _sabotage(
        "a delayed job started early",
        "select job_id from verify.asked where parent is null order by not_before desc limit 1", "early",
        "update verify.starts set at = run_at - interval '0.4 s' where job_id = %(job)s and claim = 1",
    ),
    _sabotage(
        "a retry started early", OF_KIND.format("fails"), "early",
        "update verify.starts as start set run_at = first.at, at = first.at + interval '0.1 s'"
        " from verify.ends as first where first.job_id = start.job_id and first.claim = 1"
        " and start.job_id = %(job)s and start.claim = 2",
    ),
    _sabotage(
        "a job that runs at most once begun again", OF_KIND.format("once"), "once",
        "insert into verify.starts select job_id, 0, worker, 0, run_at, at, pid from verify.starts"
        " where job_id = %(job)s",
        "insert into pgqueue.attempts (job_id, claim, worker, attempt, outcome, queue, target)"
        " select job_id, 0, worker, 0, 'failed', queue, target from pgqueue.attempts where job_id = %(job)s",
    ),
    _sabotage(
        "two attempts at once", OF_KIND.format("fails"), "overlap",
        "update verify.ends as first set at = second.at + interval '1 ms', wait = null"
        " from verify.starts as second where second.job_id = first.job_id and second.claim = 2"
        " and first.job_id = %(job)s and first.claim = 1",
    ),
    _sabotage(
        "a lease extended after it had expired", "select null::uuid", "lease",
        "insert into verify.leases (worker, change, before, expires_at)"
        " select 1, 'UPDATE', now() - interval '1 s', now() + lease from verify.run",
    ),
    _sabotage(
        "a job taken from a lease that had not expired", OF_KIND.format("fails"), "lease",
        "update pgqueue.attempts set outcome = 'lost' where job_id = %(job)s and claim = 1",
        "insert into verify.leases (worker, change, expires_at, at)"
        " select first.worker, 'UPDATE', now() + interval '1 h', second.at"
        " from verify.starts as first, verify.starts as second"
        " where first.job_id = %(job)s and first.claim = 1 and second.job_id = %(job)s and second.claim = 2",
    ),
    _sabotage(
        "an attempt after the end", ANY, "after_end",
        "insert into verify.starts (job_id, claim, worker, attempt, run_at)"
        " values (%(job)s, 9, 1, 9, now() - interval '1 h')",
    ),
    _sabotage(
        "a claim begun twice", ANY, "numbering",
        "insert into verify.starts select * from verify.starts where job_id = %(job)s",
    ),
    _sabotage(
        "an attempt number given twice", OF_KIND.format("retries"), "numbering",
        "update pgqueue.attempts set attempt = 2 where job_id = %(job)s",
    ),
    _sabotage(
        "an attempt left out of the history", OF_KIND.format("retries"), "numbering",
        "delete from pgqueue.attempts where job_id = %(job)s and claim = 1",
    ),
    _sabotage(
        "a job cancelled by nobody", OF_KIND.format("plain"), "outcome",
        "update pgqueue.attempts set outcome = 'cancelled' where job_id = %(job)s",
    ),
    _sabotage(
        "a unique key that two had at once", f"select max(job_id::text)::uuid {PLAIN_KEYS}", "unique",
        f"update verify.asked set unique_key = 'sample' where job_id in (select job_id {PLAIN_KEYS})",
        "update pgqueue.attempts set finished_at = finished_at + interval '1 h'"
        f" where job_id in (select job_id {PLAIN_KEYS})",
    ),
    _sabotage(
        "a window in which two jobs were made",
        "select max(job_id::text)::uuid from verify.asked where unique_for is not null", "unique window",
        "update verify.asked set unique_key = 'sample' where unique_for is not null",
    ),
    _sabotage(
        "a key until the start that two had, waiting at once",
        "select max(job_id::text)::uuid from verify.asked where until_start", "start",
        "update verify.asked set unique_key = 'sample' where until_start",
        "update verify.claims set at = at + interval '1 h'",
        "update pgqueue.attempts set finished_at = finished_at + interval '1 h'"
        " where job_id in (select job_id from verify.claims)",
    ),
    _sabotage(
        "a request for a job that had begun", "select max(job_id::text)::uuid from verify.asked where until_start",
        "start",
        "insert into verify.asked (job_id, created, kind, fails, unique_key, until_start, has_ttl, not_before)"
        " select job_id, false, kind, fails, unique_key, true, has_ttl, not_before from verify.asked"
        " where job_id = %(job)s",
    ),
    _sabotage(
        "a job of a tick that is not known", OF_KIND.format("plain"), "ticks",
        """update pgqueue.attempts set labels = '{"schedule": "sample"}' where job_id = %(job)s""",
    ),
    _sabotage(
        "a job of a tick deleted", TICK, "lost ticks", "delete from pgqueue.attempts where job_id = %(job)s"
    ),
    _sabotage(
        "a tick fired early", TICK, "ticks",
        "update pgqueue.ticks set scheduled_for = decided_at + interval '1 s' where job_id = %(job)s",
    ),
    _sabotage(
        "a tick left out", "select null::uuid", "ticks",
        "insert into pgqueue.ticks (schedule, scheduled_for, why)"
        " select name, now() - n * interval '1 h', 'skipped' from pgqueue.schedules, unnest('{5,3}'::int[]) as n"
        " where name = 'sample'",
    ),
    _sabotage(
        "a job claimed when its limit was reached", OF_KEY.format("share"), "limit",
        "insert into verify.moves (seq, at, what, job_id, claim, ran, queue, target, limit_key, priority, run_at)"
        " select 0, at, what, gen_random_uuid(), 1, false, queue, 'another', limit_key, priority, run_at"
        " from verify.moves, generate_series(1, 2) where job_id = %(job)s and what = 'claimed'",
    ),
    _sabotage(
        "a start too many for its rate", OF_KEY.format("rate"), "rate",
        "insert into verify.moves (at, what, job_id, claim, ran, queue, target, limit_key, priority, run_at)"
        " select at - interval '1 s', what, gen_random_uuid(), 1, false, queue, 'another', limit_key, priority, run_at"
        " from verify.moves, generate_series(1, 3) where job_id = %(job)s and what = 'claimed'",
    ),
    _sabotage(
        "a share left behind", OF_KEY.format("share"), "share",
        "insert into pgqueue.holds (name, seq, job_id, worker) values ('k:share sample', 1, %(job)s, 1)",
    ),
    _sabotage(
        "two of one lane at once", IN_LANE, "lane",
        "update verify.ends set at = at + interval '1 h' where job_id = ("
        " select job_id from verify.moves where limit_key = 'lane sample' and what = 'claimed' order by seq limit 1)",
    ),
    _sabotage(
        "a later one of a lane before an earlier", IN_LANE, "lane",
        "update verify.moves set seq = seq + case when what = 'there' then 0 else 1000000 end,"
        " at = at + case when what = 'there' then interval '-1 h' else '0' end"
        " where job_id = (select job_id from verify.moves where limit_key = 'lane sample' and what = 'claimed'"
        " order by seq limit 1)",
    ),
)  # fmt: skip


def prove(conn: Conn) -> list[str]:
    """What the checker missed, or found where it was not, one line each; empty if it can be trusted."""
    return [fault for sabotage in SABOTAGES for fault in _prove(conn, sabotage)]


def _prove(conn: Conn, sabotage: Sabotage) -> list[str]:
    with conn.transaction(force_rollback=True):
        row = conn.execute(sabotage.victim.encode()).fetchone()
        if row is None:
            return [f"{sabotage.name}: the run has no job to try it on"]
        victim: UUID | None = row[0]
        for statement in sabotage.statements:
            if conn.execute(statement.encode(), {"job": victim}).rowcount == 0:
                return [f"{sabotage.name}: it could not be done to job {victim}"]
        found = {(violation.rule, violation.job_id) for violation in check(conn)}
    expected = {(rule, victim) for rule in sabotage.rules}
    faults = [f"{sabotage.name}: missed by rule {rule!r}, job {job_id}" for rule, job_id in expected - found]
    return faults + [f"{sabotage.name}: taken for {rule!r}, job {job_id}" for rule, job_id in found - expected]
