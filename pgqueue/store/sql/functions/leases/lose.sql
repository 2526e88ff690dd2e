-- lose_together(), and where PostgreSQL refuses that (a trigger of somebody's that raises, a row that cannot be read):
-- each job on its own, so that one refuses itself alone. It is left as it is, with a warning, to the next reap.
-- Answers the ids that were taken back. Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.lose(_ids uuid[], _workers bigint[], _suspects boolean[], _once boolean[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _taken uuid[] := '{}';
begin
  return pgqueue.lose_together(_ids, _workers, _suspects, _once);
exception when others then
  if sqlstate ~ '^(40|53|55|57|58)' then
    raise;
  end if;
  for n in 1..cardinality(_ids) loop
    begin
      _taken := _taken || pgqueue.lose_together(
        _ids[n : n], _workers[n : n], _suspects[n : n], _once[n : n]);
    exception when others then
      -- What passes, or is about the whole server, is not the job's fault.
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      raise warning 'job % of a worker that has vanished cannot be taken back: % (%)', _ids[n], sqlerrm, sqlstate;
    end;
  end loop;
  return _taken;
end $$;
