-- Damage that hands have done, or that an upgrade left: shares whose job does not run under them go; running jobs
-- without a share of a limit that they are under get one; and waiting jobs that have a key and no lane take their place.
-- One statement sees a claim with its shares or neither, so it may run at any time, beside everybody. Meters that have
-- counted nothing for longer than their period go, too.
-- Looks at all shares, and at _pages pages of `jobs`, taken by chance; null: at all of them. One at a time.
create or replace function pgqueue.reconcile_holds(_pages int default null, out dropped int, out added int, out moved int)
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  _size constant bigint := pg_relation_size('pgqueue.jobs') / current_setting('block_size')::int;
  _from constant bigint := case
    when _pages is null then 0 else floor(random() * ceil(_size::float8 / _pages))::bigint * _pages end;
  _first constant tid := format('(%s,0)', _from)::tid;
  _behind constant tid := format('(%s,0)', least(_from + coalesce(_pages, _size + 1), 4294967295))::tid;
begin
  dropped := 0; added := 0; moved := 0;
  if not pg_try_advisory_xact_lock(7710, 1) then
    return;
  end if;
  delete from pgqueue.holds as h
  where case
    when h.job_id is null then h.expires_at <= clock_timestamp()
    else not exists (select from pgqueue.jobs as job where job.id = h.job_id and job.hold = h.seq offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = h.job_id and dead.hold = h.seq offset 0) end;
  get diagnostics dropped = row_count;
  added := pgqueue.account(array(
    select job.id from pgqueue.jobs as job
    where job.ctid >= _first and job.ctid < _behind and job.worker >= 0
      and exists (select from pgqueue.limits as l where l.concurrency is not null)));
  update pgqueue.jobs as job
  set lane = pgqueue.lane_of(job.limit_key, job.target), lined = null
  where job.ctid = any (array(
    select stray.ctid from pgqueue.jobs as stray
    where stray.ctid >= _first and stray.ctid < _behind and stray.worker is null and stray.lane is null
      and stray.limit_key <> ''
    limit 10000
    for no key update skip locked));
  get diagnostics moved = row_count;
  delete from pgqueue.meters as m
  where m.name = any (array(
    select old.name from pgqueue.meters as old
    where (old.cell + 42) * old.width < extract(epoch from clock_timestamp())
    limit 10000
    for no key update skip locked));
end $$;
