-- A text as it is, or, if it cannot be said in UTF-8, with its bytes written out: so that it hurts its own job alone.
-- For databases of another encoding; in SQL_ASCII anything can stand. O(length).
create or replace function pgqueue.readable(_text text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if getdatabaseencoding() = 'SQL_ASCII' then
    perform convert_from(convert_to(_text, 'SQL_ASCII'), 'UTF8');
  else
    perform convert_to(_text, 'UTF8');
  end if;
  return _text;
exception when character_not_in_repertoire or untranslatable_character then
  return encode(convert_to(_text, getdatabaseencoding()), 'escape');
end $$;
