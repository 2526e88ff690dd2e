-- When the next job that is not yet due will be, in these slots; null if none waits.
-- Walks jobs_claim once per slot; O(slots log n).
create or replace function pgqueue.next_due(_queues text[], _priorities smallint[]) returns timestamptz
language sql stable
as $$
  select min(coming.run_at)
  from unnest(_queues, _priorities) as slot (queue, priority)
  cross join lateral (
    select job.run_at
    from pgqueue.jobs as job
    where job.queue = slot.queue and job.priority = slot.priority and job.run_at > now()
    order by job.run_at
    limit 1) as coming
$$;
