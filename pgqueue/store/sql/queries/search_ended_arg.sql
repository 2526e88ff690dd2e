-- As search_ended, of the jobs whose argument at path $15 begins as text $16 does. Walks an index that somebody made for it
-- (`pgqueue index add`): asked only where that is there.
with looked as materialized (
  select ended.*
  from pgqueue.attempts as ended
  where pgqueue.arg_text(ended.args, $15::text[]) = left($16::text, 200) and ended.args is not null
    and ($14::uuid[] is null or ended.job_id = any ($14))
    and ended.job_id >= $10::uuid and ended.job_id < $11::uuid
  order by ended.job_id desc
  limit $12::int
)
\ir parts/ended_candidates
