-- running -> retrying | dead, for jobs whose worker has no row: it was deleted by hand, or the job was moved under the
-- reaper's search by a VACUUM FULL. Such a worker's heartbeat finds its lease gone; what it settles late changes
-- nothing.
-- Reads at most _pages pages of `jobs`, all of a small table, else a stretch taken by chance. Nobody is suspected of a
-- crash. Answers how many jobs were taken back. For every few minutes.
create or replace function pgqueue.reap_orphans(_pages int default 32768) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _size constant bigint := pg_relation_size('pgqueue.jobs') / current_setting('block_size')::int;
  _from constant bigint := floor(random() * ceil(_size::float8 / _pages))::bigint * _pages;
  _taken uuid[];
begin
  select pgqueue.lose(
      array_agg(orphan.id), array_agg(orphan.worker), array_agg(false),
      array_agg(exists (select from pgqueue.workers as w where orphan.target = any (w.at_most_once))))
  into _taken
  from pgqueue.held_by(null, _from, _from + _pages) as orphan;
  return coalesce(cardinality(_taken), 0);
end $$;
