-- The public way in for SQL for a job that says more of its unique key: until when it is taken, and what becomes of
-- a call that meets it taken. Enqueues one job in the transaction that is open; answers the id of the job that has the
-- key, whether this call created it, and whether that job waited and now says what this call does.
-- select * from pgqueue.enqueue_unique('shop.tasks:index', '[7]', unique_key => 'index:7', unique_until => 'start');
-- Without a unique_key the target and its arguments are the key (args_key.sql). O(log n): enqueue_keyed.sql.
create or replace function pgqueue.enqueue_unique(
  target text, args json default '{}', unique_key text default null, unique_until text default 'end',
  unique_for interval default null, on_conflict text default 'keep', max_wait interval default null,
  queue text default null, priority int default null, delay interval default null, run_at timestamptz default null,
  ttl interval default null, timeout interval default null, max_attempts int default null, limit_key text default null,
  store_result boolean default null, labels jsonb default null, job_id uuid default null,
  cost int default null,
  out id uuid, out created boolean, out replaced boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  fault constant text[] := coalesce(
    pgqueue.fault_in_options(
      target, args, queue, priority, delay, run_at, ttl, timeout, max_attempts, unique_key, limit_key, cost,
      labels),
    case
      when unique_until is null or unique_until not in ('end', 'start') then array[
        'unique_until must be end or start, got ' || coalesce(quote_literal(left(unique_until, 80)), 'null'),
        'leave it out for end']
      when on_conflict is null or on_conflict not in ('keep', 'replace', 'raise') then array[
        'on_conflict must be keep, replace or raise, got ' || coalesce(quote_literal(left(on_conflict, 80)), 'null'),
        'leave it out for keep']
      when unique_for <= '0' or unique_for > '100 years' then array[
        'unique_for must be more than 0 and at most 100 years, got ' || unique_for, 'leave it out for no window']
      when max_wait not between '0' and '100 years' then array[
        'max_wait must be from 0 to 100 years, got ' || max_wait, 'leave it out for one minute']
      when on_conflict = 'replace' and max_wait is null and delay > '1 minute' then array[
        'a delay of ' || delay || ' that each call gives anew needs max_wait',
        'say how long the job may be put off in all; 0 if its run_at is never to move']
    end);
  added record;
begin
  if fault is not null then
    raise exception '%', fault[1] using errcode = 'invalid_parameter_value', hint = fault[2];
  end if;
  select * into added
  from pgqueue.enqueue_keyed(
    coalesce(job_id, pgqueue.uuid7()), job_id is not null, target, args, queue, priority::smallint, delay, run_at, ttl,
    extract(epoch from timeout)::float8, max_attempts::smallint, coalesce(unique_key, pgqueue.args_key(target, args)),
    limit_key, store_result, labels, unique_until = 'start', unique_for, on_conflict, max_wait, cost,
    null);
  id := added.id;
  created := added.created;
  replaced := added.replaced;
end $$;
