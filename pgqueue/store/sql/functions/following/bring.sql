-- (nothing) -> scheduled | ready for one job that an end brings along, told as JSON, a child of the job that has ended.
-- What is refused (a queue that is full, too deep a lineage, a constraint of somebody's) must not refuse that end: the
-- job is then dead from the beginning (bury_new.sql), to be seen and revived. O(log n).
create or replace function pgqueue.bring(_parent uuid, _new json, _how text, _max_depth int, _max_children int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before constant text := current_setting('pgqueue.tenant', true);
  _said text;
  _state text;
begin
  perform from pgqueue.spawn(_parent, json_build_array(_new), _how, _max_depth, _max_children);
exception when others then
  -- What passes, is about the whole server, or about the rights of who settles, is no matter of this job. That it waited
  -- in vain for its unique key (55P03) is: somebody's open transaction must not hold up the settling of others.
  if sqlstate ~ '^(40|53|57|58|42501)' and sqlstate <> '53400' then
    raise;
  end if;
  get stacked diagnostics _said = message_text, _state = returned_sqlstate;
  begin
    perform pgqueue.act_for_job(_parent);
    perform pgqueue.bury_new(_parent, _new, _how, _said, _state);
    perform pgqueue.act_for(_before);
  exception when others then
    if sqlstate ~ '^(40|53|55|57|58|42501)' then
      raise;
    end if;
    raise warning 'job % brought a job of % that cannot be written: % (%)', _parent, _new ->> 'target', _said, _state;
  end;
end $$;
