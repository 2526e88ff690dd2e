"""Jobs and their companions: one hot table of jobs that have not ended, and what is only appended to.

No foreign keys: a reference would take KEY SHARE on the hot rows, breed MultiXacts, and hide jobs from SKIP LOCKED.
Functions and views are not here: `pgqueue migrate` re-applies each of them from its own file.
"""

from alembic import op

revision = "0001"
down_revision = None

JOBS = """
create table pgqueue.jobs (
  id           uuid        not null,
  run_at       timestamptz not null default clock_timestamp(),
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  -- Who has it. In no index and no index predicate: a claim stays a HOT update.
  started_at   timestamptz,
  worker       bigint,
  timeout      float8      check (timeout > 0),
  claim        integer     not null default 0,
  priority     smallint    not null default 5 check (priority between 0 and 9),
  attempt      smallint    not null default 0,
  crashes      smallint    not null default 0,
  max_attempts smallint    check (max_attempts > 0),
  store_result boolean,
  queue        text collate "C" not null default 'default' check (queue <> ''),
  target       text collate "C" not null,
  args         json        not null default '{}',
  unique_key   text collate "C",
  limit_key    text collate "C",
  labels       jsonb,
  constraint jobs_pkey primary key (id),
  -- Every driver can read these; '-infinity' would be due, and a poison to those that cannot.
  constraint jobs_run_at check (run_at between '1900-01-01 00:00+00' and '9999-01-01 00:00+00')
) with (
  -- Room for the one HOT update, the claim, of each row.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500000
)
"""

# The first: one ordered range scan per slot (queue, priority). The second is empty while no unique keys are used.
JOBS_INDEXES = (
    "create index jobs_claim on pgqueue.jobs (queue, priority, run_at, id)",
    "create unique index jobs_unique on pgqueue.jobs (unique_key) where unique_key is not null",
)

# Pruned in id order: ids of version 7 are ordered by time, so the primary key serves.
ATTEMPTS = """
create table pgqueue.attempts (
  job_id       uuid        not null,
  started_at   timestamptz,
  finished_at  timestamptz not null default now(),
  worker       bigint,
  claim        integer     not null,
  attempt      smallint    not null,
  outcome      text collate "C" not null,
  queue        text collate "C" not null,
  target       text collate "C" not null,
  error_type   text,
  error        text,
  traceback    text,
  -- Carried by the last attempt of a job alone, so that history stays readable.
  created_at   timestamptz,
  run_at       timestamptz,
  priority     smallint,
  max_attempts smallint,
  args         json,
  labels       jsonb,
  unique_key   text collate "C",
  limit_key    text collate "C",
  constraint attempts_pkey primary key (job_id, claim)
) with (autovacuum_vacuum_insert_scale_factor = 0.1)
"""

RESULTS = """
create table pgqueue.results (
  job_id     uuid        not null constraint results_pkey primary key,
  expires_at timestamptz not null,
  result     json        not null
)
"""

DEAD_JOBS = """
create table pgqueue.dead_jobs (
  id           uuid        not null constraint dead_jobs_pkey primary key,
  died_at      timestamptz not null default now(),
  run_at       timestamptz not null,
  created_at   timestamptz not null,
  started_at   timestamptz,
  timeout      float8,
  claim        integer     not null,
  priority     smallint    not null,
  attempt      smallint    not null,
  crashes      smallint    not null,
  max_attempts smallint,
  store_result boolean,
  queue        text collate "C" not null,
  target       text collate "C" not null,
  args         json        not null,
  unique_key   text collate "C",
  limit_key    text collate "C",
  labels       jsonb,
  reason       text collate "C" not null,
  error_type   text,
  error        text,
  traceback    text
)
"""

WORKERS = """
create table pgqueue.workers (
  id          bigint      not null constraint workers_pkey primary key,
  host        text        not null,
  pid         integer     not null,
  queues      text[],
  executor    text        not null,
  concurrency integer     not null,
  started_at  timestamptz not null default now(),
  expires_at  timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)
"""

QUEUES = """
create table pgqueue.queues (
  name   text collate "C" not null constraint queues_pkey primary key,
  paused boolean not null default false
)
"""

COMMENTS = (
    "comment on table pgqueue.jobs is 'Jobs that have not ended; a row leaves in the statement that records its end'",
    "comment on table pgqueue.attempts is 'Ended attempts, appended when they end; a job that succeeded lives on here'",
    "comment on table pgqueue.results is 'Results that were asked for, until they expire'",
    "comment on table pgqueue.dead_jobs is 'Jobs that ended without success and wait for a human'",
    "comment on table pgqueue.workers is 'Worker processes, each with the lease under which it holds its jobs'",
    "comment on table pgqueue.queues is 'Settings of queues; a queue without a row has the defaults'",
)


def upgrade() -> None:
    for statement in (JOBS, *JOBS_INDEXES, ATTEMPTS, RESULTS, DEAD_JOBS, WORKERS, QUEUES, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
