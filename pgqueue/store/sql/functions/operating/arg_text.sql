-- The text of a value inside arguments, its first 200 characters; null if there is none, or if no text can be made of it: an
-- index of it (`pgqueue index add`) must refuse no job that ends. O(length), no table; a microsecond or ten.
create or replace function pgqueue.arg_text(_args json, _path text[]) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return left(_args #>> _path, 200);
exception when others then
  return null;
end $$;
