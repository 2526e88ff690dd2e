-- The largest arguments among the newest $1 jobs that have not ended, as stored, and their average. Walks jobs_pkey
-- backwards; a size is read without the value.
select sized.id::text, sized.target, sized.bytes, (avg(sized.bytes) over ())::bigint
from (
  select newest.id, newest.target, pg_column_size(newest.args) as bytes
  from (select j.id, j.target, j.args from pgqueue.jobs as j order by j.id desc limit $1::int) as newest) as sized
order by sized.bytes desc
limit 1
