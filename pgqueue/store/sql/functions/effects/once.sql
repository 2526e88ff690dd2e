-- For transactions of applications, in any language: `first` if nobody has done this yet, and it commits as done with
-- the transaction; else what is known: `done` with when, by which job and what came of it, `busy` while another one
-- is at it, `unknown` if an attempt vanished over it. Do it only on `first`.
-- Waits for an open transaction, at most _wait. Walks effects_pkey; O(log n).
create or replace function pgqueue.once(
  _key text, _scope text default 'default', _keep interval default '30 days', _wait interval default '10 seconds',
  _take_unknown boolean default false,
  out standing text, out job_id uuid, out reserved_at timestamptz, out done_at timestamptz, out value json)
language sql
set search_path = pg_catalog, pg_temp
as $$
  select e.standing, e.job_id, e.reserved_at, e.done_at, e.value
  from pgqueue.enter_effect(
    _scope, _key, 'done', _keep, extract(epoch from _wait)::float8, _take_unknown, null, null, null, null, null) as e
$$;
