-- Whether the job of this id, which this transaction has just inserted, had ended before: somebody else's call with the
-- same id came first. Then the new row is taken back. Raises a serialization failure where this transaction's snapshot,
-- or its rights, do not let it find out. Walks jobs_pkey, attempts_pkey, dead_jobs_pkey; O(log n).
create or replace function pgqueue.ended_meanwhile(_id uuid) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if (select count(*) from pgqueue.jobs as job where job.id = _id) > 1 then
    -- This transaction still sees the job that has ended since its snapshot was taken, but not its end.
    raise exception 'job % ended while this transaction was open', _id
      using errcode = 'serialization_failure', hint = 'enqueue it again in a new transaction';
  end if;
  if pgqueue.has_ended(_id) then
    if not has_table_privilege('pgqueue.jobs', 'delete') then
      raise exception 'job % ended just now', _id
        using errcode = 'serialization_failure', hint = 'enqueue it again in a new transaction';
    end if;
    delete from pgqueue.jobs as job where job.id = _id;
    return true;
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    -- Nor does it see a job that has come and ended since; but it runs into its first attempt: 40001.
    insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)
    values (_id, 1, 0, 'probe', '', '')
    on conflict do nothing;
    delete from pgqueue.attempts as attempt where attempt.job_id = _id and attempt.outcome = 'probe';
  end if;
  return false;
end $$;
