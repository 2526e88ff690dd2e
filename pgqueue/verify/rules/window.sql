-- A window of a unique key in which two jobs were made.
select second.job_id, format('key %s, made at %s; job %s was made at %s, to be alone for %s s after %s',
                             second.unique_key, second.at, first.job_id, first.at, first.unique_for,
                             first.not_before) as detail
from verify.asked as first
join verify.asked as second on second.unique_key = first.unique_key and second.job_id <> first.job_id
  and second.at > first.at and second.at < first.not_before + make_interval(secs => first.unique_for)
where first.created and second.created and second.unique_for is not null
