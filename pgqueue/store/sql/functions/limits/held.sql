-- How many shares of a limit are taken, up to _most. Walks holds_pkey; O(_most).
create or replace function pgqueue.held(_name text, _most int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
  return (
    select count(*)
    from (
      select from pgqueue.holds as h
      where h.name = _name and (h.expires_at is null or h.expires_at > clock_timestamp())
      limit _most) as taken);
end $$;
