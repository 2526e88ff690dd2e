-- What follows jobs that have just ended, enqueued in the transaction of their ends. Each is an object of _ended: `id`,
-- `target` (the first, of one that fell back), its own `follow_ups`, `state` (succeeded, dead, cancelled), `reason`,
-- `error_type`, `error`, `headers`.
-- Those of its task are in `follow_ups` (declare_follow_ups.sql). Each waits for one end ("on"): succeeded, dead, or
-- `end`, which is any. The ended job is told to them as the argument `ended`; `{job_id}` in a unique key is its id.
-- One is a signal to whoever waits for the end of this job (signal_end.sql), or tells of that of a durable function
-- (end_durable.sql). What is refused refuses nothing (bring.sql). O(follow-ups log n).
create or replace function pgqueue.follow_up(_ended json) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _one record;
  _next record;
  _told text;
  _args text;
begin
  for _one in
    select told.*, f.said
    from json_to_recordset(_ended) as told (
      id uuid, target text, follow_ups json, state text, reason text, error_type text, error text, headers json)
    left join lateral (
      select each.said from pgqueue.follow_ups as each where each.target = told.target offset 0) as f on true
    order by told.id
  loop
    _told := null;
    for _next in
      select each.value as new, each.value ->> 'on' as awaited
      from (
        select own.value from json_array_elements(coalesce(_one.follow_ups, '[]')) as own (value)
        union all
        select task.value from json_array_elements(coalesce(_one.said -> 'follow_ups', '[]')) as task (value)
      ) as each
      where each.value ->> 'on' in (_one.state, 'end')
    loop
      if _next.new -> 'signal' is not null then
        perform pgqueue.signal_end(
          _one.id, (_next.new ->> 'signal')::uuid, _one.state, _one.reason, _one.error_type, _one.error);
        continue;
      elsif _next.new -> 'durable' is not null then
        perform pgqueue.end_durable(_one.id, _one.state, _one.target, _next.new -> 'durable', _one.headers);
        continue;
      end if;
      _told := coalesce(_told, json_build_object(
        'id', _one.id, 'target', _one.target, 'state', _one.state, 'reason', _one.reason,
        'error_type', _one.error_type, 'error', _one.error,
        'result', case when _one.state = 'succeeded' then (
          select stored.result from pgqueue.results as stored
          where stored.job_id = _one.id and stored.expires_at > now()) end)::text);
      -- As texts: what they say stays as it was written.
      _args := btrim(coalesce(_next.new ->> 'args', '{}'), E' \t\n\r');
      _args := '{"ended":' || _told || case when _args ~ '^\{\s*\}$' then '}' else ',' || substr(_args, 2) end;
      perform pgqueue.bring(
        _one.id,
        (select json_object_agg(field.key, case field.key
                  when 'args' then _args::json
                  when 'unique_key' then to_json(replace(field.value #>> '{}', '{job_id}', _one.id::text))
                  else field.value end)
         from (
           select each.key, each.value from json_each(_next.new) as each where each.key not in ('on', 'id', 'args')
           union all select 'args', null
           union all select 'headers', _one.headers where _one.headers is not null and _next.new -> 'headers' is null
         ) as field),
        'on_' || case _next.awaited when 'succeeded' then 'success' when 'dead' then 'failure' else 'end' end,
        coalesce((_one.said ->> 'max_depth')::int, 32), coalesce((_one.said ->> 'max_children')::int, 10000));
    end loop;
  end loop;
end $$;
