-- The queue in which the jobs of a target wait where neither they nor their task say one: that of the route whose
-- pattern says most, as globs.py has it; `default` without any.
-- With the rights of its owner: who may only enqueue may not read `routes`. O(routes).
create or replace function pgqueue.route(_target text) returns text
language plpgsql stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select r.queue from pgqueue.routes as r
    where pgqueue.is_like(r.pattern, _target)
    order by r.pattern = _target desc, length(translate(r.pattern, '*?', '')) desc, r.pattern
    limit 1), 'default');
end $$;
