-- (nothing) -> a workflow without jobs, in the caller's transaction: the first statement of one, before its rows. Where
-- one of this id is there, or a live one has its unique key, that one's id is answered, and `created` is false: then
-- nothing more is to be written. A workflow that has ended lets go of its key.
-- Waits for whoever begins one of the same key. _deadline: seconds. Walks workflows_pkey, workflows_unique; O(log n).
create or replace function pgqueue.begin_workflow(
  _id uuid, _name text, _unique_key text, _deadline float8, _labels jsonb, _headers json,
  out id uuid, out created boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _holder uuid;
begin
  _unique_key := pgqueue.tenant_key(_unique_key);
  for round in 1..100 loop
    insert into pgqueue.workflows (id, name, unique_key, deadline, labels, headers)
    values (_id, _name, _unique_key,
            case when _deadline is not null then clock_timestamp() + make_interval(secs => least(_deadline, 3.2e9)) end,
            _labels, _headers)
    on conflict do nothing;
    created := found;
    if created then
      begin_workflow.id := _id;
      return;
    end if;
    select w.id into _holder
    from pgqueue.workflows as w
    where w.id = _id or w.unique_key = _unique_key
    order by w.id = _id desc
    limit 1;
    if _holder = _id or exists (select from pgqueue.jobs as job where job.workflow_id = _holder offset 0)
      or exists (select from pgqueue.waiting as v where v.workflow_id = _holder offset 0)
      or exists (select from pgqueue.dead_jobs as d where d.workflow_id = _holder offset 0)
      or exists (select from pgqueue.nodes as node where node.workflow_id = _holder and node.open offset 0)
    then
      begin_workflow.id := _holder;
      return;
    end if;
    if _holder is null and round > 2 and not pgqueue.sees_all_tenants() then
      raise exception 'the id % is taken', _id
        using errcode = 'unique_violation', schema = 'pgqueue', table = 'workflows', constraint = 'workflows_pkey',
              hint = 'let pgqueue make the id, or make one of version 7 of your own';
    end if;
    update pgqueue.workflows as w set unique_key = null where w.id = _holder and w.unique_key = _unique_key;
    if current_setting('transaction_isolation') <> 'read committed' and not found then
      raise exception 'the unique key % was taken while this transaction was open', _unique_key
        using errcode = 'serialization_failure', hint = 'enqueue again in a new transaction';
    end if;
  end loop;
  raise exception 'workflow % could not be enqueued: its unique key % changed hands 100 times', _id, _unique_key
    using hint = 'enqueue it again';
end $$;
