-- A worker says which arguments of its tasks are sensitive: what each target says, and a hash that stands for it. What is
-- there already stays as it is, and nothing that was said before goes. Walks sensitive_pkey; O(targets log n).
create or replace function pgqueue.declare_sensitive(_targets text[], _hashes text[], _said text[]) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- In order, so that two workers do not deadlock.
  insert into pgqueue.sensitive (target, hash, said)
  select told.target, told.hash, told.said::json
  from unnest(_targets, _hashes, _said) as told (target, hash, said)
  order by told.target collate "C", told.hash collate "C"
  on conflict do nothing
$$;
