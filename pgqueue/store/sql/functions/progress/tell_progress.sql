-- Tell those who watch jobs that these have come further; costs one lock test while nobody watches. Who watches holds
-- the shared advisory lock (7713, 0).
create or replace function pgqueue.tell_progress(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(_ids) > 0
    and (case when pg_try_advisory_lock(7713, 0) then not pg_advisory_unlock(7713, 0) else true end)
  then
    -- Many in one: a payload has less than 8,000 bytes.
    perform pg_notify('pgqueue_progress', string_agg(further.id::text, ','))
    from unnest(_ids) with ordinality as further (id, number)
    group by (further.number - 1) / 200;
  end if;
end $$;
