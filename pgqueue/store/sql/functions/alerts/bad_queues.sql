-- Queues, of the first 200, in which a job has been due for too long (stalled), or that no live worker serves which takes
-- any (unserved), as alert_bound() has it; not those that are paused, nor that of our own messages.
-- Walks jobs_claim and jobs_lane, a probe for each priority; reads `workers`. Of lanes the first alone.
create or replace function pgqueue.bad_queues(_now timestamptz)
returns table (kind text, object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _head record;
  _served boolean;
  _bound float8;
begin
  for _head in
    select distinct on (served.queue) served.queue, due.id, due.target, due.run_at
    from (
      select first.queue from pgqueue.first_queues(200) as first (queue)
      union
      -- Which is open stays so, however many others come before it.
      (select a.object from pgqueue.alerts as a
       where a.state <> 'well' and a.kind in ('stalled', 'unserved') order by a.key limit 400)) as served (queue)
    cross join generate_series(0, 9) as slot (priority)
    cross join lateral (
      (select j.id, j.target, j.run_at from pgqueue.jobs as j
       where j.worker is null and j.lane is null and j.queue = served.queue and j.priority = slot.priority
         and j.run_at < _now - interval '1 second'
       order by j.run_at, j.id limit 1)
      union all
      (select j.id, j.target, j.run_at from pgqueue.jobs as j
       where j.worker is null and j.lined and j.queue = served.queue and j.priority = slot.priority
         and j.run_at < _now - interval '1 second'
       order by j.lane, j.run_at, j.id limit 1)) as due
    where served.queue <> 'pgqueue.alerts'
      and not exists (
        select from pgqueue.queues as q where q.name = served.queue and pgqueue.is_paused(q.paused, q.paused_until))
    order by served.queue, due.run_at
  loop
    object := _head.queue;
    n := 0;
    since := _head.run_at;
    facts := jsonb_build_object('target', left(_head.target, 300), 'job', _head.id, 'due', _head.run_at);
    _served := exists (
      select from pgqueue.workers as w
      where w.expires_at > clock_timestamp() and w.asked is null and pgqueue.serves(w.queues, _head.queue));
    if not _served then
      kind := 'unserved';
      _bound := pgqueue.alert_bound(kind, _head.queue);
      if since < _now - make_interval(secs => _bound) then
        facts := facts || jsonb_build_object(
          'workers', (select count(*) from pgqueue.workers as w where w.expires_at > clock_timestamp()));
        return next;
        continue;
      end if;
    end if;
    kind := 'stalled';
    _bound := pgqueue.alert_bound(kind, _head.queue);
    if since < _now - make_interval(secs => _bound) then
      return next;
    end if;
  end loop;
end $$;
