-- The kinds of alerts: from where on each is one, unless alert_rules says otherwise, and what that number is. No table.
create or replace function pgqueue.alert_bounds() returns table (kind text, bound float8, meaning text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('dead', 20::float8, 'dead jobs of a known cause in 10 minutes; the first of a new one, or of one that was resolved, always'),
    ('stalled', 3600, 'seconds that a job of a queue has been due'),
    ('unserved', 60, 'seconds that a job has been due in a queue that no worker serves'),
    ('growing', 1800, 'seconds that a queue has grown, and does not stop'),
    ('schedule', 120, 'seconds that nobody looked at a schedule; a tick that was missed always'),
    ('horizon', 1800, 'seconds that a transaction has kept ended jobs from being cleaned away'),
    ('worker_lost', 1, 'workers of a host that vanished'),
    ('limit_starved', 3600, 'seconds that a job has been due that a limit holds back'),
    ('workflow', 1, 'workflows that have failed within the last hour'),
    ('doctor', 600, 'seconds between two rounds of the doctor, of which each FAIL is told')
$$;
