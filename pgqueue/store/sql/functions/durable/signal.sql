-- Send a signal to a job, in the caller's transaction: a durable function that waits for it, or will, goes on with the
-- payload. The first of a name counts. Answers whether it is that; null if there is no such job. One that has ended, or
-- had a signal of this name, gets none.
-- select pgqueue.signal('0197...', 'approval', '{"by": "ann"}');
-- Waits for who else sends this one; a worker that puts the job to sleep never waits for the caller. O(log n).
create or replace function pgqueue.signal(job_id uuid, name text, payload json default 'null') returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  _state text;
begin
  perform pgqueue.note_act('signal', name, array[job_id]);
  if coalesce(name, '') = '' or length(name) > 500 or name like 'pgqueue:%' then
    raise exception 'the name of a signal is a text of 1 to 500 characters that does not begin with pgqueue:, got %',
        coalesce(quote_literal(left(name, 80)), 'null')
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = 'use that for which the function waits';
  end if;
  select job.state into _state from pgqueue.job as job where job.id = job_id;
  if _state is null then
    return null;
  end if;
  return _state not in ('succeeded', 'dead', 'cancelled')
    and pgqueue.send(job_id, name, coalesce(payload, 'null'), null, true);
end $$;
