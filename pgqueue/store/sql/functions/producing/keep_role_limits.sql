-- Jobs come, or steps of a workflow that wait for others: they are refused where a limit of the role that brings them says
-- so. Called once a statement by the triggers jobs_role_limits and waiting_role_limits, which are there while any role has
-- a limit. With the rights of its owner: a producer may not read the limits.
-- The rate comes last, so that what is refused for something else has used up none of it.
-- O(jobs of the statement + limits), and what refuse_queues.sql and refuse_full.sql say.
create or replace function pgqueue.keep_role_limits() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _role constant text := pgqueue.acting_role();
  _rule pgqueue.role_limits;
  _count bigint;
  _size bigint;
  _queues text[];
  _jobs bigint[];
begin
  for _rule in
    select l.* from pgqueue.role_limits as l
    where l.role in ('*', _role) or pgqueue.is_limited_by(_role, l.role)
  loop
    if _count is null then
      select count(*) into _count from new_jobs;
      exit when _count = 0;
    end if;
    if _rule.max_args is not null then
      select max(pgqueue.said_by_job(came.args, came.labels, came.headers, came.follow_ups)) into _size
      from new_jobs as came;
      if _size > _rule.max_args then
        perform pgqueue.refuse_large(_rule, _size);
      end if;
    end if;
    if (_rule.max_queues is not null or _rule.max_size is not null) and tg_table_name = 'jobs' then
      select array_agg(each.queue), array_agg(each.jobs) into _queues, _jobs
      from (select came.queue, count(*) as jobs from new_jobs as came group by came.queue) as each;
      if _rule.max_queues is not null then
        perform pgqueue.refuse_queues(_rule, _queues, _jobs);
      end if;
      if _rule.max_size is not null then
        perform pgqueue.refuse_full(_rule, _queues);
      end if;
    end if;
    if _rule.jobs is not null then
      perform pgqueue.take_rate(_rule, _count);
    end if;
  end loop;
  return null;
end $$;
