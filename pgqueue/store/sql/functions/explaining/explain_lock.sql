-- Whether somebody's open transaction has locked or changed a job's row, so that claims pass it by: a part of explain()
-- and explain_queue(). Of a job that is unique until its start it is as a rule one that found it waiting, and locked it
-- to COMMIT: then it is the key that holds it. A share that a foreign key took looks the same, though it is in nobody's
-- way.
-- Takes no lock itself. Walks jobs_pkey; reads the lock table.
create or replace function pgqueue.explain_lock(_id uuid)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  _xmax xid;
  _until_start boolean;
  _xids xid[];
  _holder record;
begin
  select job.xmax, job.start_key is not null into _xmax, _until_start from pgqueue.jobs as job where job.id = _id;
  _xids := array[_xmax];
  begin
    -- More than one transaction: a number of its own stands for them.
    _xids := _xids || array(select member.xid from pg_get_multixact_members(_xmax) as member);
  exception when others then
    null;
  end;
  select held.pid, held.virtualtransaction, who.usename, who.application_name, who.state, who.xact_start into _holder
  from pg_locks as held
  left join pg_stat_activity as who on who.pid = held.pid
  where held.locktype = 'transactionid' and held.granted and held.transactionid = any (_xids) and _xmax <> '0'
    and exists (
      select from pg_locks as used
      where used.virtualtransaction = held.virtualtransaction and used.relation = 'pgqueue.jobs'::regclass
        and used.mode in ('RowShareLock', 'RowExclusiveLock'))
  limit 1;
  holds := found;
  code := case when holds and _until_start then 'unique' else 'locked' end;
  text := case
    when not holds then 'its row is not locked'
    when code = 'unique' then format('unique until its start: it waits for the transaction of %s, which found it waiting and '
                                     || 'has not committed', coalesce('pid ' || _holder.pid, 'somebody'))
    when _holder.pid is null then 'its row is locked by a transaction that was prepared and not committed'
    else format('its row is locked by pid %s%s%s', _holder.pid,
                coalesce(format(' (%s)', nullif(concat_ws(', ', _holder.usename, nullif(_holder.application_name, ''),
                                                          _holder.state), '')), ''),
                coalesce(format(' for %s', pgqueue.time_between(_holder.xact_start, clock_timestamp())), '')) end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'pid', _holder.pid, 'role', _holder.usename, 'application', _holder.application_name, 'state', _holder.state,
    'since', _holder.xact_start));
  cure := case when not holds then null
               when _holder.pid is null then 'pgqueue doctor --only horizon'
               else format('select pg_terminate_backend(%s);', _holder.pid) end;
  return next;
end $$;
