-- A worker begins with this release of its application: written into the audit, unless that was the last one that came.
-- Of several workers that begin at once one writes; who keeps the lock to himself keeps this from being written, and
-- nothing else. Looks at the newest 1,000 acts. Walks audit_pkey; O(1,000) once in a worker's life.
create or replace function pgqueue.note_release(_release text, _host text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _last text;
begin
  if not pg_try_advisory_xact_lock(7711, 0) then
    return false;
  end if;
  select looked.filter into _last
  from (select act.id, act.action, act.filter from pgqueue.audit as act order by act.id desc limit 1000) as looked
  where looked.action = 'release'
  order by looked.id desc
  limit 1;
  if _last is not distinct from _release then
    return false;
  end if;
  insert into pgqueue.audit (who, via, action, filter) values (_host, 'worker', 'release', _release);
  return true;
end $$;
