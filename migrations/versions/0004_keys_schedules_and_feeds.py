"""Unique keys with windows, schedules and what code declares, feeds. No row of `jobs` is rewritten."""

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
  cost         integer          check (cost >= 1),
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
    for statement in (*UNIQUE, *SCHEDULES, *FEEDS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
