-- How much of a limit is in use under one name ($1, as k:key, t:target or q:queue): shares that are taken, starts that a
-- rate of $2 in $3 seconds counts now, and jobs that wait in line for it, where it is a key's: a thousand of each at most,
-- of the first hundred queues. Walks holds_pkey, meters_pkey, jobs_lane; O(queues log n + 1,000).
select pgqueue.held($1::text, 1000) as shares,
       case when $2::int is not null then $2::int - (
         select m.room from pgqueue.meter_room($1::text, $2::int, $3::float8, $2::int) as m) end as starts,
       case when $1::text like 'k:%' then (
         select count(*)::int
         from (
           select
           from unnest(pgqueue.keyed_queues('', 100, false)) as served (queue)
           cross join generate_series(0, 9) as slot (priority)
           cross join lateral (
             (select from pgqueue.jobs as j
              where j.lined and j.queue = served.queue and j.priority = slot.priority and j.lane = substr($1::text, 3)
                and j.worker is null
              limit 1000)
             union all
             (select from pgqueue.jobs as j
              where j.lined and j.queue = served.queue and j.priority = slot.priority
                and j.lane > substr($1::text, 3) || chr(1) and j.lane < substr($1::text, 3) || chr(2)
                and j.worker is null
              limit 1000)) as waiting
           limit 1000) as counted) end as waiting
