-- Upkeep of workflows: counts that were left are taken up, those whose deadline has passed are cancelled, and what is asked
-- of others goes on: of ten at once, about a thousand jobs a call. Waits for nobody. Costs a look at three empty indexes
-- while there is nothing to do; O(1,000 log n).
create or replace function pgqueue.tend_workflows() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _one record;
  _left int := 1000;
begin
  if exists (select from pgqueue.arrivals) then
    _left := _left - pgqueue.fold(clock_timestamp());
  end if;
  for _one in
    select w.id,
           exists (select from pgqueue.jobs as job where job.workflow_id = w.id offset 0)
             or exists (select from pgqueue.waiting as v where v.workflow_id = w.id offset 0) as alive
    from pgqueue.workflows as w
    where w.deadline <= clock_timestamp() and w.asked is null
    order by w.deadline
    limit 10
    for update skip locked
  loop
    exit when _left <= 0;
    begin
      if _one.alive then
        _left := _left - pgqueue.cancel_workflow(_one.id, _left, 'its deadline has passed');
      else
        -- It was in time.
        update pgqueue.workflows as w set deadline = null where w.id = _one.id;
      end if;
    exception when others then
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      raise warning 'workflow % cannot be cancelled: % (%)', _one.id, sqlerrm, sqlstate;
    end;
  end loop;
  for _one in
    select w.id, w.asked, w.asked_why from pgqueue.workflows as w
    where w.asked is not null and w.settled_at is null
    order by w.id
    limit 10
    for update skip locked
  loop
    exit when _left <= 0;
    begin
      _left := _left - coalesce(case _one.asked
        when 'cancel' then pgqueue.cancel_workflow(_one.id, _left, _one.asked_why)
        else pgqueue.retry_workflow(_one.id, _left) end, 0);
    exception when others then
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      raise warning 'workflow % cannot be %: % (%)', _one.id,
        case _one.asked when 'cancel' then 'cancelled' else 'retried' end, sqlerrm, sqlstate;
    end;
  end loop;
end $$;
