-- Whether a notification for this queue should be sent: somebody idle listens, or every one is wanted.
-- An idle worker holds the shared advisory lock of its queues, or that of all queues, on its listening connection.
-- try and unlock stay one expression: nothing can interrupt between them and leave a session lock behind.
-- One expression, so that the planner writes it into the statement that asks; bound to pg_catalog when it is created,
-- because a function that sets its own search_path cannot be. O(1), no table.
create or replace function pgqueue.is_heard(_queue text) returns boolean
language sql
return
  current_setting('pgqueue.notify', true) = 'always'
  or (case when pg_try_advisory_lock(7701, hashtext(_queue))
        then not pg_advisory_unlock(7701, hashtext(_queue)) else true end)
  or (case when pg_try_advisory_lock(7702, 0)
        then not pg_advisory_unlock(7702, 0) else true end);
