-- dead -> ready with fresh attempts, in id order behind _after: looks at 20 times _limit jobs at most, and revives
-- _limit.
-- Each job is judged on its own: one whose unique key a live job has stays dead, and fails no other.
-- Answers how many were revived, how many stay dead, and the last id looked at: null when there are no more.
-- Walks dead_jobs_queue or dead_jobs_pkey (dead_behind.sql); O(_limit log n).
create or replace function pgqueue.retry_dead(
  _queue text, _target text, _after uuid, _limit int, out revived int, out kept int, out last uuid)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id uuid;
  _target_of text;
begin
  perform pgqueue.note_act('dead retry', coalesce(_queue, _target));
  revived := 0;
  kept := 0;
  for _id, _target_of in
    select dead.id, dead.target
    from pgqueue.dead_behind(_queue, _after, 20 * _limit) as dead
  loop
    exit when revived + kept >= _limit;
    last := _id;
    continue when _target is not null and _target_of <> _target;
    begin
      if pgqueue.retry(_id) = 'dead' then
        kept := kept + 1;
      else
        revived := revived + 1;
      end if;
    exception when others then
      -- What passes, or is about the whole server, is not the job's fault.
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      kept := kept + 1;
      raise warning 'job % cannot be revived: % (%)', _id, sqlerrm, sqlstate;
    end;
  end loop;
end $$;
