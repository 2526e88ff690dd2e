-- The jobs of a partition of which something is to be kept though its span is past keeping: at most _most + 1. Of attempts,
-- those that have not ended or are dead, members of workflows that are still there, and those of which an attempt ended
-- _before that or later. Of dead jobs, whatever is left: they are pruned one by one.
-- Walks the index of late attempts, jobs_pkey, dead_jobs_pkey, attempts_workflow; O(_most log n).
create or replace function pgqueue.kept_in(
  _table text, _partition text, _since uuid, _until uuid, _before timestamptz, _most int) returns uuid[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off
as $$
declare
  _kept uuid[];
begin
  if _table = 'dead_jobs' then
    execute format('select array(select dead.id from pgqueue.%I as dead limit $1)', _partition) into _kept using _most + 1;
    return _kept;
  end if;
  execute format(
    $text$
    select array(
      (select late.job_id from pgqueue.%1$I as late where late.finished_at >= $1 limit $4)
      union
      (select job.id from pgqueue.jobs as job where job.id >= $2 and job.id < $3 limit $4)
      union
      (select dead.id from pgqueue.dead_jobs as dead where dead.id >= $2 and dead.id < $3 limit $4)
      union
      (select member.job_id from pgqueue.%1$I as member
       where member.workflow_id is not null
         and exists (select from pgqueue.workflows as w where w.id = member.workflow_id offset 0)
       limit $4)
      limit $4)
    $text$, _partition)
  into _kept using _before, _since, _until, _most + 1;
  return _kept;
end $$;
