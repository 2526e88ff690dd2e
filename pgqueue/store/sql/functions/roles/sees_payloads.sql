-- Whether this role may read what jobs carry: arguments, results, values of steps and effects. It may if it may read the
-- arguments of `jobs`. One expression, which the planner writes into the views that ask. O(1).
create or replace function pgqueue.sees_payloads() returns boolean
language sql stable
return has_column_privilege('pgqueue.jobs'::regclass, 'args', 'select');
