-- Whether a job that says this is about whom is sought: it has one of the labels, or one of the values among its arguments,
-- or what follows it has. _sought is {"labels": {"customer": "42"}, "args": [{"path": ["email"], "value": "a@b"}]}.
-- O(size), no table.
create or replace function pgqueue.is_sought(_sought jsonb, _args json, _labels jsonb, _follow_ups json)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
      select from jsonb_each_text(_sought -> 'labels') as label (key, value) where _labels ->> label.key = label.value)
    or _args is not null and exists (
      select from jsonb_to_recordset(_sought -> 'args') as arg (path text[], value text)
      where pgqueue.arg_is(_args, arg.path, arg.value))
  then
    return true;
  end if;
  return _follow_ups is not null and json_typeof(_follow_ups) = 'array' and exists (
    select from json_array_elements(_follow_ups) as each (said)
    where json_typeof(each.said) = 'object'
      and pgqueue.is_sought(_sought, each.said -> 'args', (each.said -> 'labels')::jsonb, each.said -> 'follow_ups'));
end $$;
