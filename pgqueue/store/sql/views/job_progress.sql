-- How far jobs are, as they said last: one row a job that says so, also when it has ended. `share` is from 0 to 1;
-- `rate` is per second, since this attempt said so first; `rest` is what is left at that rate. By id it walks
-- progress_pkey.
create or replace view pgqueue.job_progress as
  select said.job_id, said.attempt, said.done, said.total,
         case when said.total > 0 then greatest(0, least(1, said.done / said.total)) end as share,
         pace.rate,
         case when said.total >= said.done and pace.rate > 0
              then make_interval(secs => least((said.total - said.done) / pace.rate, 3.2e9)) end as rest,
         said.note, said.since, said.at, said.claim
  from pgqueue.progress as said
  cross join lateral (
    select case when said.at > said.since and said.done > said.since_done
                then (said.done - said.since_done) / extract(epoch from said.at - said.since)::float8 end as rate) as pace;
