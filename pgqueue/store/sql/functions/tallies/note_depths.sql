-- Once a minute, by whichever worker comes first: how full each queue is, a row each; of more than 200 queues, the
-- fullest 200. A queue that has become empty gets a row that says so. Answers how many rows; null if this minute has
-- them. The duty is a row of ours: nobody can hold it up who may not write here.
-- Costs what queue_depths() costs for 4,000 jobs, and entered() for the last minute.
create or replace function pgqueue.note_depths() returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  _minute constant timestamptz := date_trunc('minute', clock_timestamp());
  _most constant int := 200;
  _names text[];
  _noted int;
begin
  perform from pgqueue.duties as duty where duty.name = 'depths' and duty.done_at < _minute for update skip locked;
  if not found then
    return null;
  end if;
  _names := array(select pgqueue.queues_behind('', _most + 1));
  if cardinality(_names) > _most then
    _names := array(
      select job.queue
      from pgqueue.jobs as job
        tablesample system (100 * least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.jobs') / 8192))) repeatable (1)
      where job.worker is null and job.run_at <= now()
        and (getdatabaseencoding() = 'UTF8' or job.queue = pgqueue.readable(job.queue))
      group by job.queue
      order by count(*) desc, job.queue
      limit _most);
  end if;
  insert into pgqueue.depths (minute, queue, ready, later, running, dead, oldest, entered, exact)
  select _minute, depth.queue, depth.ready, depth.scheduled + depth.retrying, depth.running + depth.ahead, depth.dead,
         extract(epoch from depth.oldest_ready_age), round(coming.jobs * 60 / coming.seconds),
         cardinality(depth.estimated) = 0
  from pgqueue.queue_depths(_names, 4000) as depth
  left join pgqueue.entered('1 minute') as coming on coming.queue = depth.queue
  on conflict do nothing;
  get diagnostics _noted = row_count;
  if cardinality(_names) <= _most then
    insert into pgqueue.depths (minute, queue, ready, later, running, dead, entered, exact)
    select _minute, before.queue, 0, 0, 0, 0, 0, true
    from pgqueue.depths as before
    where before.span = 60
      and before.minute = (select max(d.minute) from pgqueue.depths as d where d.span = 60 and d.minute < _minute)
      and before.ready + before.later + before.running + before.dead > 0
    on conflict do nothing;
  end if;
  update pgqueue.duties as duty set done_at = _minute where duty.name = 'depths';
  return _noted;
end $$;
