-- Make the partitions of today and of what is to come: seven days of attempts, two months of dead jobs. Where none was
-- made, because no worker has run for long, rows go to `rest`, and nothing fails.
-- Not while `rest` is large: it would be locked for as long as it takes to read (`pgqueue migrate --partition-history`
-- copies anew). Locks `rest` against everybody where something is to be made; O(1) where all is there.
create or replace function pgqueue.make_spans(_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _span constant interval := pgqueue.span_of(_table);
  _today constant timestamptz := date_trunc(case when _span = '1 day' then 'day' else 'month' end, now(), 'UTC');
  _ahead constant int := case when _span = '1 day' then 7 else 2 end;
begin
  if pg_relation_size(to_regclass(format('pgqueue.%I', _table || '_rest'))) > 64 * 1024 * 1024 then
    return;
  end if;
  for each in 0.._ahead loop
    perform pgqueue.make_span(_table, (_today at time zone 'UTC' + each * _span) at time zone 'UTC');
  end loop;
end $$;
