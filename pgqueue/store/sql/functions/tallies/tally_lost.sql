-- Count attempts that were lost, in the statement that takes them back (lose_together.sql): who had them cannot.
-- A role that may reap, and was not granted the tables of this release yet, reaps all the same. Appends; O(rows).
create or replace function pgqueue.tally_lost(_queues text[], _targets text[], _ended boolean[], _error text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.tally(jsonb_agg(to_jsonb(lost)))
  from (
    select told.queue, told.target, 'lost' as outcome, count(*) as n, count(*) filter (where told.ended) as ended,
           pgqueue.cause_of(told.target, 'pgqueue.WorkerLost', _error, null) as cause,
           'pgqueue.WorkerLost' as error_type, _error as error
    from unnest(_queues, _targets, _ended) as told (queue, target, ended)
    group by told.queue, told.target
    limit 5000) as lost
  having count(*) > 0;
exception when insufficient_privilege then
  null;
end $$;
