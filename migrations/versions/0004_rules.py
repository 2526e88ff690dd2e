"""Rules that the database keeps: unique keys with windows, schedules, limits, the order of queues, feeds.

Each part is a tuple of statements of its own. No row of `jobs` is rewritten, and its indexes are built beside claims.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# start_key is null where nothing is said: no row is rewritten, and no index. A job that is unique until its start has
# its key there for good, and in unique_key until it is claimed: that index holds nothing but keys that are taken.
# A row of unique_windows is rewritten when its window has passed and the next begins: vacuumed soon, as keys that come
# often are few. Its second index is where the pruner finds what has passed.
UNIQUE: tuple[str, ...] = (
    'alter table pgqueue.jobs add column start_key text collate "C"',
    'alter table pgqueue.dead_jobs add column start_key text collate "C"',
    """
    create table pgqueue.unique_windows (
      unique_key text collate "C" not null constraint unique_windows_pkey primary key,
      until      timestamptz      not null,
      job_id     uuid             not null
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 2000)
    """,
    "create index unique_windows_until on pgqueue.unique_windows (until)",
    """
    comment on table pgqueue.unique_windows is
      'Unique keys that are taken until a moment, whatever becomes of their job; a row leaves when it has passed'
    """,
)

# Times that are added are seconds, so that no change of clocks touches them. Ticks up to last_at are decided;
# next_at is when somebody has to look again, null for never.
SCHEDULES_TABLE = """
create table pgqueue.schedules (
  name         text collate "C" not null constraint schedules_pkey primary key check (name <> ''),
  cron         text,
  every        float8           check (every >= 1),
  timezone     text             not null default 'UTC',
  jitter       float8           not null default 0 check (jitter >= 0),
  catch_up     text collate "C" not null default 'last' check (catch_up in ('skip', 'last', 'all')),
  cap          smallint         not null default 100 check (cap between 1 and 500),
  grace        float8           not null default 60 check (grace > 0),
  overlap      text collate "C" not null default 'allow' check (overlap in ('allow', 'skip')),
  target       text collate "C" not null,
  args         json             not null default '{}',
  queue        text collate "C" check (queue <> ''),
  priority     smallint         check (priority between 0 and 9),
  ttl          float8           check (ttl > 0),
  timeout      float8           check (timeout > 0),
  max_attempts smallint         check (max_attempts > 0),
  unique_key   text collate "C",
  unique_until text collate "C" check (unique_until in ('end', 'start')),
  unique_for   float8           check (unique_for > 0),
  on_conflict  text collate "C" check (on_conflict in ('keep', 'replace')),
  max_wait     float8           check (max_wait >= 0),
  limit_key    text collate "C",
  store_result boolean,
  labels       jsonb,
  source       text collate "C",
  paused_by    text collate "C" check (paused_by in ('hand', 'code')),
  fault        text,
  tzdata       text collate "C",
  created_at   timestamptz      not null default now(),
  last_at      timestamptz      not null default clock_timestamp(),
  next_at      timestamptz      default clock_timestamp(),
  last_job     uuid,
  constraint schedules_rule check ((cron is null) <> (every is null)),
  constraint schedules_key check (
    unique_key is not null or coalesce(unique_until, unique_for::text, on_conflict, max_wait::text) is null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500)
"""

# A row a tick makes it unique, however many workers there are and whatever dies.
TICKS = """
create table pgqueue.ticks (
  schedule      text collate "C" not null,
  scheduled_for timestamptz      not null,
  decided_at    timestamptz      not null default clock_timestamp(),
  why           text collate "C" not null
    check (why in ('due', 'caught up', 'by hand', 'skipped', 'overlap', 'kept', 'replaced')),
  job_id        uuid,
  constraint ticks_pkey primary key (schedule, scheduled_for)
)
"""

# Sets of rules, schedules and limits, as code declares them, numbered in the order in which they were first seen.
RULE_SETS = """
create table pgqueue.rule_sets (
  source   text collate "C" not null,
  hash     text collate "C" not null,
  revision integer          not null,
  applied  boolean          not null default false,
  seen_at  timestamptz      not null default now(),
  constraint rule_sets_pkey primary key (source, hash)
)
"""

SCHEDULES: tuple[str, ...] = (
    SCHEDULES_TABLE,
    "create index schedules_due on pgqueue.schedules (next_at) where paused_by is null",
    TICKS,
    "create index ticks_decided on pgqueue.ticks (decided_at)",
    RULE_SETS,
    # Null where nothing is declared.
    "alter table pgqueue.workers add column rule_sets text[]",
    "comment on table pgqueue.schedules is 'What is enqueued again and again, and when'",
    "comment on table pgqueue.ticks is 'What became of each tick of a schedule; a tick with a row never fires again'",
    "comment on table pgqueue.rule_sets is 'Which rules code has declared, the newest with the highest number'",
)

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

# Its row is written with every batch of jobs: room for the new version beside the old one, so no index is touched.
_FEEDS = """
create table pgqueue.feeds (
  name        text collate "C" not null constraint feeds_pkey primary key,
  number      integer          not null generated always as identity,
  source      text             not null,
  target      text             not null,
  buffer      integer          not null constraint feeds_buffer check (buffer >= 1),
  items       bigint           not null default 0,
  cursor      json,
  feeder      bigint,
  host        text,
  pid         integer,
  pooled      boolean          not null default false,
  error       text,
  created_at  timestamptz      not null default now(),
  fed_at      timestamptz,
  finished_at timestamptz
) with (fillfactor = 50)
"""

# Which jobs of a feed may still live, so that `jobs` needs no column for it: at most a buffer of ids.
_FEED_BATCHES = """
create table pgqueue.feed_batches (
  feed  text collate "C" not null,
  batch bigint           not null,
  ids   uuid[]           not null,
  constraint feed_batches_pkey primary key (feed, batch)
)
"""

FEEDS = (
    _FEEDS,
    _FEED_BATCHES,
    "comment on table pgqueue.feeds is 'Iterators that are streamed into queues, and how far each has come'",
    "comment on table pgqueue.feed_batches is 'Jobs of a feed that had not ended when it last looked'",
)


def upgrade() -> None:
    for statement in (*UNIQUE, *SCHEDULES, *LIMITS, *ORDER, *FEEDS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
