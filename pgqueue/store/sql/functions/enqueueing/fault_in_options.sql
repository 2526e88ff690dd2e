-- What is wrong with the options of a new job, and what to do; null if nothing is. The limits are those of Python's
-- enqueue(). No text has a backslash, because what that means depends on standard_conforming_strings.
-- One expression, which the planner writes into the one that asks: it costs a call nothing. O(1).
create or replace function pgqueue.fault_in_options(
  target text, args json, queue text, priority int, delay interval, run_at timestamptz, ttl interval, timeout interval,
  max_attempts int, unique_key text, limit_key text, cost int, labels jsonb)
returns text[]
language sql
return
  case
    when target is null or target !~ '^[^[:space:]:]+:[^[:space:]:]+$' or length(target) > 500 then array[
      'target must read ''module:function'', got ' || coalesce(quote_literal(left(target, 80)), 'null'),
      'for example ''shop.tasks:send_receipt''']
    when json_typeof(args) not in ('array', 'object') then array[
      'args must be a JSON array (positional) or object (by keyword), got ' || left(args::text, 80),
      'wrap a single argument: [1]']
    when length(queue) not between 1 and 500 then array[
      'queue must have 1 to 500 characters, got ' || length(queue), 'leave it out for the queue default']
    when priority not between 0 and 9 then array[
      'priority must be from 0 to 9, got ' || priority, 'higher runs first, 5 is usual']
    when delay is not null and run_at is not null then array[
      'give delay or run_at, not both', 'delay counts from now']
    when delay not between '0' and '100 years' then array[
      'delay must be from 0 to 100 years, got ' || delay, 'leave it out to run at once']
    when run_at not between '1900-01-01 00:00+00' and '9999-01-01 00:00+00' then array[
      'run_at must be in a year from 1900 to 9998, got ' || run_at, 'leave it out to run at once']
    when ttl <= '0' or ttl > '100 years' then array[
      'ttl must be more than 0 and at most 100 years, got ' || ttl, 'leave it out to start at any time']
    when timeout <= '0' then array[
      'timeout must be more than 0, got ' || timeout, 'leave it out for what the task says']
    when max_attempts not between 1 and 32767 then array[
      'max_attempts must be from 1 to 32767, got ' || max_attempts, 'leave it out for what the task says']
    when length(unique_key) not between 1 and 500 then array[
      'unique_key must have 1 to 500 characters, got ' || length(unique_key), 'null is no key']
    when length(limit_key) not between 1 and 500 then array[
      'limit_key must have 1 to 500 characters, got ' || length(limit_key), 'null is no key']
    when strpos(limit_key, chr(1)) > 0 then array[
      'limit_key must not contain the character U+0001', 'it stands between a key and a task']
    when cost not between 1 and 1000000000 then array[
      'cost must be from 1 to 1000000000, got ' || cost, 'leave it out for 1']
    when jsonb_typeof(labels) <> 'object' or jsonb_path_exists(labels, '$.* ? (@.type() != "string")') then array[
      'labels must be a JSON object of texts, got ' || left(labels::text, 80), 'for example {"order": "42"}']
  end;
