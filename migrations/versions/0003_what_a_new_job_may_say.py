"""What a new job may say, for less than before; what queues are told, what workers know; dead jobs found by queue."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Few and short: PostgreSQL reads each anew for every statement that inserts. Not validated: it would read the table
# under a lock that keeps claims waiting; what is there already was checked as to run_at and priority.
# A timeout or a number of attempts that makes no sense is not refused any more: the claim takes it for unsaid.
CHECKS = """
alter table pgqueue.jobs
  drop constraint if exists jobs_timeout_check,
  drop constraint if exists jobs_max_attempts_check,
  drop constraint if exists jobs_priority_check,
  drop constraint if exists jobs_run_at,
  add constraint jobs_priority check (priority = any ('{0,1,2,3,4,5,6,7,8,9}')) not valid,
  add constraint jobs_times check (
    '[1900-01-01 00:00+00, 9999-01-01 00:00+00]'::tstzrange @> all (array[run_at, created_at])) not valid
"""

# Its text is a function's, and follows with all the others.
REFUSE = """
create or replace function pgqueue.refuse_used() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$ begin raise exception 'not a new job'; end $$
"""

# No function is called for a row that says nothing of this. After the insert, so that COPY goes on in batches.
TRIGGER = """
create trigger jobs_new after insert on pgqueue.jobs
for each row when (new.worker is not null or new.started_at is not null or new.claim <> 0)
execute function pgqueue.refuse_used()
"""

# Null where nothing is said.
QUEUES = """
alter table pgqueue.queues
  add column notify text collate "C" constraint queues_notify check (notify in ('idle', 'off'))
"""

# So that no list, count, retry or purge of some reads all. Written when a job dies, and at no other time. All tables
# are locked while it is built, 1.4 s for a million dead jobs: with many millions purge them first, or stop the workers.
DEAD_JOBS = "create index dead_jobs_queue on pgqueue.dead_jobs (queue, id)"

# Attempts are not overwritten any more.
OLD_FUNCTIONS = "drop function if exists pgqueue.clear_attempts(uuid[])"

# Null where nothing is said: no row is rewritten.
WORKER_COLUMNS = (
    "alter table pgqueue.workers"
    " add column targets text, add column unknown text[], add column passed text[], add column keep_unknown interval"
)

# Once for all workers of one app, and apart, so that the row of a lease stays narrow.
TARGETS = """
create table pgqueue.targets (
  hash        text collate "C" not null constraint targets_pkey primary key,
  names       text[]           not null,
  declared_at timestamptz      not null default now()
)
"""

# Beside `jobs`, so that what is never parked pays nothing for it.
PARKED = """
create table pgqueue.parked (
  job_id uuid             not null constraint parked_pkey primary key,
  claim  integer          not null,
  target text collate "C" not null,
  run_at timestamptz      not null,
  since  timestamptz      not null,
  until  timestamptz      not null
)
"""

PARKED_INDEXES = (
    "create index parked_target on pgqueue.parked (target, run_at)",
    "create index parked_until on pgqueue.parked (until)",
)

COMMENTS = (
    "comment on table pgqueue.targets is 'Which targets workers know; workers.targets names one row'",
    "comment on table pgqueue.parked is 'Waiting jobs whose target no live worker knew, with the run_at that they had'",
)


def upgrade() -> None:
    for statement in (CHECKS, REFUSE, TRIGGER, QUEUES, DEAD_JOBS, OLD_FUNCTIONS):
        op.execute(statement)
    for statement in (WORKER_COLUMNS, TARGETS, PARKED, *PARKED_INDEXES, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
