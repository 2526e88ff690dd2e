-- A job that waits is given other arguments, labels or follow-ups: refused where it says more than the role may that gives
-- them. Called by the trigger jobs_larger, which is there while any role has a limit. O(limits).
create or replace function pgqueue.keep_max_args() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _role constant text := pgqueue.acting_role();
  _size constant int := pgqueue.said_by_job(new.args, new.labels, new.headers, new.follow_ups);
begin
  perform pgqueue.refuse_large(l, _size)
  from pgqueue.role_limits as l
  where l.max_args < _size and (l.role in ('*', _role) or pgqueue.is_limited_by(_role, l.role));
  return null;
end $$;
