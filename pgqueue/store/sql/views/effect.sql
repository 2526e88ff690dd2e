-- The ledger of effects as it stands: what was reserved by an attempt that is none any more is unknown.
create or replace view pgqueue.effect as
select
  e.scope, e.key,
  case when e.state = 'reserved' and not pgqueue.is_running(e.job_id, e.worker, e.claim) then 'unknown'
    else e.state end as state,
  e.reserved_at, e.done_at, e.expires_at, e.target, e.job_id, e.attempt,
  case when pgqueue.sees_payloads() or e.value is null then e.value
       else '"(not shown: this role may not read what jobs carry)"' end as value
from pgqueue.effects as e;
