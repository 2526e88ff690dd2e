-- Whose a unique key is until a moment: of the job that took it before, as long as that window has not passed; else of
-- this one from now on, until _until. Answers that job's id, also if it has ended. Waits for whoever takes the same key
-- in an open transaction.
-- Walks unique_windows_pkey; O(log n).
create or replace function pgqueue.take_window(_key text, _until timestamptz, _id uuid) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _holder uuid;
begin
  for round in 1..100 loop
    -- Looked at first: the insert would lock the row even where it changes nothing, and all who come in a window would
    -- wait for each other.
    select taken.job_id into _holder from pgqueue.unique_windows as taken
    where taken.unique_key = _key and taken.until > clock_timestamp();
    if found then
      return _holder;
    end if;
    insert into pgqueue.unique_windows as taken (unique_key, until, job_id) values (_key, _until, _id)
    on conflict (unique_key) do update set until = excluded.until, job_id = excluded.job_id
    where taken.until <= clock_timestamp()
    returning taken.job_id into _holder;
    if found then
      return _holder;
    end if;
  end loop;
  raise exception 'job % could not be enqueued: the window of its unique key % changed hands 100 times', _id, _key
    using hint = 'enqueue it again';
end $$;
