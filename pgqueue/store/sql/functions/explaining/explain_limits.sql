-- The limits that a waiting job is under, and its lane: a part of explain().
-- Walks limits_pkey, holds_pkey, meters_pkey; O(length log n + shares).
create or replace function pgqueue.explain_limits(_job pgqueue.jobs)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _cost constant int := greatest(coalesce(_job.cost, 1), 1);
  _rule pgqueue.limits;
  _own_share boolean;
begin
  if _job.limit_key <> '' then
    select * into _rule from pgqueue.rule_of_key(_job.limit_key);
    return query select lane.* from pgqueue.explain_lane(_job, _rule) as lane;
    -- A retry in an ordered lane has its share already.
    _own_share := _job.hold is not null and exists (
      select from pgqueue.holds as h where h.name = 'k:' || _job.limit_key and h.seq = _job.hold and h.job_id = _job.id);
    return query
    select each.code, each.holds and not (_own_share and each.code = 'limit_full'), each.text, each.detail, each.cure
    from pgqueue.explain_limit(_rule, _job.limit_key, _cost) as each;
  end if;
  select * into _rule from pgqueue.limits as l where l.scope = 'task' and l.name = _job.target;
  return query select each.* from pgqueue.explain_limit(_rule, _job.target, _cost) as each;
  select * into _rule from pgqueue.limits as l where l.scope = 'queue' and l.name = _job.queue;
  return query select each.* from pgqueue.explain_limit(_rule, _job.queue, _cost) as each;
end $$;
