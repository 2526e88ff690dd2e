-- Remember causes that were met the first time: of each row its cause, target, error_type and error; one that is expected
-- is muted for good. Those that are known stay as they are. Walks causes_pkey; O(rows).
create or replace function pgqueue.note_causes(_rows jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pgqueue.causes (cause, target, error_type, error, first_at, note, muted_until)
  select distinct on (told.cause) told.cause, told.target, left(told.error_type, 500), left(told.error, 500),
         least(coalesce(told.first_at, clock_timestamp()), clock_timestamp()),
         case when told.expected then 'expected by its task' end, case when told.expected then 'infinity'::timestamptz end
  from jsonb_to_recordset(_rows) as told (
    cause text, target text, error_type text, error text, first_at timestamptz, expected boolean)
  where told.cause is not null and told.cause <> 'other'
    and not exists (select from pgqueue.causes as known where known.cause = told.cause offset 0)
  -- In one order, so that two of these do not wait for each other.
  order by told.cause, told.error is null
  on conflict (cause) do nothing;
end $$;
