-- (nothing) -> scheduled | ready for jobs that a job brings, told as JSON (enqueue_new.sql); noted as its children.
-- They are of its tenant. What is refused raises, and nothing is enqueued. Answers as enqueue_new_jobs. O(batch log n).
create or replace function pgqueue.spawn(
  _parent uuid, _new_jobs json, _how text, _max_depth int default 32, _max_children int default 10000)
returns table (n bigint, id uuid, created boolean, replaced boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _before constant text := pgqueue.act_for_job(_parent);
  _added record;
begin
  for _added in select * from pgqueue.enqueue_new_jobs(_new_jobs) as told order by told.n loop
    if _added.created then
      perform pgqueue.descend(_added.id, _parent, _how, _max_depth, _max_children);
    end if;
    n := _added.n;
    id := _added.id;
    created := _added.created;
    replaced := _added.replaced;
    return next;
  end loop;
  perform pgqueue.act_for(_before);
end $$;
