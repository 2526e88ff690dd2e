-- dead -> ready with fresh attempts, for a bounded batch in id order behind _after.
-- Each job is judged on its own: one whose unique key a live job has stays dead, and fails no other.
-- Answers how many were revived, how many stay dead, and the last id looked at: null when there are no more.
-- Walks dead_jobs_pkey and filters; O(batch log n) without a queue or target, else at worst all dead jobs.
create or replace function pgqueue.retry_dead(
  _queue text, _target text, _after uuid, _limit int, out revived int, out kept int, out last uuid)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id uuid;
begin
  revived := 0;
  kept := 0;
  for _id in
    select dead.id
    from pgqueue.dead_jobs as dead
    where dead.id > coalesce(_after, '00000000-0000-0000-0000-000000000000')
      and (_queue is null or dead.queue = _queue)
      and (_target is null or dead.target = _target)
    order by dead.id
    limit _limit
  loop
    last := _id;
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
