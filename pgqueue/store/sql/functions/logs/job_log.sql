-- What a job said, in the order in which it did: of all its attempts or of _attempt, from a _level on. At most _most
-- lines behind (_claim, _seq); for the next ones give those of the last that was answered.
-- Walks job_logs_pkey; O(_most), with a level at most 1,001 lines an attempt.
create or replace function pgqueue.job_log(
  _id uuid, _attempt int default null, _level text default null, _most int default 1000,
  _claim int default 0, _seq int default 0)
returns table (claim int, attempt smallint, seq smallint, at timestamptz, level text, line text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select said.claim, said.attempt, said.seq, said.at, said.level, said.line
  from pgqueue.job_logs as said
  where said.job_id = _id and (said.claim, said.seq) > (_claim, _seq)
    and (_attempt is null or said.attempt = _attempt)
    and (_level is null
         or array_position(array['debug', 'info', 'warning', 'error'], said.level)
            >= array_position(array['debug', 'info', 'warning', 'error'], _level))
  order by said.claim, said.seq
  limit least(_most, 100000)
$$;
