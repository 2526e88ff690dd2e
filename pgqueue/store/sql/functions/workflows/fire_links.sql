-- advance() for the links of what was settled. What goes wrong there must not refuse the settlement: then the counts are
-- left in `arrivals`, and each workflow is taken up by itself (fold.sql). So are those of a transaction that cannot see
-- what others have counted meanwhile, under REPEATABLE READ. Answers how many jobs were moved. O(batch log n).
create or replace function pgqueue.fire_links(_workflows uuid[], _gates int[], _counts int[], _due timestamptz)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') = 'read committed' then
    begin
      return pgqueue.advance(_workflows, _gates, _counts, _due);
    exception when others then
      -- What passes, or is about the whole server, is no workflow's fault; a full queue is.
      if sqlstate ~ '^(40|53|55|57|58)' and sqlstate <> '53400' then
        raise;
      end if;
    end;
  end if;
  perform pgqueue.leave_arrivals(_workflows, _gates, _counts);
  return 0;
end $$;
