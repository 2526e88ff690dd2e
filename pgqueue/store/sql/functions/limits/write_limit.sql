-- A limit gets these fields, if it has others or is new, and what that means for its jobs happens. Answers whether
-- anything was changed. Walks limits_pkey; O(log n).
create or replace function pgqueue.write_limit(_rule pgqueue.limits) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pgqueue.limits as l (scope, name, concurrency, starts, period, burst, weight, ordered, on_dead, source,
                               adopted)
  values (_rule.scope, _rule.name, _rule.concurrency, _rule.starts, _rule.period, _rule.burst, _rule.weight,
          _rule.ordered, _rule.on_dead, _rule.source, _rule.concurrency is null)
  on conflict (scope, name) do update
  set concurrency = excluded.concurrency, starts = excluded.starts, period = excluded.period, burst = excluded.burst,
      weight = excluded.weight, ordered = excluded.ordered, on_dead = excluded.on_dead, source = excluded.source,
      changed_at = now(),
      -- Who runs under a number of jobs has a share, whatever the number becomes.
      adopted = excluded.concurrency is null or l.adopted and l.concurrency is not null
  where (l.concurrency, l.starts, l.period, l.burst, l.weight, l.ordered, l.on_dead, l.source)
    is distinct from (excluded.concurrency, excluded.starts, excluded.period, excluded.burst, excluded.weight,
                      excluded.ordered, excluded.on_dead, excluded.source);
  if not found then
    return false;
  end if;
  if _rule.scope = 'queue' then
    perform pgqueue.mark_limited(_rule.name);
  end if;
  perform pgqueue.limit_changed(_rule.scope, _rule.name);
  return true;
end $$;
