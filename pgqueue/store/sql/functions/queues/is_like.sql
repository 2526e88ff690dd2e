-- Whether a pattern means a name: `*` stands for any letters, `?` for one. As globs.py. O(1), no table.
-- One expression, so that the planner writes it into the statement that asks (is_heard.sql).
create or replace function pgqueue.is_like(_pattern text, _name text) returns boolean
language sql
immutable
return _name like
  translate(replace(replace(replace(_pattern, '!', '!!'), '%', '!%'), '_', '!_'), '*?', '%_') escape '!';
