-- The unique key that a target and its arguments make: the same for all who mean the same call, from SQL or from
-- Python (pgqueue/store/keys.py). Arguments with a character that no text can hold count as they are written.
-- O(size log size).
create or replace function pgqueue.args_key(_target text, _args json) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _text text;
begin
  begin
    _text := pgqueue.canonical(_args);
  exception when untranslatable_character or invalid_text_representation then
    _text := _args::text;
  end;
  return 'args:' || encode(sha256(convert_to(_target || chr(10) || _text, 'UTF8')), 'hex');
end $$;
