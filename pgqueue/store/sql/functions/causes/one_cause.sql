-- A cause, and how it stands, as cause_row() says, with its dead jobs counted up to 1,000; no row if nobody ever met it.
create or replace function pgqueue.one_cause(_cause text, _within interval default '1 day')
returns table (
  cause text, state text, target text, error_type text, error text, title text, note text, assignee text,
  first_at timestamptz, last_at timestamptz, muted_until timestamptz, resolved_at timestamptz, resolved_release text,
  dead bigint, more boolean, failures bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return query select each.* from pgqueue.cause_row(_cause, _within, 1000) as each;
end $$;
