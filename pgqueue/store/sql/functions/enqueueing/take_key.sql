-- A job that was enqueued in this transaction, under an id of the caller's, takes its unique key; if a live job has the
-- key, the new job is dropped and that one's id answered. Waits for whoever enqueues the same key.
-- Walks jobs_pkey, jobs_unique; O(log n).
create or replace function pgqueue.take_key(_id uuid, _key text) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _holder uuid;
begin
  _key := pgqueue.tenant_key(_key);
  for round in 1..100 loop
    begin
      update pgqueue.jobs as job set unique_key = _key where job.id = _id;
      return _id;
    exception when unique_violation then
      select job.id into _holder from pgqueue.jobs as job where job.unique_key = _key;
    end;
    if _holder is not null then
      delete from pgqueue.jobs as job where job.id = _id;
      return _holder;
    end if;
    -- What stood in the way ended in between, or came after this transaction's snapshot was taken.
    if current_setting('transaction_isolation') <> 'read committed' then
      raise exception 'the unique key % was taken while this transaction was open', _key
        using errcode = 'serialization_failure', hint = 'enqueue again in a new transaction';
    end if;
  end loop;
  raise exception 'job % could not be enqueued: its unique key % changed hands 100 times', _id, _key
    using hint = 'enqueue it again';
end $$;
