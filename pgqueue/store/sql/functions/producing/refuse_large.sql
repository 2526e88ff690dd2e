-- Refuse a job that says so many bytes, more than it may. O(1).
create or replace function pgqueue.refuse_large(_rule pgqueue.role_limits, _size bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.refuse_limit(
    _rule.role, 'max_args',
    format('enqueue a job of more than %s bytes of arguments, labels and follow-ups, and got %s', _rule.max_args, _size),
    'store what is large in a table of your own, and pass its id', null);
end $$;
