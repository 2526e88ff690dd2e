-- Callbacks that began before all that they wait for had ended.
select joined.callback as job_id, format('began at %s, and %s succeeded at %s', start.at, joined.member, ended.at) as detail
from verify.joins as joined
join (select s.job_id, min(s.at) as at from verify.starts as s group by s.job_id) as start on start.job_id = joined.callback
join verify.ended as ended on ended.job_id = joined.member and ended.state = 'succeeded' and ended.at > start.at
-- What a human has revived had ended before.
where not exists (select from verify.hands as hand where hand.job_id = joined.member)
