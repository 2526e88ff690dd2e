-- A share of a limit key for code outside of jobs, as long as _lease seconds, unless it is given back before
-- (let_go_of.sql); at its rate, as _cost starts. Answers its number; or null and when to ask again, if that is known.
-- Waits for nobody: where another has the limit in hand, it is to be asked again at once. A key without a rule is free:
-- number 0, and nothing is written. Only under READ COMMITTED, as claim_keyed. Commit before the work begins: until
-- then nobody else gets a share of this key.
-- Walks limits_pkey, holds_pkey, meters_pkey; O(length log n + shares).
create or replace function pgqueue.hold(
  _key text, _lease float8 default 60, _cost int default 1, out seq bigint, out again_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _rule pgqueue.limits;
  _name constant text := 'k:' || _key;
  _room int;
  _again timestamptz;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'shares of limits are taken under READ COMMITTED, not %', current_setting('transaction_isolation')
      using errcode = 'feature_not_supported', hint = 'take it on a connection of its own';
  end if;
  select * into _rule from pgqueue.rule_of_key(_key);
  if _rule.concurrency is null and _rule.starts is null then
    seq := 0;
    return;
  end if;
  if not _rule.adopted then
    -- Whatever worker meets the rule does this, too.
    perform pgqueue.adopt_limits();
    select * into _rule from pgqueue.rule_of_key(_key);
    if not _rule.adopted then
      again_at := clock_timestamp() + interval '20 milliseconds';
      return;
    end if;
  end if;
  if not pg_try_advisory_xact_lock(7710, hashtext(_name)) then
    again_at := clock_timestamp();
    return;
  end if;
  if _rule.concurrency is not null then
    delete from pgqueue.holds as h where h.name = _name and h.expires_at <= clock_timestamp();
    if pgqueue.held(_name, _rule.concurrency) >= _rule.concurrency then
      again_at := (select min(h.expires_at) from pgqueue.holds as h where h.name = _name);
      return;
    end if;
  end if;
  if _rule.starts is not null then
    _cost := least(greatest(_cost, 1), coalesce(_rule.burst, _rule.starts));
    select m.room, m.again_at into _room, _again
    from pgqueue.meter_room(_name, _rule.starts, _rule.period, _rule.burst) as m;
    if _room < _cost then
      again_at := coalesce(_again, clock_timestamp() + make_interval(secs => _rule.period / 40));
      return;
    end if;
    perform pgqueue.meter_charge(_name, _rule.period, _cost, clock_timestamp());
  end if;
  seq := nextval('pgqueue.hold_numbers');
  if _rule.concurrency is not null then
    insert into pgqueue.holds (name, seq, expires_at)
    values (_name, hold.seq, clock_timestamp() + make_interval(secs => _lease));
  end if;
end $$;
