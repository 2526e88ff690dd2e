-- Why a queue does not drain: every reason that there can be, in order, as explain() has them for a job. The first that
-- holds is the answer; number 0 is what waits there. `head` is the reason of the job that would be next.
-- Changes and locks nothing; counts 1,000 jobs on each side of now. See the parts for what they walk.
create or replace function pgqueue.explain_queue(_queue text)
returns table (ord int, code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  _any boolean := false;
  _depth record;
  _head record;
  _why record;
  _rule pgqueue.limits;
begin
  select * into _rule from pgqueue.limits as l where l.scope = 'queue' and l.name = _queue;
  select * into _depth from pgqueue.explain_depth(_queue);
  ord := 0;
  code := 'state';
  holds := false;
  text := format('queue %s: %s due, %s for later, %s with workers', _queue, _depth.ready_shown, _depth.later_shown,
                 _depth.held);
  detail := jsonb_strip_nulls(jsonb_build_object(
    'queue', _queue, 'ready', _depth.ready, 'later', _depth.later, 'held', _depth.held, 'oldest', _depth.oldest,
    'head', _depth.head, 'counted_to_the_end', _depth.whole));
  select * into text, detail, cure from pgqueue.within_bounds(text, detail, cure);
  return next;

  for code, holds, text, detail, cure in
    select 'empty', coalesce(_depth.ready = 0, false),
           case when _depth.ready > 0 then format('jobs are due, the first for %s',
                                                  pgqueue.time_between(_depth.oldest, statement_timestamp()))
                when _depth.ready is null then 'how many jobs are due was not counted: very many dead rows are in the way'
                when _depth.next is not null then format('no job is due; the next falls due in %s',
                                                         pgqueue.time_between(statement_timestamp(), _depth.next))
                else 'no job waits' end,
           jsonb_strip_nulls(jsonb_build_object('oldest', _depth.oldest, 'next', _depth.next)), null::text
    union all
    select * from pgqueue.explain_pause(_queue)
    union all
    select * from pgqueue.explain_limit(_rule, _queue, 1)
    union all
    select * from pgqueue.explain_workers(_queue, null, null)
    union all
    select * from pgqueue.explain_lanes(_queue)
    union all
    select * from pgqueue.explain_slots(_queue, null)
  loop
    ord := ord + 1;
    _any := _any or coalesce(holds, false);
    if _depth.head_target is not null then
      -- For want of a target it was asked for any; the next job's app would do.
      cure := replace(cure, 'pgqueue worker -A MODULE',
                      'pgqueue worker -A ' || pgqueue.shell_word(split_part(_depth.head_target, ':', 1)));
    end if;
    select * into text, detail, cure from pgqueue.within_bounds(text, detail, cure);
    return next;
  end loop;

  if _depth.head is not null then
    select each.code, each.text, each.cure, each.detail into _why
    from pgqueue.explain(_depth.head) as each
    where each.holds
    order by each.ord
    limit 1;
    ord := ord + 1;
    code := 'head';
    holds := _why.code in ('unknown_target', 'avoids_host', 'locked', 'unique', 'limit_full', 'limit_new', 'rate', 'lane', 'expired',
                           'deaf');
    text := format('its next job, %s: %s', _depth.head, _why.text);
    detail := jsonb_build_object('job', _depth.head, 'code', _why.code, 'detail', _why.detail);
    cure := _why.cure;
    select * into text, detail, cure from pgqueue.within_bounds(text, detail, cure);
    _any := _any or coalesce(holds, false);
    return next;
  end if;
  if not _any then
    ord := ord + 1;
    code := 'draining';
    holds := true;
    text := 'nothing holds it back: its jobs run one after the other, as slots become free';
    detail := '{}';
    cure := null;
    return next;
  end if;
  select * into code, holds, text, detail, cure from pgqueue.explain_horizon();
  ord := ord + 1;
  return next;
end $$;
