-- Shares for running jobs that have none of a limit that they are under: as for a job that was claimed by hand, or
-- before its limit came. They may exceed the limit; what comes after counts them. Answers how many shares there were.
-- Walks jobs_pkey, holds_pkey, limits_pkey; O(batch log n).
create or replace function pgqueue.account(_ids uuid[]) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
as $$
declare
  _seq bigint;
  _job record;
  _names text[];
  _count int;
  _sum int := 0;
begin
  for _job in
    select job.ctid, job.id, job.queue, job.target, job.limit_key, job.hold, job.worker
    from unnest(_ids) as named (id)
    cross join lateral (
      select j.ctid, j.* from pgqueue.jobs as j
      where j.id = named.id and j.worker >= 0
      for no key update skip locked) as job
  loop
    _names := array(
      select rule.name
      from (
        select 'k:' || _job.limit_key as name
        from pgqueue.rule_of_key(_job.limit_key) as k where k.concurrency is not null
        union all
        select 't:' || l.name from pgqueue.limits as l
        where l.scope = 'task' and l.name = _job.target and l.concurrency is not null
        union all
        select 'q:' || l.name from pgqueue.limits as l
        where l.scope = 'queue' and l.name = _job.queue and l.concurrency is not null) as rule
      where not exists (
        select from pgqueue.holds as h where h.name = rule.name and h.seq = _job.hold and h.job_id = _job.id));
    continue when _names = '{}';
    _seq := coalesce(_job.hold, nextval('pgqueue.hold_numbers'));
    update pgqueue.jobs as job set hold = _seq where job.ctid = _job.ctid and job.hold is null;
    insert into pgqueue.holds (name, seq, job_id, worker)
    select missing.name, _seq, _job.id, _job.worker from unnest(_names) as missing (name)
    on conflict do nothing;
    get diagnostics _count = row_count;
    _sum := _sum + _count;
  end loop;
  return _sum;
end $$;
