"""Workflows: what waits for the ends of others, and what counts these. No row of `jobs` is rewritten."""

from alembic import op

revision = "0015"
down_revision = "0014"

# What a member of a workflow carries, in whichever table it is; null for every other job, and in no index then. No
# claim changes any of it.
#   node           its number in the workflow; members of a group share one
#   success_links  the gates that its success counts towards; a negative one is closed
#   failure_links  the same of its end without success: dead, or cancelled
MEMBER = (
    "add column if not exists workflow_id uuid, add column if not exists node integer,"
    " add column if not exists success_links integer[], add column if not exists failure_links integer[]"
)
ENDED = "add column if not exists workflow_id uuid, add column if not exists node integer"
COLUMNS = (
    f"alter table pgqueue.jobs {MEMBER}",
    f"alter table pgqueue.dead_jobs {MEMBER}",
    f"alter table pgqueue.attempts {ENDED}",
    f"alter table pgqueue.results {ENDED}",
)
INDEXES = (
    "create index if not exists jobs_workflow on pgqueue.jobs (workflow_id, node, id) where workflow_id is not null",
    "create index if not exists dead_jobs_workflow on pgqueue.dead_jobs (workflow_id, node, id)"
    " where workflow_id is not null",
    "create index if not exists results_workflow on pgqueue.results (workflow_id, node, job_id)"
    " where workflow_id is not null",
    "create index if not exists attempts_workflow on pgqueue.attempts (workflow_id, node, job_id, claim)"
    " where workflow_id is not null",
    # The few that were called off: what has succeeded is what is left.
    "create index if not exists attempts_called_off on pgqueue.attempts (workflow_id, node)"
    " where workflow_id is not null and outcome = 'cancelled'",
)
# Before the migration, beside whoever is at work: a table of a million jobs takes seconds (pgqueue/beside.py).
BESIDE = (*COLUMNS, *(text.replace("index if", "index concurrently if") for text in INDEXES))

# `asked`: somebody, or its deadline, has asked for all of it to be cancelled, or for its dead jobs to be revived; who
# comes by goes on with that. `settled_at`: the cancel has reached all that it was to. `ended_at` is noted by prune.
WORKFLOWS = """
create table pgqueue.workflows (
  id         uuid             not null constraint workflows_pkey primary key,
  created_at timestamptz      not null default now(),
  deadline   timestamptz,
  asked_at   timestamptz,
  settled_at timestamptz,
  ended_at   timestamptz,
  name       text collate "C" not null check (name <> ''),
  unique_key text collate "C",
  asked      text collate "C" check (asked in ('cancel', 'retry')),
  asked_why  text,
  labels     jsonb,
  headers    json
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000)
"""

# A row a node, or a group, not a member: for people, and for what is the same for all members. No settlement reads it.
#   callback  runs also where the workflow is cancelled: cancel_workflow() leaves it to its gate
#   optional  its end without success is not one of the whole
#   repairs   the nodes whose failure lets it begin
#   extends   its jobs are members of that node, added while it ran
#   open      jobs may still be added, each with these links; the node itself owes one count to each
NODES = """
create table pgqueue.nodes (
  workflow_id   uuid             not null,
  job_id        uuid,
  node          integer          not null,
  total         integer          not null check (total >= 0),
  extends       integer,
  callback      boolean          not null default false,
  optional      boolean          not null default false,
  open          boolean          not null default false,
  name          text collate "C" not null check (name <> ''),
  target        text collate "C",
  needs         integer[]        not null default '{}',
  repairs       integer[],
  success_links integer[],
  failure_links integer[],
  constraint nodes_pkey primary key (workflow_id, node)
)
"""

# Opens when `unmet` ends were counted: the jobs that wait at it go to `jobs`, its own links count, and its row goes. A
# count is a small HOT update. What its own links close has failed, or is `pointless`. With `failed_id` it opens only if
# that job is dead of one of these errors, or, with `others`, of another; without `errors` only if it is not dead; else
# it closes.
GATES = """
create table pgqueue.gates (
  workflow_id uuid    not null,
  failed_id   uuid,
  gate        integer not null check (gate > 0),
  unmet       integer not null,
  total       integer not null default 0,
  others      boolean,
  pointless   boolean not null default false,
  links       integer[],
  errors      text[],
  constraint gates_pkey primary key (workflow_id, gate)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0)
"""

# Jobs that wait for a gate: whole, and in no index of claims. What they do not say is filled in when they are released;
# delay, ttl and timeout are seconds, counted from then on.
WAITING = """
create table pgqueue.waiting (
  id            uuid             not null,
  workflow_id   uuid             not null,
  created_at    timestamptz      not null default now(),
  run_at        timestamptz,
  delay         float8           check (delay >= 0),
  ttl           float8           check (ttl >= 0),
  timeout       float8,
  gate          integer          not null check (gate > 0),
  node          integer          not null,
  cost          integer,
  priority      smallint         check (priority between 0 and 9),
  max_attempts  smallint,
  store_result  boolean,
  queue         text collate "C" check (queue <> ''),
  target        text collate "C" not null,
  args          json             not null default '{}',
  inputs        jsonb,
  limit_key     text collate "C",
  labels        jsonb,
  headers       json,
  follow_ups    json,
  success_links integer[],
  failure_links integer[],
  constraint waiting_pkey primary key (workflow_id, gate, id),
  constraint waiting_times check (
    run_at is null or run_at between '1900-01-01 00:00+00' and '9999-01-01 00:00+00')
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0)
"""

# Counts for gates that were in somebody else's hands, taken along by whoever has the gate next; mostly none. `off`: the
# gate is to be closed, because it is pointless (1) or because something failed (2). `again_at`: it was refused.
ARRIVALS = """
create table pgqueue.arrivals (
  workflow_id uuid     not null,
  again_at    timestamptz,
  gate        integer  not null,
  n           integer  not null,
  off         smallint not null default 0
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)
"""

TABLES = (WORKFLOWS, NODES, GATES, WAITING, ARRIVALS)
TABLE_INDEXES = (
    "create unique index workflows_unique on pgqueue.workflows (unique_key) where unique_key is not null",
    "create index workflows_asked on pgqueue.workflows (id) where asked is not null and settled_at is null",
    "create index workflows_deadline on pgqueue.workflows (deadline) where deadline is not null and asked is null",
    "create index workflows_ended on pgqueue.workflows (ended_at) where ended_at is not null",
    "create index workflows_open on pgqueue.workflows (id) where ended_at is null",
    "create unique index waiting_id on pgqueue.waiting (id)",
    "create index arrivals_gate on pgqueue.arrivals (workflow_id, gate)",
)
# The numbers of what is added to a workflow while it runs lie above those of its beginning.
NUMBERS = """
create sequence pgqueue.graft_numbers as integer increment by 10000 minvalue 1000000 maxvalue 2140000000 cycle
"""

COMMENTS = (
    "comment on table pgqueue.workflows is 'Workflows: many jobs, of which some wait for the ends of others'",
    "comment on table pgqueue.nodes is 'The steps and groups of workflows, by name'",
    "comment on table pgqueue.gates is 'What jobs of workflows wait for; a row leaves when its gate opens or closes'",
    "comment on table pgqueue.waiting is 'Jobs of workflows that wait at a gate'",
    "comment on table pgqueue.arrivals is 'Ends that have still to be counted towards a gate'",
)


def upgrade() -> None:
    for statement in (*COLUMNS, *INDEXES):
        op.execute(statement)
    # 55P03: begin anew.
    op.execute(
        """
        do $$ begin
          if exists (
            select from pg_index where not indisvalid and indexrelid = any (array[
              'pgqueue.jobs_workflow', 'pgqueue.dead_jobs_workflow', 'pgqueue.results_workflow',
              'pgqueue.attempts_workflow', 'pgqueue.attempts_called_off']::regclass[])) then
            raise exception 'an index of workflows was not built to its end' using errcode = 'lock_not_available';
          end if;
        end $$
        """
    )
    for statement in (*TABLES, *TABLE_INDEXES, NUMBERS, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
