-- The public way to a schedule for SQL: enqueue a job again and again, by a cron rule or every so often, from the commit
-- of the open transaction on. One of the same name is replaced. True if it is new.
-- select pgqueue.schedule('nightly', 'shop.tasks:report', '{"days": 1}', cron => '0 3 * * *', timezone => 'Europe/Oslo');
-- A rule that no worker can read never fires; `fault` in pgqueue.schedules says why. O(log n).
create or replace function pgqueue.schedule(
  name text, target text, args json default '{}', cron text default null, every interval default null,
  timezone text default null, jitter interval default null, catch_up text default null, cap int default null,
  grace interval default null, overlap text default null, queue text default null, priority int default null,
  ttl interval default null, timeout interval default null, max_attempts int default null,
  unique_key text default null, unique_until text default null, unique_for interval default null,
  on_conflict text default null, max_wait interval default null, limit_key text default null,
  store_result boolean default null, labels jsonb default null, cost int default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  -- What is wrong, then what to do, as in enqueue.sql.
  fault constant text[] := case
    when name is null or length(name) not between 1 and 500 then array[
      'name must have 1 to 500 characters, got ' || coalesce(length(name)::text, 'null'), 'for example ''nightly''']
    when target is null or target !~ '^[^[:space:]:]+:[^[:space:]:]+$' or length(target) > 500 then array[
      'target must read ''module:function'', got ' || coalesce(quote_literal(left(target, 80)), 'null'),
      'for example ''shop.tasks:report''']
    when json_typeof(args) not in ('array', 'object') then array[
      'args must be a JSON array (positional) or object (by keyword), got ' || left(args::text, 80),
      'wrap a single argument: [1]']
    when (cron is null) = (every is null) then array[
      'a schedule has cron or every, and not both', 'for example cron => ''0 9 * * mon-fri''']
    when every < '1 second' then array['every must be 1 second or more, got ' || every, 'for example ''5 minutes''']
    when cron is not null and cron !~ '^ *(@[a-z]+|[^ ]+( +[^ ]+){4,5}) *$' then array[
      'cron has 5 fields, or 6 with seconds behind them, got ' || quote_literal(left(cron, 80)),
      'for example ''0 9 * * mon-fri''']
    when every is not null and timezone is not null then array[
      'every counts elapsed time, so timezone has no use', 'leave it out, or say cron']
    when timezone is not null and not exists (select from pg_timezone_names as zone where zone.name = timezone)
      then array['timezone knows no ' || quote_literal(left(timezone, 80)), coalesce(
        'did you mean ' || (
          select min(zone.name) from pg_timezone_names as zone
          where lower(zone.name) = lower(timezone) or zone.name ilike '%/' || replace(timezone, ' ', '_')) || '?',
        'write one such as Europe/Oslo')]
    when jitter < '0' then array['jitter must be 0 or more, got ' || jitter, 'leave it out for none']
    when catch_up not in ('skip', 'last', 'all') then array[
      'catch_up must be skip, last or all, got ' || quote_literal(catch_up), 'last is usual']
    when cap not between 1 and 500 then array['cap must be from 1 to 500, got ' || cap, 'leave it out for 100']
    when grace <= '0' then array['grace must be more than 0, got ' || grace, 'leave it out for a minute']
    when overlap not in ('allow', 'skip') then array[
      'overlap must be allow or skip, got ' || quote_literal(overlap), 'allow is usual']
    when length(queue) not between 1 and 500 then array[
      'queue must have 1 to 500 characters, got ' || length(queue), 'leave it out for the queue default']
    when priority not between 0 and 9 then array[
      'priority must be from 0 to 9, got ' || priority, 'higher runs first, 5 is usual']
    when ttl <= '0' then array['ttl must be more than 0, got ' || ttl, 'leave it out to start at any time']
    when timeout <= '0' then array['timeout must be more than 0, got ' || timeout, 'leave it out for what the task says']
    when max_attempts not between 1 and 32767 then array[
      'max_attempts must be from 1 to 32767, got ' || max_attempts, 'leave it out for what the task says']
    when length(unique_key) not between 1 and 500 or length(limit_key) not between 1 and 500 then array[
      'a key must have 1 to 500 characters', 'null is no key']
    when unique_until not in ('end', 'start') then array[
      'unique_until must be end or start, got ' || quote_literal(left(unique_until, 80)), 'leave it out for end']
    when on_conflict not in ('keep', 'replace') then array[
      'on_conflict must be keep or replace, got ' || quote_literal(left(on_conflict, 80)),
      'a tick has nobody to raise to; leave it out for keep']
    when unique_for <= '0' or unique_for > '100 years' then array[
      'unique_for must be more than 0 and at most 100 years, got ' || unique_for, 'leave it out for no window']
    when max_wait not between '0' and '100 years' then array[
      'max_wait must be from 0 to 100 years, got ' || max_wait, 'leave it out for one minute']
    when cost not between 1 and 1000000000 then array[
      'cost must be from 1 to 1000000000, got ' || cost, 'leave it out for 1']
    when jsonb_typeof(labels) <> 'object' or jsonb_path_exists(labels, '$.* ? (@.type() != "string")') then array[
      'labels must be a JSON object of texts, got ' || left(labels::text, 80), 'for example {"order": "42"}']
  end;
  -- As in enqueue_unique.sql: made of target and arguments where more is said of it, and not the key itself.
  key text := unique_key;
  is_new boolean;
begin
  if fault is not null then
    raise exception '%', fault[1] using errcode = 'invalid_parameter_value', hint = fault[2];
  end if;
  if coalesce(unique_until, unique_for::text, on_conflict, max_wait::text) is not null then
    key := coalesce(unique_key, pgqueue.args_key(target, args));
  end if;
  is_new := pgqueue.put_schedule(
    json_build_object(
      'name', name, 'target', target, 'args', args, 'cron', cron, 'every', extract(epoch from every),
      'timezone', timezone, 'jitter', extract(epoch from jitter), 'catch_up', catch_up, 'cap', cap,
      'grace', extract(epoch from grace), 'overlap', overlap, 'queue', queue, 'priority', priority,
      'ttl', extract(epoch from ttl), 'timeout', extract(epoch from timeout), 'max_attempts', max_attempts,
      'unique_key', key, 'unique_until', unique_until, 'unique_for', extract(epoch from unique_for),
      'on_conflict', on_conflict, 'max_wait', extract(epoch from max_wait), 'limit_key', limit_key,
      'store_result', store_result, 'labels', labels, 'cost', cost),
    null);
  if is_new is null then
    raise exception 'the schedule % is declared in code', quote_literal(name)
      using errcode = 'invalid_parameter_value', hint = 'change it there, or pause it';
  end if;
  return is_new;
end $$;
