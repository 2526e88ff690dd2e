-- A rate in words: `100/m` is at most 100 starts in any window of a minute, `5/10s` 5 in any of ten seconds. s, m, h, d.
-- `fault` is what is wrong with it, `hint` the nearest right one; else both are null. The words are those of rate.py.
create or replace function pgqueue.rate_of(
  _rate text, out starts int, out period float8, out fault text, out hint text)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _parts constant text[] := regexp_match(_rate, '^([0-9]{1,10})/([0-9]{0,7})([smhd])$');
  -- As others write it.
  _loose constant text[] := regexp_match(
    lower(_rate), '^\s*([0-9]{1,10})\s*(?:jobs?|starts?|times?)?\s*(?:/|:|(?:per|every|in|an?)\s)\s*'
      || '([0-9]{0,7})\s*(ms|s|m|h|d)?[a-z]*\s*$');
  _starts constant numeric := _parts[1]::numeric;
  _period constant float8 := coalesce(nullif(_parts[2], ''), '1')::float8
    * case _parts[3] when 's' then 1 when 'm' then 60 when 'h' then 3600 else 86400 end;
begin
  if _rate is null then
    return;
  end if;
  if _parts is null then
    fault := 'rate must read like 100/m, 50/s or 5/10s, got ' || quote_literal(left(_rate, 80));
    hint := case
      when _loose is null or coalesce(_loose[3], '') = 'ms' then 'so many starts in a s, m, h or d, or in several of them'
      else 'did you mean ''' || _loose[1] || '/' || _loose[2] || coalesce(_loose[3], 's') || '''?' end;
  elsif _starts not between 1 and 1000000000 then
    fault := 'a rate is from 1 to 1000000000 starts, got ' || quote_literal(_rate);
    hint := 'to start nothing at all, pause the queue';
  elsif _period not between 1 and 2678400 then
    fault := 'the window of a rate is from 1 s to 31 d, got ' || quote_literal(_rate);
    hint := 'for example 20/d';
  else
    starts := _starts;
    period := _period;
  end if;
end $$;
