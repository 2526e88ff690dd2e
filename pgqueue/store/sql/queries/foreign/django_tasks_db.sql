-- Waiting tasks of django-tasks-db behind an id.
-- Walks {table}'s primary key; O(batch), and all of them together O(rows): it keeps what has ended, too.
-- A task for no moment has the year 9999, and has been due since it was enqueued.
select id, task_path, args_kwargs::text::bytea, queue_name::text, priority,
  case when run_after < '9998-12-31' then run_after else enqueued_at end, null::text, null::text
from {table}
where status = 'READY' and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
order by id
limit $2
