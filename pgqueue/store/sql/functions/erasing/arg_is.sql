-- Whether a value inside JSON is this text; false where there is none, or no text can be made of it. O(length), no table.
create or replace function pgqueue.arg_is(_json json, _path text[], _value text) returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((_json #>> _path) = _value, false);
exception when others then
  return false;
end $$;
