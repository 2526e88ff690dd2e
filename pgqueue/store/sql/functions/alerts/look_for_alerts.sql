-- One look at whether people are to be told of something: by whichever worker comes first, at most every 10 s. Answers
-- how many messages it made; null if somebody has just looked, or does; -1, and nothing is looked at, if nobody is to be
-- told. The duty is a row of ours: nobody can hold it up who may not write here.
-- Costs a probe of alert_channels where there is none; else what find_alerts() and tell_alerts() cost.
create or replace function pgqueue.look_for_alerts(_now timestamptz default clock_timestamp()) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  _before timestamptz;
  _every float8;
  _made int;
begin
  if not exists (select from pgqueue.alert_channels) then
    return -1;
  end if;
  select duty.done_at into _before from pgqueue.duties as duty
  where duty.name = 'alerts' and duty.done_at <= _now - interval '10 seconds' for update skip locked;
  if not found then
    return null;
  end if;
  perform pgqueue.find_alerts(_now);
  -- What happens, and does not last, is over when it has not happened for a while.
  update pgqueue.alerts as a
  set well = a.well + 1, bad = 0
  where a.state <> 'well'
    and a.last_at < _now - case a.kind when 'worker_lost' then interval '10 minutes'
                                       when 'doctor' then make_interval(secs => 2.5 * coalesce(pgqueue.alert_bound('doctor'), 0))
                                       else interval '0' end;
  _made := pgqueue.tell_alerts(_now);
  _every := pgqueue.alert_bound('doctor');
  if _every is not null then
    update pgqueue.duties as duty set done_at = _now
    where duty.name = 'doctor' and duty.done_at <= _now - make_interval(secs => greatest(_every, 60));
    if found then
      perform pgqueue.enqueue(
        target => 'pgqueue.alerts:examine', queue => 'pgqueue.alerts', timeout => interval '5 minutes', max_attempts => 1,
        unique_key => 'pgqueue.alerts examine');
    end if;
  end if;
  if date_trunc('hour', _now) > _before then
    perform pgqueue.forget_alerts(_now - interval '30 days', 1000);
  end if;
  update pgqueue.duties as duty set done_at = _now where duty.name = 'alerts';
  return _made;
end $$;
