-- What workers have told of themselves within the last minute: how many of their slots are busy, whether they hear of
-- new jobs, and which job runs for longest. No row for one that told nothing, or nothing that makes sense.
-- Walks worker_reports_pkey; O(workers).
create or replace function pgqueue.reported(_workers bigint[])
returns table (worker bigint, at timestamptz, busy int, listening boolean, longest uuid, seconds float8)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select told.id, told.at, (told.report ->> 'busy')::int,
         case told.report ->> 'listening' when 'true' then true when 'false' then false end,
         job.id, job.seconds
  from (
    select r.id, r.at, r.report from pgqueue.worker_reports as r
    where r.id = any (_workers) and r.at > clock_timestamp() - interval '1 minute'
      and pg_column_size(r.report) <= 20000 and json_typeof(r.report) = 'object'
    offset 0) as told
  left join lateral (
    select (each.said ->> 0)::uuid as id, (each.said ->> 2)::float8 as seconds
    from json_array_elements(case when json_typeof(told.report -> 'running') = 'array' then told.report -> 'running'
                                  else '[]' end) as each (said)
    where case when json_typeof(each.said) = 'array'
               then each.said ->> 0 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and each.said ->> 2 ~ '^\d{1,9}(\.\d{1,9})?$' end
    order by 2 desc
    limit 1) as job on true
  where told.report ->> 'busy' ~ '^\d{1,6}$';
end $$;
