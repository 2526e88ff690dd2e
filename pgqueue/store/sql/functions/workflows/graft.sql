-- Jobs that a member adds to its own workflow as it succeeds, told as write_members.sql has it: the gates that its success
-- counts towards wait for each that is its `own`, too. It still owes its own count, so none of them can have opened.
-- What its success would have closed is closed by the last of them instead. For a member whose row the caller has locked,
-- and whose own links have not counted yet. What a job adds that is of no workflow is one of its own, called as its task.
-- Answers how many jobs. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.graft(_id uuid, _said json) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _base constant int := nextval('pgqueue.graft_numbers');
  _last constant int := _base + 9999;
  _own int;
  _adder record;
  _closing int[];
  _jobs int;
  _begun uuid;
begin
  select job.workflow_id, job.node, job.success_links, job.failure_links, job.target into _adder
  from pgqueue.jobs as job where job.id = _id;
  if _adder.workflow_id is null then
    select w.id into _begun from pgqueue.begin_workflow(pgqueue.uuid7(), _adder.target, null, null, null, null) as w;
    insert into pgqueue.nodes (workflow_id, node, name, total)
    select _begun, _last, _adder.target, count(*)
    from json_to_recordset(_said -> 'jobs') as new (node int)
    where new.node is null
    having count(*) > 0;
    return pgqueue.write_members(_begun, _said, _base, _last);
  end if;
  _own := pgqueue.own_among(_said);
  _closing := array(select link from unnest(_adder.success_links) as link where link < 0);
  if _closing <> '{}' and _own > 0 then
    _adder.success_links := array(select link from unnest(_adder.success_links) as link where link > 0) || _last;
    insert into pgqueue.gates (workflow_id, gate, unmet, total, links, pointless)
    values (_adder.workflow_id, _last, 1, 2, _closing, true);
    update pgqueue.jobs as job set success_links = _adder.success_links where job.id = _id;
  end if;
  _jobs := pgqueue.write_members(
    _adder.workflow_id, _said, _base, _adder.node, _adder.success_links, _adder.failure_links);
  perform pgqueue.raise_gates(_adder.workflow_id, _adder.success_links, _own);
  return _jobs;
end $$;
