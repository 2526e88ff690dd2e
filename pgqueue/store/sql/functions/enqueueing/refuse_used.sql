-- Refuse a new row of `jobs` that says it was claimed before: it would be in the hands of a worker that does not know
-- it, or under a claim number that cannot grow. Called by the trigger jobs_new, for such rows alone. O(1).
create or replace function pgqueue.refuse_used() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'a new job has no worker, no started_at and no claim yet, got %, %, %',
      coalesce(new.worker::text, 'null'), coalesce(new.started_at::text, 'null'), new.claim
    using errcode = 'check_violation', schema = 'pgqueue', table = 'jobs', constraint = 'jobs_new',
          hint = 'leave these columns out, or call pgqueue.enqueue()';
end $$;
