-- Count the live jobs of a queue that may be full, those of the open transaction with them: grant what room there is, or
-- refuse the job `_id`, or drop the oldest (on_full).
-- What was granted is a number that only nextval and setval touch: producers wait for one another only while one counts.
-- A queue that was found full is full for ten times as long as the count took, a second at most, and not counted again.
-- With drop_oldest it holds up to a hundredth more than max_size between two counts.
-- Jobs that other transactions have not committed are not seen. Reads at most max_size + 10,001 rows; walks
-- jobs_claim, jobs_lane, jobs_coming.
create or replace function pgqueue.make_room(_queue text, _id uuid, _room regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _began timestamptz;
  _max int;
  _drops boolean;
  _granted bigint;
  _mine record;
  _held bigint;
  _coming bigint;
  _own bigint;
  _surplus bigint := 0;
  _full boolean := false;
begin
  begin
    -- Let go of below, by undoing this block: to COMMIT would have all producers wait for each other.
    perform pg_advisory_xact_lock(7709, hashtext(_queue));
    _granted := nextval(_room);
    select q.max_size, q.on_full = 'drop_oldest' into _max, _drops from pgqueue.queues as q where q.name = _queue;
    _began := clock_timestamp();
    if _granted >= 0 or _max is null then
      null;
    elsif -_granted > extract(epoch from _began) * 1e9 then
      _full := true;
    else
      -- Those of the same statement that are still to be asked for, behind this one: they are counted already.
      select job.xmin, job.cmin into _mine from pgqueue.jobs as job where job.id = _id;
      select count(*), count(*) filter (where held.xmin = _mine.xmin),
             count(*) filter (where held.id > _id and held.xmin = _mine.xmin and held.cmin = _mine.cmin)
      into _held, _own, _coming
      from (
        (select job.id, job.xmin, job.cmin from pgqueue.jobs as job
         where job.queue = _queue and job.lane is null limit _max + 10001)
        union all
        (select job.id, job.xmin, job.cmin from pgqueue.jobs as job
         where job.queue = _queue and job.lined limit _max + 10001)
        union all
        (select job.id, job.xmin, job.cmin from pgqueue.jobs as job
         where job.queue = _queue and job.lane is not null and job.lined is null limit _max + 10001)
        limit _max + 10001) as held;
      if _drops then
        _surplus := least(greatest(_held - _max, 0), 10000);
        perform setval(_room, greatest(_max - _held, 0) + _max / 100 + _coming);
      elsif _held > _max then
        _full := true;
        -- Full for others, too, unless it is the jobs of this transaction that are too many.
        perform setval(_room, case
          when _held - _own < _max then -1
          else -((extract(epoch from clock_timestamp())
                  + least(10 * extract(epoch from clock_timestamp() - _began), 1)) * 1e9)::bigint end);
      else
        perform setval(_room, _max - _held + _coming);
      end if;
    end if;
    raise exception 'let go of the lock' using errcode = 'PGQ01';
  exception when sqlstate 'PGQ01' then
    null;
  end;
  if _full then
    raise exception 'the queue % is full: it holds % jobs', quote_literal(_queue), _max
      using errcode = 'configuration_limit_exceeded', schema = 'pgqueue', table = 'queues', constraint = 'queues_full',
            detail = _queue, hint = 'enqueue it again when workers have caught up, or raise its max_size';
  end if;
  if _surplus > 0 then
    perform pgqueue.drop_oldest(_queue, _surplus::int, _max);
  end if;
end $$;
