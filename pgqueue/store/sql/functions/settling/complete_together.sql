-- running -> succeeded for the jobs of a batch, in the transaction of its task: its effects and their successes commit
-- together. Fenced: answers those whose lease went to another attempt; then the caller must roll back.
-- Each as complete() does it, or succeed() if it brings something; in id order, so that no two batches wait for each
-- other. Walks jobs_pkey; O(batch log n + what they bring).
create or replace function pgqueue.complete_together(
  _worker bigint, _ids uuid[], _claims int[], _results text[], _brings text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(told.id) filter (where not told.done), '{}')
    from (
      select batch.id,
             case when batch.brings is null then pgqueue.complete(_worker, batch.id, batch.claim, batch.result)
                  else pgqueue.succeed(_worker, batch.id, batch.claim, batch.result, batch.brings::json) end as done
      from (
        select * from unnest(_ids, _claims, _results, _brings) as given (id, claim, result, brings)
        order by given.id) as batch
      offset 0) as told);
end $$;
