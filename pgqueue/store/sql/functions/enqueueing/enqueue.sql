-- The public way in for SQL: enqueue one job in the transaction that is open, answer its id.
-- select pgqueue.enqueue('shop.tasks:send_receipt', '{"order_id": 42}', queue => 'mail', delay => '1 hour');
-- An existing job with the same unique_key (live) or job_id (any state) is answered instead of a second one. O(log n).
create or replace function pgqueue.enqueue(
  target text, args json default '{}', queue text default null, priority int default null,
  delay interval default null, run_at timestamptz default null, ttl interval default null,
  timeout interval default null, max_attempts int default null, unique_key text default null,
  limit_key text default null, store_result boolean default null, labels jsonb default null,
  job_id uuid default null, cost int default null)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  fault constant text[] := pgqueue.fault_in_options(
    target, args, queue, priority, delay, run_at, ttl, timeout, max_attempts, unique_key, limit_key, cost, labels);
begin
  if fault is not null then
    raise exception '%', fault[1] using errcode = 'invalid_parameter_value', hint = fault[2];
  end if;
  if cost is not null then
    return (
      select added.id
      from pgqueue.enqueue_keyed(
        coalesce(job_id, pgqueue.uuid7()), job_id is not null, target, args, queue, priority::smallint, delay, run_at,
        ttl, extract(epoch from timeout)::float8, max_attempts::smallint, unique_key, limit_key, store_result,
        labels, false, null, null, null, cost, null) as added);
  end if;
  return (
    select added.id
    from pgqueue.enqueue_job(
      coalesce(job_id, pgqueue.uuid7()), job_id is not null, target, args, queue, priority::smallint, delay, run_at,
      ttl, extract(epoch from timeout)::float8, max_attempts::smallint, unique_key, limit_key, store_result,
      labels) as added);
end $$;
