-- What a role may enqueue, from the commit of the open transaction on; `*` is every role, besides what holds of it alone.
-- What is not said stays as it is; 0, and the rate 'none', lift a field. True if there was no limit of this role.
-- select pgqueue.set_role_limit('shop_web', rate => '100/s', burst => 200, max_args => 65536);
-- rate: so many jobs in a time, `burst` of them at once (take_rate.sql). max_queues: in how many queues jobs may wait for
-- it to enqueue into another. max_size: how many live jobs a queue may hold that has no size of its own. max_args: how
-- many bytes a job may say. The first limit of all, and each rate, needs the owner of `jobs`; arrange_role_limits.sql
-- says what is locked. O(log n).
create or replace function pgqueue.set_role_limit(
  role text, rate text default null, burst int default null, max_queues int default null, max_size int default null,
  max_args int default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  asked constant record := pgqueue.rate_of(nullif(rate, 'none'));
  rule pgqueue.role_limits;
  is_new boolean;
  -- What is wrong, then what to do, as in enqueue.sql.
  fault text[] := case
    when role is null or length(role) not between 1 and 63 then array[
      'a role has a name of 1 to 63 characters, got ' || coalesce(length(role)::text, 'null'), '''*'' is every role']
    when role <> '*' and not exists (select from pg_roles as r where r.rolname = role) then array[
      'there is no role ' || quote_literal(role), 'create it first; ''*'' is every role']
    when asked.fault is not null then array[asked.fault, asked.hint]
    when role = '*' and asked.starts is not null then array[
      'a rate is of one role: all of them would share it', 'name the role']
    when burst not between 0 and 1000000000 then array['burst must be from 1 to 1000000000, got ' || burst, '0 lifts it']
    when max_queues not between 0 and 1000000 then array[
      'max_queues must be from 1 to 1000000, got ' || max_queues, '0 lifts it']
    when max_size not between 0 and 1000000 then array[
      'max_size of a role must be from 1 to 1000000, got ' || max_size,
      '0 lifts it; for more give the queue a size of its own: pgqueue.set_max_size()']
    when max_args not between 0 and 1073741823 then array[
      'max_args must be from 1 to 1073741823 bytes, got ' || max_args, '0 lifts it']
  end;
begin
  perform pgqueue.note_act('limits role', role);
  if fault is null then
    perform pg_advisory_xact_lock(7715, 1);
    select l.* into rule from pgqueue.role_limits as l where l.role = role;
    is_new := not found;
    if rate is not null then
      rule.jobs := asked.starts;
      rule.period := asked.period;
    end if;
    rule.burst := nullif(coalesce(burst, case when rule.jobs is not null then rule.burst end), 0);
    fault := case
      when rule.burst is not null and rule.jobs is null then array[
        'burst ' || rule.burst || ' has no rate to be of', 'give a rate, too, such as 100/s']
      when coalesce(rule.burst, rule.jobs) * rule.period / rule.jobs > 2678400 then array[
        'a burst of ' || rule.burst || ' would take more than 31 days to come again', 'give less, or a higher rate']
    end;
  end if;
  if fault is not null then
    raise exception '%', fault[1]
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', table = 'role_limits', hint = fault[2];
  end if;
  insert into pgqueue.role_limits as l (role, jobs, period, burst, max_queues, max_size, max_args)
  values (role, rule.jobs, rule.period, rule.burst, nullif(coalesce(max_queues, rule.max_queues), 0),
          nullif(coalesce(max_size, rule.max_size), 0), nullif(coalesce(max_args, rule.max_args), 0))
  on conflict on constraint role_limits_pkey do update
  set jobs = excluded.jobs, period = excluded.period, burst = excluded.burst, max_queues = excluded.max_queues,
      max_size = excluded.max_size, max_args = excluded.max_args, changed_at = now();
  perform pgqueue.arrange_role_limits(role);
  return is_new;
end $$;
