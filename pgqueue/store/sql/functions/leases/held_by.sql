-- The jobs that some workers hold, in some pages of `jobs` (_to excluded): _workers null means workers without a row.
-- No index knows a job's worker, so that a claim writes none: pages are read one after the other, and nothing else.
create or replace function pgqueue.held_by(_workers bigint[], _from bigint, _to bigint)
returns table (id uuid, worker bigint, target text)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _first constant tid := format('(%s,0)', _from)::tid;
  _behind constant tid := format('(%s,0)', least(_to, 4294967295))::tid;
begin
  if _workers is not null then
    return query
    select job.id, job.worker, job.target from pgqueue.jobs as job
    where job.ctid >= _first and job.ctid < _behind and job.worker = any (_workers);
  else
    return query
    select job.id, job.worker, job.target from pgqueue.jobs as job
    where job.ctid >= _first and job.ctid < _behind and job.worker >= 0
      and not exists (select from pgqueue.workers as w where w.id = job.worker);
  end if;
end $$;
