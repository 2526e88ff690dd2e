-- Of dead jobs that were `looked` at: how many, the last of them, and those that $1-$4 and $13 leave, as search_dead says.
select head.looked, head.last, one.id, one.queue, one.target,
       case when one.id is not null then 'dead' end as state, one.priority,
       one.attempt, null::bigint as worker, one.run_at, one.started_at, one.died_at as finished_at, one.unique_key,
       one.limit_key, one.reason, case when $7::boolean then one.error_type end as error_type,
       case when $7::boolean then left(one.error, 4000) end as error, case when $8::boolean then null::text end as host,
       case when $6::boolean and pg_column_size(one.labels) <= $9::int then one.labels::text end as labels,
       case when $5::boolean and pg_column_size(one.args) <= $9::int then one.args::text end as args,
       coalesce($6::boolean and pg_column_size(one.labels) > $9::int, false)
         or coalesce($5::boolean and pg_column_size(one.args) > $9::int, false) as large,
       one.cause
from (
  select count(*) as looked, (array_agg(looked.id order by looked.id))[1] as last from looked) as head
left join (
  select *
  from looked
  where 'dead' = any ($1::text[])
    and ($2::text[] is null or looked.queue like any ($2))
    and ($13::text[] is null or not looked.queue like any ($13))
    and ($3::text[] is null or looked.target like any ($3))
    and ($4::text[] is null
         or exists (select from unnest($4) as needle (text)
                    where strpos(lower(coalesce(looked.error_type, '') || ': '
                                       || coalesce(left(looked.error, 4000), '')), needle.text) > 0))
) as one on true
order by one.id desc
