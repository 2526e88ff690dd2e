-- Whether a worker that says this of its queues (workers.queues) serves one: null is all, each a name or a glob, and
-- with a `!` before it what is left out. As globs.py. O(queues), no table.
create or replace function pgqueue.serves(_said text[], _queue text) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select _said is null or _queue = any (_said)
    or exists (select from unnest(_said) as said (name) where name not like '!%' and pgqueue.is_like(name, _queue))
       and not exists (
         select from unnest(_said) as said (name) where name like '!%' and pgqueue.is_like(substr(name, 2), _queue))
$$;
