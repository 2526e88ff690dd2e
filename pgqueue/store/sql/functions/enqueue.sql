-- The public way in for SQL: enqueue one job in the transaction that is open, answer its id.
-- select pgqueue.enqueue('shop.tasks:send_receipt', '{"order_id": 42}', queue => 'mail', delay => '1 hour');
-- An existing job with the same unique_key (live) or job_id (any state) is answered instead of a second one. O(log n).
create or replace function pgqueue.enqueue(
  target text, args json default '{}', queue text default null, priority int default null,
  delay interval default null, run_at timestamptz default null, ttl interval default null,
  timeout interval default null, max_attempts int default null, unique_key text default null,
  limit_key text default null, store_result boolean default null, labels jsonb default null,
  job_id uuid default null)
returns uuid
language plpgsql
as $$
#variable_conflict use_variable
begin
  -- Without a backslash: what that means depends on standard_conforming_strings.
  if target is null or target !~ '^[^[:space:]:]+:[^[:space:]:]+$' then
    raise exception 'target must read ''module:function'', got %', coalesce(quote_literal(target), 'null')
      using errcode = 'invalid_parameter_value', hint = 'for example ''shop.tasks:send_receipt''';
  end if;
  if args is not null and json_typeof(args) not in ('array', 'object') then
    raise exception 'args must be a JSON array (positional) or object (by keyword), got %', args
      using errcode = 'invalid_parameter_value', hint = 'wrap a single argument: [1]';
  end if;
  if delay is not null and run_at is not null then
    raise exception 'give delay or run_at, not both' using errcode = 'invalid_parameter_value';
  end if;
  if priority not between 0 and 9 then
    raise exception 'priority must be from 0 to 9, got %', priority
      using errcode = 'invalid_parameter_value', hint = 'higher runs first, 5 is usual';
  end if;
  return (
    select added.id
    from pgqueue.enqueue_job(
      coalesce(job_id, pgqueue.uuid7()), job_id is not null, target, args, queue, priority::smallint, delay, run_at,
      ttl, extract(epoch from timeout)::float8, max_attempts::smallint, unique_key, limit_key, store_result,
      labels) as added);
end $$;
