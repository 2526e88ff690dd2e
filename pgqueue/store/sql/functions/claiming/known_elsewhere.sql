-- Those of the targets that another live worker may know, one that shares a queue with this worker.
-- One of the former release tells nothing of its targets, and may know any. Reads `workers`; O(workers × targets).
create or replace function pgqueue.known_elsewhere(_worker bigint, _targets text[]) returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  return array(
    select asked.target
    from unnest(_targets) as asked (target)
    where exists (
      select from pgqueue.workers as me
      join pgqueue.workers as other
        on other.id <> me.id and other.expires_at > clock_timestamp()
        and (other.queues is null
             or other.queues <> '{}' and (me.queues is null or other.queues && me.queues
                                       -- Globs may mean the same queue; park() looks at the job's own.
                                       or array_to_string(other.queues || me.queues, '') ~ '[*?]'))
      left join pgqueue.targets as known on known.hash = other.targets
      where me.id = _worker
        and asked.target <> all (coalesce(other.unknown, '{}'))
        and (known.hash is null or pgqueue.knows(known.names, asked.target))));
end $$;
