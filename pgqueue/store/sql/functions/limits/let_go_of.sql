-- Give back a share that hold() answered; false if it had run out, or was given back before, and others may have had it:
-- never of a key whose limit is a rate alone. Workers that wait for the
-- key's jobs are told. Walks holds_pkey and the heads of the queues; O(queues log n), at most 100 queues.
create or replace function pgqueue.let_go_of(_key text, _seq bigint) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _kept boolean;
begin
  delete from pgqueue.holds as h where h.name = 'k:' || _key and h.seq = _seq and h.expires_at is not null
  returning h.expires_at > clock_timestamp() into _kept;
  if found then
    perform pgqueue.wake(told.queue) from unnest(pgqueue.keyed_queues('', 100, false)) as told (queue);
    return _kept;
  end if;
  return not exists (select from pgqueue.rule_of_key(_key) as rule where rule.concurrency is not null);
end $$;
