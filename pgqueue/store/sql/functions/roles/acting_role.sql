-- The role for which this session acts: that of SET ROLE, else the one that has logged in. Whose function it is in changes
-- nothing, unlike current_user. One expression, which the planner writes into the one that asks. O(1).
create or replace function pgqueue.acting_role() returns name
language sql stable
return case current_setting('role') when 'none' then session_user else current_setting('role')::name end;
