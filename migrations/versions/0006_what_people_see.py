"""What people and machines see: headers, tallies, depths, workers' reports, causes. No row of `jobs` is rewritten."""

from alembic import op

revision = "0006"
down_revision = "0005"

# Who caused a job: names and texts, such as a traceparent. Null where nothing looks on; no index has it.
HEADERS = (
    "alter table pgqueue.jobs add column headers json",
    "alter table pgqueue.dead_jobs add column headers json",
    "alter table pgqueue.attempts add column headers json",
)

# What workers counted: a row a minute, queue, target, outcome and cause. `worker` is null once rows of several were
# made one; then `span` says of how many seconds: a minute, an hour, a day. `ended` of the `n` attempts ended their job.
# `wait` and `run` count durations, a number a bucket (pgqueue/buckets.py). `degraded`: some may be missing.
TALLIES = """
create table pgqueue.tallies (
  minute   timestamptz      not null,
  span     integer          not null default 60 check (span in (60, 3600, 86400)),
  worker   bigint,
  queue    text collate "C" not null,
  target   text collate "C" not null,
  outcome  text collate "C" not null,
  cause    text collate "C",
  n        bigint           not null check (n >= 0),
  ended    bigint           not null default 0,
  wait     bigint[]         check (cardinality(wait) = 25),
  run      bigint[]         check (cardinality(run) = 25),
  degraded boolean          not null default false,
  check (isfinite(minute))
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 5000)
"""

# The first for whoever reads; the second for the merge, which finds nothing in it while all is merged; the third tells
# when a cause was last met.
TALLIES_INDEXES = (
    "create index tallies_span on pgqueue.tallies (span, minute)",
    "create index tallies_raw on pgqueue.tallies (minute) where worker is not null",
    "create index tallies_cause on pgqueue.tallies (cause, minute) where cause is not null",
)

# How full queues were: a row a queue and minute. `entered` jobs came within the `span` before.
DEPTHS = """
create table pgqueue.depths (
  minute  timestamptz      not null,
  span    integer          not null default 60 check (span in (60, 3600, 86400)),
  queue   text collate "C" not null,
  ready   bigint           not null,
  later   bigint           not null,
  running bigint           not null,
  dead    bigint           not null,
  oldest  float8,
  entered bigint,
  exact   boolean          not null,
  constraint depths_pkey primary key (span, minute, queue),
  check (isfinite(minute))
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 5000)
"""
DEPTHS_QUEUE = "create index depths_queue on pgqueue.depths (queue, span, minute)"

# Beside `workers`, so that the row of the lease stays narrow. `tallied` batches of tallies were appended, with all that
# this worker had settled until `tallied_until`. A row goes with its worker, when what that had not told is made up.
WORKER_REPORTS = """
create table pgqueue.worker_reports (
  id            bigint      not null constraint worker_reports_pkey primary key,
  at            timestamptz not null default clock_timestamp(),
  report        json,
  tallied       integer     not null default 0,
  tallied_until timestamptz not null default clock_timestamp()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)
"""

# Why jobs fail: a row a cause, written when it is first met; the rest is written by people.
CAUSES = """
create table pgqueue.causes (
  cause            text collate "C" not null constraint causes_pkey primary key,
  target           text collate "C" not null,
  error_type       text,
  error            text,
  first_at         timestamptz      not null default clock_timestamp(),
  title            text,
  note             text,
  assignee         text,
  muted_until      timestamptz,
  resolved_at      timestamptz,
  resolved_release text
)
"""
CAUSES_INDEXES = (
    "create index causes_first on pgqueue.causes (first_at)",
    "create index causes_resolved on pgqueue.causes (resolved_at) where resolved_at is not null",
)

# Chores that one worker does for all: whoever has locked the row. Nobody can who may not write here.
DUTIES = """
create table pgqueue.duties (
  name    text collate "C" not null constraint duties_pkey primary key,
  done_at timestamptz      not null default '2000-01-01 00:00+00'
) with (fillfactor = 50)
"""

# Null where nobody looked: no row is rewritten.
CAUSE_COLUMNS = 'alter table pgqueue.dead_jobs add column if not exists cause text collate "C"'
CAUSE_INDEX = "create index if not exists dead_jobs_cause on pgqueue.dead_jobs (cause, id)"
# Before the migration, beside whoever is at work: a million dead jobs take seconds (pgqueue/beside.py).
BESIDE = (CAUSE_COLUMNS, CAUSE_INDEX.replace("index if", "index concurrently if"))

SEEN = (
    TALLIES,
    *TALLIES_INDEXES,
    DEPTHS,
    DEPTHS_QUEUE,
    WORKER_REPORTS,
    "insert into pgqueue.worker_reports (id) select w.id from pgqueue.workers as w",
    CAUSES,
    *CAUSES_INDEXES,
    DUTIES,
    "insert into pgqueue.duties (name) values ('depths'), ('merge')",
    CAUSE_COLUMNS,
    CAUSE_INDEX,
    # 55P03: begin anew.
    """
    do $$ begin
      if exists (select from pg_index where indrelid = 'pgqueue.dead_jobs'::regclass and not indisvalid) then
        raise exception 'an index of dead_jobs was not built to its end' using errcode = 'lock_not_available';
      end if;
    end $$
    """,
    'alter table pgqueue.attempts add column cause text collate "C"',
    "comment on table pgqueue.tallies is 'How many attempts ended how, and how long they waited and ran, over time'",
    "comment on table pgqueue.depths is 'How full queues were, over time'",
    "comment on table pgqueue.worker_reports is 'What each worker says of itself with its heartbeats'",
    "comment on table pgqueue.causes is 'Why jobs fail: when each cause was first met, and what people say of it'",
    "comment on table pgqueue.duties is 'Chores that one worker at a time does for all'",
)

# A bulk action over what a query finds: the ids below `below` are still to be looked at. It moves with the batch.
# `trial_ids`: of those that were tried first, until it is known what became of them.
OPERATIONS = """
create table pgqueue.operations (
  id           bigint      generated always as identity constraint operations_pkey primary key,
  kind         text        not null check (kind in ('cancel', 'retry', 'bury', 'purge', 'priority')),
  filter       text        not null,
  priority     smallint    check (priority between 0 and 9),
  rate         float8      check (rate > 0),
  detached     boolean     not null default false,
  trial        integer     check (trial > 0),
  most_failing float8      check (most_failing between 0 and 1),
  trial_ids    uuid[],
  who          text        not null,
  via          text        not null,
  reason       text,
  state        text collate "C" not null default 'running' check (state in ('running', 'stopped', 'done')),
  why          text,
  below        uuid,
  looked       bigint      not null default 0,
  done         bigint      not null default 0,
  skipped      bigint      not null default 0,
  failed       bigint      not null default 0,
  made_at      timestamptz not null default clock_timestamp(),
  changed_at   timestamptz not null default clock_timestamp(),
  next_at      timestamptz not null default clock_timestamp()
)
"""
OPERATIONS_RUNNING = "create index operations_running on pgqueue.operations (id) where state = 'running' and detached"

# Who did what, written in the transaction of the act.
AUDIT = """
create table pgqueue.audit (
  id      bigint      generated always as identity constraint audit_pkey primary key,
  at      timestamptz not null default clock_timestamp(),
  who     text        not null,
  via     text        not null,
  action  text        not null,
  filter  text,
  job_ids uuid[]      check (cardinality(job_ids) <= 20),
  n       bigint,
  reason  text
)
"""

# What the arguments of edited jobs were.
REVISIONS = """
create table pgqueue.revisions (
  job_id   uuid        not null,
  at       timestamptz not null default clock_timestamp(),
  who      text        not null,
  old_args json        not null,
  constraint revisions_pkey primary key (job_id, at)
)
"""

STEERED = (
    OPERATIONS,
    OPERATIONS_RUNNING,
    AUDIT,
    REVISIONS,
    "comment on table pgqueue.operations is 'Bulk actions over what a query finds, and how far they came'",
    "comment on table pgqueue.audit is 'Who did what to the queue, by hand'",
    "comment on table pgqueue.revisions is 'Arguments of jobs before they were edited'",
)


def upgrade() -> None:
    for statement in (*HEADERS, *SEEN, *STEERED):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
