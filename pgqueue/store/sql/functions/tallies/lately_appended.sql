-- The attempts of a worker that ended later than _until, in the pages of a table, or of a partition, from _first on. A part of
-- make_up(). Reads those pages.
create or replace function pgqueue.lately_appended(_place text, _first bigint, _worker bigint, _until timestamptz)
returns table (job_id uuid, claim int, queue text, target text, outcome text, cause text, run_at timestamptz,
               started_at timestamptz, finished_at timestamptz, ends boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return query execute format(
    'select last.job_id, last.claim, last.queue::text, last.target::text, last.outcome::text, last.cause::text, last.run_at,'
    ' last.started_at, last.finished_at, last.args is not null'
    ' from pgqueue.%I as last where last.ctid >= $1 and last.worker = $2 and last.finished_at > $3', _place)
  using format('(%s,0)', _first)::tid, _worker, _until;
end $$;
