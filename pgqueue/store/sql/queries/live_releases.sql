-- The release of pgqueue that each live worker is of, with how many are; null where one has not said it yet, which it
-- does with its first heartbeat, or says something else. Reads `workers` and `worker_reports`.
select substring(reports.report ->> 'pgqueue' from '^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$'), count(*)
from pgqueue.workers as w left join pgqueue.worker_reports as reports on reports.id = w.id
where w.expires_at > now()
group by 1
order by 1 nulls first
