-- A request for a job until its start that its run did not see, or two such jobs of one key that waited at once.
select first.job_id, format('began when it could see %s of the %s requests that were answered with it', first.asked,
                            requests.count) as detail
from (
  select distinct on (start.job_id) start.job_id, start.asked
  from verify.starts as start order by start.job_id, start.claim) as first
join (
  select asked.job_id, count(*) from verify.asked as asked where asked.until_start and not asked.again
  group by asked.job_id) as requests on requests.job_id = first.job_id and requests.count > first.asked
union all
select second.job_id, format('key %s, waiting since %s; job %s waited from %s to %s', second.unique_key, second.at,
                             first.job_id, first.since, first.until)
from (
  select asked.job_id, asked.unique_key, asked.not_before, asked.at as since, least(
           coalesce((select min(claim.at) from verify.claims as claim where claim.job_id = asked.job_id), 'infinity'),
           coalesce((select min(ended.at) from verify.ended as ended where ended.job_id = asked.job_id), 'infinity'))
         as until
  from verify.asked as asked where asked.created and asked.until_start) as first
join verify.asked as second on second.unique_key = first.unique_key and second.job_id <> first.job_id
  and second.until_start and second.created and second.at > first.since and second.at < first.until
  -- What has been due for longer than max_wait keeps no second one away.
  and second.at < first.not_before + interval '1 minute'
