-- Where the jobs that were `looked` at stand, and how many they were.
, placed as (
  select looked.*,
         case when looked.worker >= 0 then 'running'
              when looked.worker = -1 then 'manual'
              when looked.run_at <= statement_timestamp() then 'ready'
              when looked.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from looked
), head as (
  select count(*) as looked, (array_agg(looked.id order by looked.id))[1] as last from looked
)
\ir parts/live_candidates
