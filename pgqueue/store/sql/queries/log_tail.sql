-- Of what a job said the last $4 lines before ($2, $3: claim and number), the last first; of attempt $5 alone, from level
-- $6 on (null: all). Walks job_logs_pkey backwards.
select claim, attempt, seq, at, level, line
from pgqueue.job_logs
where job_id = $1::uuid and (claim, seq) < ($2::int, $3::int)
  and ($5::int is null or attempt = $5::int)
  and ($6::text is null
       or array_position(array['debug', 'info', 'warning', 'error'], level)
          >= array_position(array['debug', 'info', 'warning', 'error'], $6::text))
order by claim desc, seq desc
limit $4::int
