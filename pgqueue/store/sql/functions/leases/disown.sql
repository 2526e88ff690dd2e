-- running -> ready | cancelled, for jobs that this worker holds without knowing it: the reply to their claim was lost.
-- Waits for a claim of this worker that may still be running elsewhere, and begins the worker's epoch _epoch: a step of
-- an earlier one that is still on its way claims nothing when it arrives. Itself of no later epoch than the worker's
-- own, it was on its way too long, and what it believes is old: nothing is changed. Answers how many jobs there were.
-- One whose row is refused keeps no other from being given back. Scans jobs; for after a lost reply, not for every day.
create or replace function pgqueue.disown(_worker bigint, _epoch int, _ids uuid[], _claims int[]) returns int
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  _unknown uuid[];
  _freed uuid[] := '{}';
  _one uuid;
begin
  perform from pgqueue.workers as me where me.id = _worker for update;
  update pgqueue.workers as me set epoch = _epoch where me.id = _worker and me.epoch < _epoch;
  if not found then
    return 0;
  end if;
  _unknown := array(
    select job.id
    from pgqueue.jobs as job
    where job.worker = _worker
      and not exists (
        select from unnest(_ids, _claims) as known (id, claim)
        where known.id = job.id and known.claim = job.claim)
    order by job.id
    for update);
  begin
    _freed := pgqueue.hand_back(_unknown);
  exception when others then
    if sqlstate ~ '^(40|53|55|57|58)' then
      raise;
    end if;
    -- One of them is to blame: each by itself.
    foreach _one in array _unknown loop
      begin
        _freed := _freed || pgqueue.hand_back(array[_one]);
      exception when others then
        -- What passes, or is about the whole server, is not the job's fault.
        if sqlstate ~ '^(40|53|55|57|58)' then
          raise;
        end if;
        raise warning 'job % cannot be given back: % (%)', _one, sqlerrm, sqlstate;
      end;
    end loop;
  end;
  return cardinality(_freed);
end $$;
