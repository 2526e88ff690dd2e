"""What durable functions remember, what they wait for, and what is sent to them. No row of `jobs` is touched."""

from alembic import op

revision = "0014"
down_revision = "0013"

# A row a step, written once; `nth` is its place in the function. Of a sleep or a wait `until` is when that is over, and
# `result` stays null until it is. `undo` is what takes it back.
STEPS = """
create table pgqueue.steps (
  job_id uuid             not null,
  kind   text collate "C" not null,
  name   text collate "C" not null,
  nth    integer          not null,
  at     timestamptz      not null default clock_timestamp(),
  claim  integer          not null,
  until  timestamptz,
  result json,
  undo   json,
  constraint steps_pkey primary key (job_id, kind, name)
) with (autovacuum_vacuum_insert_scale_factor = 0.1)
"""

# The first signal of a name that was sent to a job, or came with its end. `keeper` is the job that needs it, if that is
# another one. `unsure`: who waits for it may not have been seen.
SIGNALS = """
create table pgqueue.signals (
  scope   uuid             not null,
  name    text collate "C" not null,
  sent_at timestamptz      not null default clock_timestamp(),
  keeper  uuid,
  unsure  boolean          not null default false,
  payload json             not null,
  constraint signals_pkey primary key (scope, name)
)
"""
UNSURE = "create index signals_unsure on pgqueue.signals (scope, name) where unsure"

# A row a job that sleeps or waits, as of the claim that began to; or did last. Of several jobs whose ends it awaits
# `scopes` has all, and `scope` is the one at `place`: those behind it have ended.
WAITS = """
create table pgqueue.waits (
  job_id uuid             not null constraint waits_pkey primary key,
  claim  integer          not null,
  since  timestamptz      not null default clock_timestamp(),
  kind   text collate "C" not null,
  step   text collate "C" not null,
  scope  uuid,
  name   text collate "C",
  scopes uuid[],
  place  integer
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 2000)
"""
WAITED_FOR = "create index waits_signal on pgqueue.waits (scope, name) where scope is not null"

# Jobs that ended without success, and whose children are still to be cancelled: those behind the `nth`.
ABANDONED = """
create table pgqueue.abandoned (
  job_id uuid    not null constraint abandoned_pkey primary key,
  nth    integer not null default 0
)
"""

COMMENTS = (
    "comment on table pgqueue.steps is 'What durable functions have done, and need not do again'",
    "comment on table pgqueue.signals is 'What was sent to jobs that wait, or will'",
    "comment on table pgqueue.waits is 'What durable functions wait for'",
    "comment on table pgqueue.abandoned is 'Jobs whose children are to be cancelled'",
)


def upgrade() -> None:
    for statement in (STEPS, SIGNALS, UNSURE, WAITS, WAITED_FOR, ABANDONED, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
