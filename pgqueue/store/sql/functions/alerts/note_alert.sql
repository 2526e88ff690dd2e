-- Note that something is wrong at a moment: since when, and how much; with _adds, how much more than was known. Opens
-- the alert if it was well. Walks alerts_pkey; O(1).
create or replace function pgqueue.note_alert(
  _kind text, _object text, _n bigint, _since timestamptz, _facts jsonb, _now timestamptz, _adds boolean default false)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pgqueue.alerts as known (key, kind, object, state, opened_at, noticed_at, last_at, n, bad, facts)
  values (pgqueue.alert_key(_kind, _object), _kind, left(_object, 1000), 'gathering', least(_since, _now), _now, _now, _n,
          1, _facts)
  on conflict (key) do update
  set state = case when known.state = 'well' then 'gathering' else known.state end,
      opened_at = case when known.state = 'well' then excluded.opened_at else known.opened_at end,
      noticed_at = case when known.state = 'well' then _now else known.noticed_at end,
      told = known.told and known.state <> 'well',
      told_n = case when known.state = 'well' then 0 else known.told_n end,
      n = excluded.n + case when _adds and known.state <> 'well' then known.n else 0 end,
      bad = case when known.state = 'well' then 1 when known.last_at < _now then known.bad + 1 else known.bad end,
      well = 0, last_at = _now, facts = excluded.facts;
end $$;
