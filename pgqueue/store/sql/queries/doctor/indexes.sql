-- Indexes of pgqueue that are missing, or were not built to their end, with what makes each anew; and how many there are
-- to be. Reads the catalogue.
with wanted (name, made) as (values
  ('attempts_pkey', 'alter table pgqueue.attempts add constraint attempts_pkey primary key (job_id, claim)'),
  ('audit_pkey', 'alter table pgqueue.audit add constraint audit_pkey primary key (id)'),
  ('cancellations_pkey', 'alter table pgqueue.cancellations add constraint cancellations_pkey primary key (job_id)'),
  ('causes_first', 'create index concurrently causes_first on pgqueue.causes (first_at)'),
  ('causes_pkey', 'alter table pgqueue.causes add constraint causes_pkey primary key (cause)'),
  ('causes_resolved', 'create index concurrently causes_resolved on pgqueue.causes (resolved_at) where (resolved_at is not null)'),
  ('dead_jobs_cause', 'create index concurrently dead_jobs_cause on pgqueue.dead_jobs (cause, id)'),
  ('dead_jobs_pkey', 'alter table pgqueue.dead_jobs add constraint dead_jobs_pkey primary key (id)'),
  ('dead_jobs_queue', 'create index concurrently dead_jobs_queue on pgqueue.dead_jobs (queue, id)'),
  ('depths_pkey', 'alter table pgqueue.depths add constraint depths_pkey primary key (span, minute, queue)'),
  ('depths_queue', 'create index concurrently depths_queue on pgqueue.depths (queue, span, minute)'),
  ('duties_pkey', 'alter table pgqueue.duties add constraint duties_pkey primary key (name)'),
  ('feed_batches_pkey', 'alter table pgqueue.feed_batches add constraint feed_batches_pkey primary key (feed, batch)'),
  ('feeds_pkey', 'alter table pgqueue.feeds add constraint feeds_pkey primary key (name)'),
  ('holds_pkey', 'alter table pgqueue.holds add constraint holds_pkey primary key (name, seq)'),
  ('jobs_claim', 'create index concurrently jobs_claim on pgqueue.jobs (queue, priority, run_at, id) where (lane is null)'),
  ('jobs_coming', 'create index concurrently jobs_coming on pgqueue.jobs (queue, run_at, id) where ((lane is not null) and (lined is null))'),
  ('jobs_lane', 'create index concurrently jobs_lane on pgqueue.jobs (queue, priority, lane, run_at, id) where lined'),
  ('jobs_pkey', 'alter table pgqueue.jobs add constraint jobs_pkey primary key (id)'),
  ('jobs_unique', 'create unique index concurrently jobs_unique on pgqueue.jobs (unique_key) where (unique_key is not null)'),
  ('limits_new', 'create index concurrently limits_new on pgqueue.limits (scope) where (not adopted)'),
  ('limits_ordered', 'create index concurrently limits_ordered on pgqueue.limits (name) where ordered'),
  ('limits_pkey', 'alter table pgqueue.limits add constraint limits_pkey primary key (scope, name)'),
  ('limits_prefixes', 'create index concurrently limits_prefixes on pgqueue.limits (length(name)) where ((scope = ''key''::text) and ("right"(name, 1) = ''*''::text))'),
  ('limits_tasks', 'create index concurrently limits_tasks on pgqueue.limits (name) where (scope = ''task''::text)'),
  ('meters_pkey', 'alter table pgqueue.meters add constraint meters_pkey primary key (name)'),
  ('operations_pkey', 'alter table pgqueue.operations add constraint operations_pkey primary key (id)'),
  ('operations_running', 'create index concurrently operations_running on pgqueue.operations (id) where ((state = ''running''::text) and detached)'),
  ('parked_pkey', 'alter table pgqueue.parked add constraint parked_pkey primary key (job_id)'),
  ('parked_target', 'create index concurrently parked_target on pgqueue.parked (target, run_at)'),
  ('parked_until', 'create index concurrently parked_until on pgqueue.parked (until)'),
  ('queues_limited', 'create index concurrently queues_limited on pgqueue.queues (name) where limited'),
  ('queues_pkey', 'alter table pgqueue.queues add constraint queues_pkey primary key (name)'),
  ('queues_said', 'create index concurrently queues_said on pgqueue.queues (name) where ((timeout is not null) or (max_attempts is not null) or (priority is not null) or (ageing is not null))'),
  ('results_pkey', 'alter table pgqueue.results add constraint results_pkey primary key (job_id)'),
  ('revisions_pkey', 'alter table pgqueue.revisions add constraint revisions_pkey primary key (job_id, at)'),
  ('routes_pkey', 'alter table pgqueue.routes add constraint routes_pkey primary key (pattern)'),
  ('rule_sets_pkey', 'alter table pgqueue.rule_sets add constraint rule_sets_pkey primary key (source, hash)'),
  ('schedules_due', 'create index concurrently schedules_due on pgqueue.schedules (next_at) where (paused_by is null)'),
  ('schedules_pkey', 'alter table pgqueue.schedules add constraint schedules_pkey primary key (name)'),
  ('tallies_cause', 'create index concurrently tallies_cause on pgqueue.tallies (cause, minute) where (cause is not null)'),
  ('tallies_raw', 'create index concurrently tallies_raw on pgqueue.tallies (minute) where (worker is not null)'),
  ('tallies_span', 'create index concurrently tallies_span on pgqueue.tallies (span, minute)'),
  ('targets_pkey', 'alter table pgqueue.targets add constraint targets_pkey primary key (hash)'),
  ('ticks_decided', 'create index concurrently ticks_decided on pgqueue.ticks (decided_at)'),
  ('ticks_pkey', 'alter table pgqueue.ticks add constraint ticks_pkey primary key (schedule, scheduled_for)'),
  ('unique_windows_pkey', 'alter table pgqueue.unique_windows add constraint unique_windows_pkey primary key (unique_key)'),
  ('unique_windows_until', 'create index concurrently unique_windows_until on pgqueue.unique_windows (until)'),
  ('worker_reports_pkey', 'alter table pgqueue.worker_reports add constraint worker_reports_pkey primary key (id)'),
  ('workers_pkey', 'alter table pgqueue.workers add constraint workers_pkey primary key (id)')
)
select wanted.name, case when c.oid is null then 'missing' else 'invalid' end,
       case when c.oid is null then wanted.made || ';' else format('reindex index concurrently pgqueue.%I;', wanted.name) end
from wanted
left join pg_class as c on c.relnamespace = to_regnamespace('pgqueue') and c.relname = wanted.name
left join pg_index as i on i.indexrelid = c.oid
where c.oid is null or not i.indisvalid or not i.indisready
union all
select null, (select count(*)::text from wanted), null
order by 1 nulls last
