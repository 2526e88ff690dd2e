"""Limits, and the order of queues. No row of `jobs` is rewritten, and its indexes are built beside claims."""

from alembic import op

revision = "0005"
down_revision = "0004"

# A rule a row. `name` is a queue, a target, or a limit key; with a '*' at its end, all keys that begin so,
# each with a share of its own. `starts` in any window of `period` seconds, `burst` of them in a small part of it.
# Not `adopted`: what ran before the rule has no share yet, and nothing starts under it (adopt_limits.sql).
LIMITS_TABLE = """
create table pgqueue.limits (
  scope       text collate "C" not null check (scope in ('queue', 'task', 'key')),
  name        text collate "C" not null check (name <> ''),
  concurrency integer          check (concurrency >= 1),
  starts      integer          check (starts >= 1),
  period      float8           check (period > 0),
  burst       integer          check (burst >= 1),
  weight      integer          not null default 1 check (weight between 1 and 100),
  ordered     boolean          not null default false,
  on_dead     text collate "C" not null default 'go on' check (on_dead in ('go on', 'stop')),
  adopted     boolean          not null default true,
  source      text collate "C",
  changed_at  timestamptz      not null default now(),
  constraint limits_pkey primary key (scope, name),
  constraint limits_rate check ((starts is null) = (period is null)),
  constraint limits_burst check (burst is null or burst <= coalesce(starts, 0)),
  constraint limits_weight check (weight = 1 or scope = 'key'),
  constraint limits_ordered check (not ordered or scope = 'key' and coalesce(concurrency = 1, false)),
  constraint limits_on_dead check (on_dead = 'go on' or ordered)
)
"""

# Null where nothing is said: no row is rewritten. `limited`: there is a rule for the queue.
QUEUE_LIMITS = """
alter table pgqueue.queues
  add column limited boolean not null default false,
  add column max_size integer check (max_size >= 1),
  add column on_full text collate "C" check (on_full in ('raise', 'drop_oldest')),
  add constraint queues_full check ((max_size is null) = (on_full is null))
"""

# How long the prefixes of keys are that have rules; and which rules are new.
LIMITS_INDEXES = (
    "create index limits_prefixes on pgqueue.limits (length(name)) where scope = 'key' and right(name, 1) = '*'",
    "create index limits_new on pgqueue.limits (scope) where not adopted",
    "create index limits_ordered on pgqueue.limits (name) where ordered",
    "create index limits_tasks on pgqueue.limits (name) where scope = 'task'",
)

# Where a job waits that is subject to limits: in the lane of its key, from when it is due. `hold` is the number of its
# shares while it runs. `lane` and `lined` stand in index predicates, and no claim changes them: it stays a HOT update.
LANE_COLUMNS = (
    'alter table pgqueue.jobs add column if not exists lane text collate "C", add column if not exists lined boolean,'
    " add column if not exists hold bigint, add column if not exists cost integer"
)
LANE_INDEXES = (
    "create index if not exists jobs_unlaned on pgqueue.jobs (queue, priority, run_at, id) where lane is null",
    "create index if not exists jobs_lane on pgqueue.jobs (queue, priority, lane, run_at, id) where lined",
    "create index if not exists jobs_coming on pgqueue.jobs (queue, run_at, id)"
    " where lane is not null and lined is null",
)
# Before the migration, beside claims: a table of a million jobs takes seconds (pgqueue/beside.py).
BESIDE = (LANE_COLUMNS, *(text.replace("index if", "index concurrently if") for text in LANE_INDEXES))
LANES = (
    LANE_COLUMNS,
    *LANE_INDEXES,
    # 55P03: begin anew.
    """
    do $$ begin
      if exists (select from pg_index where indrelid = 'pgqueue.jobs'::regclass and not indisvalid) then
        raise exception 'an index of jobs was not built to its end' using errcode = 'lock_not_available';
      end if;
    end $$
    """,
    "alter table pgqueue.dead_jobs add column hold bigint, add column cost integer",
    "drop index pgqueue.jobs_claim",
    "alter index pgqueue.jobs_unlaned rename to jobs_claim",
)

# A row a share: written with the claim, deleted with whatever ends the attempt. Numbers only grow; each claim draws a
# thousand at once. Without a job it is a share of code outside jobs, until `expires_at`.
HOLDS = """
create table pgqueue.holds (
  name       text collate "C" not null,
  seq        bigint           not null,
  job_id     uuid,
  worker     bigint,
  expires_at timestamptz,
  constraint holds_pkey primary key (name, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)
"""

# What has started under a rate: a cell is a fortieth of the period, the newest first, in one row a name.
METERS = """
create table pgqueue.meters (
  name  text collate "C" not null constraint meters_pkey primary key,
  width float8           not null,
  cell  bigint           not null,
  cells integer[]        not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
"""

# A lane as a claim meets it: what rules it, and how much may start in it now (next_lanes.sql, lane_rooms.sql).
LANE = """
create type pgqueue.lane as (
  lane text, target text, weight integer, ordered boolean, adopted boolean,
  key_name text, key_most integer, key_starts integer, key_period float8, key_burst integer,
  task_name text, task_most integer, task_starts integer, task_period float8, task_burst integer,
  cap integer, key_room integer, task_room integer, key_left integer, task_left integer,
  holder uuid)
"""

# Its text is a function's, and follows with all the others.
LINE_NEW = """
create or replace function pgqueue.line_new() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$ begin return null; end $$
"""

# Who enqueues with a limit key says where the job waits; this is for rows of hands, and of the last release.
LINE_TRIGGER = """
create trigger jobs_keyed after insert on pgqueue.jobs
for each row when (new.limit_key is not null and new.lane is null)
execute function pgqueue.line_new()
"""

LIMITS: tuple[str, ...] = (
    LIMITS_TABLE,
    *LIMITS_INDEXES,
    QUEUE_LIMITS,
    "create index queues_limited on pgqueue.queues (name) where limited",
    *LANES,
    "create sequence pgqueue.hold_numbers increment by 1000",
    HOLDS,
    METERS,
    LANE,
    LINE_NEW,
    LINE_TRIGGER,
    "comment on table pgqueue.holds is 'Which limits running jobs have a share of; a row leaves with the attempt'",
    "comment on table pgqueue.meters is 'How much has started lately under each rate'",
    "comment on table pgqueue.limits is 'How many jobs of a queue, task or key may run, or start in a time'",
)

# Null where nothing is said. `paused_until`: when a pause ends by itself.
QUEUE_ORDER = """
alter table pgqueue.queues
  add column paused_until timestamptz check (isfinite(paused_until)),
  add column timeout float8 check (timeout > 0),
  add column max_attempts smallint check (max_attempts > 0),
  add column priority smallint check (priority between 0 and 9),
  add column ageing float8 check (ageing > 0)
"""

# Workers ask for these again and again, and mostly there are none.
QUEUES_SAID = """
create index queues_said on pgqueue.queues (name)
where timeout is not null or max_attempts is not null or priority is not null or ageing is not null
"""

# Which queue the jobs of a target wait in that say none.
ROUTES = """
create table pgqueue.routes (
  pattern text collate "C" not null constraint routes_pkey primary key check (pattern <> ''),
  queue   text collate "C" not null check (queue <> '')
)
"""

ORDER: tuple[str, ...] = (
    QUEUE_ORDER,
    QUEUES_SAID,
    ROUTES,
    "comment on table pgqueue.routes is 'Which queue the jobs of a target wait in that say none'",
)


# The same function has one argument more now; two of them would make each call ambiguous. What of somebody's own is
# bound to the old one goes on calling it, under another name.
OLD_ENQUEUE = (
    "text, json, text, integer, interval, timestamptz, interval, interval, integer, text, text, boolean, jsonb, uuid"
)
OLD_FUNCTIONS = f"""
do $$ begin
  drop function if exists pgqueue.enqueue({OLD_ENQUEUE});
exception when dependent_objects_still_exist then
  alter function pgqueue.enqueue({OLD_ENQUEUE}) rename to enqueue_as_before;
end $$
"""


def upgrade() -> None:
    for statement in (*LIMITS, *ORDER, OLD_FUNCTIONS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
