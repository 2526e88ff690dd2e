-- Workers whose lease ended more than $1 ago, and whose jobs nobody has taken back since. Reads `workers`.
select count(*), extract(epoch from clock_timestamp() - min(w.expires_at))::float8, min(w.host || ', pid ' || w.pid),
       (select count(*) from pgqueue.workers as live where live.expires_at > clock_timestamp())
from pgqueue.workers as w
where w.expires_at <= clock_timestamp() - $1::interval
