-- Upkeep of durable functions, by whoever reaps: signals whose waits may not have been seen, and children of jobs that
-- ended without success, some of both. What goes wrong here keeps nobody from reaping. Two probes while there is nothing.
create or replace function pgqueue.tend_durable() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
begin
  if exists (select from pgqueue.signals as sent where sent.unsure) then
    perform pgqueue.meet_unsure();
  end if;
  if exists (select from pgqueue.abandoned) then
    perform pgqueue.cancel_abandoned();
  end if;
exception when others then
  if sqlstate ~ '^(40|53|57|58)' then
    raise;
  end if;
  raise warning 'durable functions cannot be looked after: % (%)', sqlerrm, sqlstate;
end $$;
