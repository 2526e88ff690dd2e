-- One job of an operation: cancel, retry, bury, purge (forget a dead job for good), or give another priority. Only if it
-- is in one of _states; answers `done`, or `skipped` if it is not, or somebody has it in hand.
-- Walks jobs_pkey, dead_jobs_pkey; O(log n).
create or replace function pgqueue.operate_on(_id uuid, _kind text, _states text[], _priority smallint, _reason text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _state text;
  _dead pgqueue.dead_jobs;
begin
  perform pgqueue.note_act('jobs ' || _kind, null, array[_id]);
  select case when job.worker = -1 then 'manual'
              when job.run_at <= statement_timestamp() then 'ready'
              when job.attempt > 0 then 'retrying'
              else 'scheduled' end into _state
  from pgqueue.jobs as job where job.id = _id and coalesce(job.worker, -1) = -1 for update skip locked;
  if not found then
    select * into _dead from pgqueue.dead_jobs as dead where dead.id = _id for update skip locked;
    if found then
      _state := 'dead';
    elsif exists (select from pgqueue.jobs as job where job.id = _id and job.worker is not null) then
      _state := 'running';
    elsif pgqueue.is_waiting(_id) then
      _state := 'waiting';
    end if;
  end if;
  if _state is null or _state <> all (_states) then
    return 'skipped';
  end if;
  case _kind
    when 'cancel' then
      return case when pgqueue.cancel(_id) in ('cancelled', 'running') then 'done' else 'skipped' end;
    when 'retry' then
      return case when pgqueue.retry(_id) = 'ready' then 'done' else 'skipped' end;
    when 'bury' then
      return case when pgqueue.bury_waiting(_id, 'buried', null, _reason) then 'done' else 'skipped' end;
    when 'purge' then
      delete from pgqueue.dead_jobs as dead where dead.id = _id;
      if _dead.success_links is not null then
        -- Nobody can revive it any more.
        perform pgqueue.count_ends(
          array[_dead.workflow_id], array[pgqueue.links_called_off(_dead.success_links, null)::text], true,
          clock_timestamp());
      end if;
      if _dead.hold is not null then
        -- An ordered lane had stopped for it.
        perform pgqueue.let_go(array[_dead.queue], array[_dead.target], array[_dead.limit_key], array[_dead.hold]);
      end if;
      return 'done';
    when 'priority' then
      return case when pgqueue.set_priority(_id, _priority) in ('scheduled', 'ready', 'retrying')
             then 'done' else 'skipped' end;
  end case;
end $$;
