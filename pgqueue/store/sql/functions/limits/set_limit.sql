-- The public way to a limit for SQL: how many jobs of a queue, a task or a limit key may run at once, or start in a time,
-- from the commit of the open transaction on. What is not said stays as it is; 0, and the rate 'none', lift a field.
-- select pgqueue.set_limit('key', 'tenant:*', concurrency => 2, rate => '100/m', burst => 20);
-- True if there was no such limit. One that code has declared is set by hand from now on. O(log n), and what
-- limit_changed.sql says.
create or replace function pgqueue.set_limit(
  scope text, name text, concurrency int default null, rate text default null, burst int default null,
  weight int default null, ordered boolean default null, on_dead text default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  asked constant record := pgqueue.rate_of(nullif(rate, 'none'));
  rule pgqueue.limits;
  is_new boolean;
  -- What is wrong, then what to do, as in enqueue.sql.
  fault text[] := case
    when scope is null or scope not in ('queue', 'task', 'key') then array[
      'scope must be queue, task or key, got ' || coalesce(quote_literal(left(scope, 80)), 'null'),
      'for example pgqueue.set_limit(''key'', ''tenant:*'', concurrency => 2)']
    when name is null or length(name) not between 1 and 500 then array[
      'name must have 1 to 500 characters, got ' || coalesce(length(name)::text, 'null'), 'for example ''tenant:*''']
    when strpos(name, chr(1)) > 0 then array['name must not contain the character 1', 'leave it out']
    when scope = 'task' and name !~ '^[^[:space:]:]+:[^[:space:]:]+$' then array[
      'a task is named by its target ''module:function'', got ' || quote_literal(left(name, 80)),
      'for example ''shop.tasks:send_receipt''']
    when scope <> 'key' and right(name, 1) = '*' then array[
      'only the name of keys may end in *, got the ' || scope || ' ' || quote_literal(left(name, 80)),
      'set a limit for each ' || scope]
    when scope = 'key' and strpos(left(name, -1), '*') > 0 then array[
      'a * may only stand at the end of a name, got ' || quote_literal(left(name, 80)),
      'tenant:* is all keys that begin with tenant:']
    when concurrency not between 0 and 1000000 then array[
      'concurrency must be from 1 to 1000000, got ' || concurrency, '0 lifts it; to start nothing, pause the queue']
    when asked.fault is not null then array[asked.fault, asked.hint]
    when burst not between 0 and 1000000000 then array[
      'burst must be from 1 to 1000000000, got ' || burst, '0 lifts it']
    when weight not between 1 and 100 then array['weight must be from 1 to 100, got ' || weight, '1 is usual']
    when on_dead not in ('go on', 'stop') then array[
      'on_dead must be ''go on'' or ''stop'', got ' || quote_literal(left(on_dead, 80)), '''go on'' is usual']
    when scope <> 'key' and (weight <> 1 or ordered or on_dead = 'stop') then array[
      'weight, ordered and on_dead are of keys, not of a ' || scope, 'leave them out']
  end;
begin
  perform pgqueue.note_act('limits set', name);
  if fault is null then
    -- One at a time: what another sets meanwhile is kept.
    perform pg_advisory_xact_lock(7707, hashtext(scope || ' ' || name));
    select l.* into rule from pgqueue.limits as l where l.scope = scope and l.name = name for update;
    is_new := not found;
    rule.scope := scope;
    rule.name := name;
    rule.concurrency := nullif(coalesce(concurrency, rule.concurrency, case when ordered then 1 end), 0);
    if rate is not null then
      rule.starts := asked.starts;
      rule.period := asked.period;
    end if;
    rule.burst := nullif(coalesce(burst, case when rule.starts is not null then rule.burst end), 0);
    rule.weight := coalesce(weight, rule.weight, 1);
    rule.ordered := coalesce(ordered, rule.ordered, false);
    rule.on_dead := coalesce(on_dead, case when rule.ordered then rule.on_dead end, 'go on');
    rule.source := null;
    fault := pgqueue.fault_in_limit(rule);
  end if;
  if fault is not null then
    raise exception '%', fault[1]
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', table = 'limits', hint = fault[2];
  end if;
  perform pgqueue.write_limit(rule);
  return is_new;
end $$;
