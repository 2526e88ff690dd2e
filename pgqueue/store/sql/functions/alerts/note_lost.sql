-- Note that workers of these hosts have vanished, in the statement that takes back their jobs (reap.sql). Nothing if
-- nobody is to be told; a role that was not granted the tables of this release yet reaps all the same.
-- Walks alert_channels_pkey and alerts_pkey; O(hosts).
create or replace function pgqueue.note_lost(_hosts text[], _pids int[], _jobs int[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if _hosts is null or not exists (select from pgqueue.alert_channels) or pgqueue.alert_bound('worker_lost') is null then
    return;
  end if;
  perform pgqueue.note_alert(
    'worker_lost', gone.host, gone.n, clock_timestamp(), jsonb_build_object('pids', gone.pids, 'jobs', gone.jobs),
    clock_timestamp(), true)
  from (
    select told.host, count(*) as n, to_jsonb((array_agg(told.pid))[1:10]) as pids, sum(told.jobs) as jobs
    from unnest(_hosts, _pids, _jobs) as told (host, pid, jobs)
    group by told.host
    order by pgqueue.alert_key('worker_lost', told.host)
    limit 100) as gone;
exception when insufficient_privilege then
  null;
end $$;
