-- What a producer may not enqueue so, and what to do; null if there is nothing. The rules of pgqueue.enqueue(), which an
-- insert of one's own does not pass, for the job and for what follows it. O(follow-ups).
create or replace function pgqueue.fault_in_new(
  _target text, _queue text, _args json, _limit_key text, _cost int, _labels jsonb, _follow_ups json)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _fault text[] := pgqueue.fault_in_options(
    _target, _args, _queue, null, null, null, null, null, null, null, _limit_key, _cost, _labels);
  _next record;
begin
  if _fault is not null or _follow_ups is null then
    return _fault;
  end if;
  if json_typeof(_follow_ups) <> 'array' then
    return array['follow_ups must be a JSON array, got ' || left(_follow_ups::text, 80), 'leave it out'];
  end if;
  for _next in
    select new.target, new.queue, coalesce(new.args, '{}') as args, new.limit_key, new.cost, new.labels, new.follow_ups
    from json_to_recordset(_follow_ups) as new (
      target text, queue text, args json, limit_key text, cost int, labels jsonb, follow_ups json)
  loop
    _fault := pgqueue.fault_in_new(
      _next.target, _next.queue, _next.args, _next.limit_key, _next.cost, _next.labels, _next.follow_ups);
    exit when _fault is not null;
  end loop;
  return _fault;
end $$;
