-- Whether a live worker serves a queue, knows a target (null: not asked), and may have it on its host: a part of
-- explain() and explain_queue(). _avoid_host is the host that the job is to avoid now, or null.
-- Reads every row of `workers`, and its row of `targets`; O(workers × names).
create or replace function pgqueue.explain_workers(_queue text, _target text, _avoid_host text)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set jit = off
as $$
#variable_conflict use_column
declare
  _fleet record;
  _nearest text;
  _covering constant text[] := pgqueue.covering_names(_target);
  _app constant text := 'pgqueue worker -A '
    || case when _target is null then 'MODULE' else pgqueue.shell_word(split_part(_target, ':', 1)) end;
begin
  -- Once for all workers alike.
  with known as materialized (
    select told.hash, told.names && _covering as it from pgqueue.targets as told
    where _target is not null
      and told.hash = any (array(select distinct live.targets from pgqueue.workers as live where live.targets is not null))
  )
  select count(*) as live, count(*) filter (where seen.serves) as serving,
         count(*) filter (where seen.serves and seen.awake) as awake,
         count(*) filter (where seen.serves and seen.awake and seen.knows) as knowing,
         count(*) filter (where seen.serves and seen.awake and seen.knows and seen.host is distinct from _avoid_host)
           as elsewhere,
         (array_agg(seen.id) filter (where seen.serves and not seen.awake))[:5] as quiet,
         (array_agg(distinct seen.named))[:5] as named
  into _fleet
  from (
    select w.id, w.host, w.asked is null as awake, array_to_string(w.queues, ',') as named,
           pgqueue.serves(w.queues, _queue) as serves,
           _target is null or _target <> all (coalesce(w.unknown, '{}'))
             and (known.hash is null or known.it) as knows
    from pgqueue.workers as w
    left join known on known.hash = w.targets
    where w.expires_at > clock_timestamp()) as seen;

  code := 'unserved';
  holds := _fleet.awake = 0;
  text := case
    when _fleet.live = 0 then 'no worker runs'
    when _fleet.serving = 0 then format('no worker serves queue %s: the %s that live serve %s', _queue, _fleet.live,
                                        array_to_string(_fleet.named, '; '))
    when holds then format('the workers that serve queue %s claim nothing more: %s asked to be quiet or to stop', _queue,
                           case when _fleet.serving = 1 then '1 is' else _fleet.serving || ' are' end)
    else format('%s queue %s', case when _fleet.awake = 1 then '1 worker serves' else _fleet.awake || ' workers serve' end,
                _queue) end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'queue', _queue, 'live', _fleet.live, 'serving', _fleet.serving, 'awake', _fleet.awake, 'quiet', _fleet.quiet));
  cure := case
    when not holds then null
    when _fleet.live = 0 then _app
    when _fleet.serving = 0 then _app || ' -Q ' || pgqueue.shell_word(_queue)
    else 'pgqueue workers resume ' || array_to_string(_fleet.quiet, ' ') end;
  return next;
  if _target is null then
    return;
  end if;

  code := 'unknown_target';
  holds := case when _fleet.awake > 0 then _fleet.knowing = 0 end;
  _nearest := case when holds then pgqueue.nearest_target(_target) end;
  text := case
    when holds is null then format('whether a worker knows %s is not known: none serves its queue', _target)
    when holds then format('no live worker that serves its queue knows %s%s', _target,
                           coalesce('; the nearest task is ' || _nearest, ''))
    else format('%s %s', case when _fleet.knowing = 1 then '1 of them knows' else _fleet.knowing || ' of them know' end,
                _target) end;
  detail := jsonb_strip_nulls(jsonb_build_object('target', _target, 'knowing', _fleet.knowing, 'nearest', _nearest));
  cure := case when holds then _app end;
  return next;

  if _avoid_host is not null then
    code := 'avoids_host';
    holds := case when _fleet.knowing > 0 then _fleet.elsewhere = 0 end;
    text := format('it failed on host %s, which does not get it until 30 s after it fell due%s', _avoid_host,
                   case when holds then ', and no other host has a worker for it' else '' end);
    detail := jsonb_build_object('host', _avoid_host, 'elsewhere', _fleet.elsewhere);
    cure := case when holds then _app end;
    return next;
  end if;
end $$;
