-- scheduled | ready | retrying | manual -> cancelled, for children of a job that ended without success, at most _max;
-- those that run are told, and one whose row is locked is cancelled when it is given back. Children that were detached
-- stay. Answers how many it looked at. Walks lineage_children, jobs_pkey; O(_max log n).
create or replace function pgqueue.cancel_abandoned(_max int default 200) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _parent pgqueue.abandoned;
  _child record;
  _looked int := 0;
begin
  select * into _parent from pgqueue.abandoned as a order by a.job_id limit 1 for update skip locked;
  if not found then
    return 0;
  end if;
  for _child in
    select line.job_id, line.nth, line.how from pgqueue.lineage as line
    where line.parent_id = _parent.job_id and line.nth > _parent.nth
    order by line.nth, line.job_id limit _max
  loop
    _looked := _looked + 1;
    _parent.nth := _child.nth;
    continue when _child.how <> 'child';
    perform from pgqueue.jobs as job where job.id = _child.job_id for update skip locked;
    if found then
      perform pgqueue.cancel_unwanted(array[_child.job_id]);
    elsif exists (select from pgqueue.jobs as job where job.id = _child.job_id) then
      insert into pgqueue.cancellations (job_id) values (_child.job_id) on conflict do nothing;
    end if;
  end loop;
  if _looked < _max then
    delete from pgqueue.abandoned as a where a.job_id = _parent.job_id;
  else
    update pgqueue.abandoned as a set nth = _parent.nth where a.job_id = _parent.job_id;
  end if;
  return _looked;
end $$;
