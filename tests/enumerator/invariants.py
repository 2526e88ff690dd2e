"""What must be true whatever happened, at every moment or when all is over: questions whose rows are violations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

_ENDS = """
with ends as (
  select job_id as job, claim, outcome as state from pgqueue.attempts where outcome in ('succeeded', 'cancelled')
  union all select id, claim, 'dead' from pgqueue.dead_jobs
)"""
# Not given back.
_COUNTED = "outcome in ('succeeded', 'failed', 'timeout', 'crashed', 'lost', 'late')"

ALWAYS: Mapping[str, str] = {
    "ended more than once": f"{_ENDS} select job, count(*) || ' ends' from ends group by job having count(*) > 1",
    "has ended and has not": f"{_ENDS} select job, ends.state from ends join pgqueue.jobs as j on j.id = job",
    "ended otherwise than it must": f"""{_ENDS}
        select job, expected, state from orders join ends using (job) where state <> expected""",
    "was enqueued by no committed transaction": """
        with known as (select job from orders union select job_id from pgqueue.lineage)
        select job_id from pgqueue.attempts where job_id not in (select job from known)
        union select id from pgqueue.dead_jobs where id not in (select job from known)
        union select id from pgqueue.jobs where id not in (select job from known)
        union select id from pgqueue.waiting where id not in (select job from known)""",
    "was claimed or started after its end": f"""{_ENDS}
        select job, ends.claim from ends join pgqueue.attempts as a on a.job_id = job and a.claim > ends.claim
        union select job, ends.claim from ends join starts using (job) where starts.claim > ends.claim""",
    "was started twice under one claim": "select job, claim from starts group by 1, 2 having count(*) > 1",
    "has an attempt that was never started": """
        select job_id, claim, outcome, error from pgqueue.attempts
        where outcome in ('succeeded', 'failed') and (job_id, claim) not in (select job, claim from starts)""",
    "was settled by a worker that did not have it": """
        select job, starts.claim, starts.worker as ran, attempt.worker as settled
        from starts join pgqueue.attempts as attempt on attempt.job_id = starts.job and attempt.claim = starts.claim
        where starts.worker <> attempt.worker or starts.attempt <> attempt.attempt""",
    "was started more often than it may": """
        select job, count(*) from starts
        join pgqueue.attempts as a on a.job_id = starts.job and a.claim = starts.claim and a.outcome <> 'released'
        group by job
        having count(*) > (select coalesce(max(coalesce(e.max_attempts, 26)), 26) from (
          select max_attempts from pgqueue.attempts where job_id = job and created_at is not null
          union all select max_attempts from pgqueue.dead_jobs where id = job) as e)""",
    "used an attempt number twice": f"""
        select job_id, target, attempt from pgqueue.attempts where {_COUNTED} group by 1, 2, 3 having count(*) > 1""",
    "has effects more or less than once": """
        select orders.job, count(effects.job) || ' effects' from orders left join effects using (job)
        join pgqueue.job as job on job.id = orders.job
        where job.target in ('tests.enumerator.tasks:write', 'tests.enumerator.tasks:complete_own')
        group by orders.job, job.state having count(effects.job) <> (job.state = 'succeeded')::int""",
    "did a unit more than once": "select job, unit from units group by job, unit having count(*) > 1",
    "passed a unit over": "select job, max(unit) from units group by job having max(unit) + 1 > count(distinct unit)",
    "has another place to go on from than behind its units": """
        select job_id, value, done.units from pgqueue.checkpoints
        left join (select job, count(*) as units from units group by job) as done on done.job = job_id
        where value::text::int is distinct from done.units""",
    "succeeded without all of its units": """
        select id from pgqueue.job
        where target like 'tests.enumerator.tasks:write%units' and state = 'succeeded'
          and (select count(*) from units where units.job = id) <> 3""",
    "": "select what from violations",
}
AT_THE_END: Mapping[str, str] = {
    "has not ended": "select id::text from pgqueue.jobs union select id::text from pgqueue.waiting",
    "has no end": f"""{_ENDS} select job
        from (select job from orders union select job_id from pgqueue.lineage) as known
        where job not in (select job from ends)""",
    "was started, but has no attempt": """
        select job, claim from starts where (job, claim) not in (select job_id, claim from pgqueue.attempts)""",
    "left a share behind": "select job_id, name, seq from pgqueue.holds",
    "is waited for by a human, and has ended": "select job_id from pgqueue.manual_jobs",
    "left a cancellation behind": "select job_id from pgqueue.cancellations",
    "has a worker's row that still lives": "select id from pgqueue.workers where expires_at > clock_timestamp()",
}


def violations_of(conn: psycopg.Connection[Any], *, ended: bool) -> list[str]:
    """What is not as it must be, in words; `ended` says whether all is over."""
    questions = {**ALWAYS, **AT_THE_END} if ended else ALWAYS
    return [
        f"{what}: {', '.join(map(str, row))}".removeprefix(": ")
        for what, question in questions.items()
        for row in conn.execute(question).fetchall()
    ]
