-- As search_live, of the members of workflows that wait at a gate. Walks waiting_id backwards.
with placed as materialized (
  select w.id, coalesce(w.queue, pgqueue.route(w.target)) as queue, w.target, w.args, w.labels,
         coalesce(w.priority, 5) as priority, 0 as attempt,
         null::bigint as worker, w.run_at, null::timestamptz as started_at, null::text as unique_key, w.limit_key,
         'waiting'::text as state
  from pgqueue.waiting_shown as w
  where w.id >= $10::uuid and w.id < $11::uuid
    and ($14::uuid[] is null or w.id = any ($14))
  order by w.id desc
  limit $12::int
), head as (
  select count(*) as looked, (array_agg(placed.id order by placed.id))[1] as last from placed
)
\ir parts/live_candidates
