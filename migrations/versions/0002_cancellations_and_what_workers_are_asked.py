"""Cancellations of running jobs, hosts to avoid, what workers are asked, and what a reaper has found so far."""

from alembic import op

revision = "0002"
down_revision = "0001"

# Null where nothing is said, so that no row is rewritten. In no index: a claim stays a HOT update.
COLUMNS = (
    "alter table pgqueue.jobs add column avoid_host text",
    "alter table pgqueue.workers"
    " add column at_most_once text[], add column asked text, add column searched bigint, add column held uuid[],"
    " add column epoch int not null default 0",
)

CANCELLATIONS = """
create table pgqueue.cancellations (
  job_id       uuid        not null constraint cancellations_pkey primary key,
  requested_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)
"""

COMMENT = (
    "comment on table pgqueue.cancellations is 'Running jobs that are no longer wanted; a row leaves when its job ends'"
)

# Their arguments or answers change: the new ones cannot replace them.
OLD_FUNCTIONS = (
    "drop function if exists pgqueue.beat(bigint, interval)",
    "drop function if exists pgqueue.enlist(bigint, text, int, text[], text, int, interval)",
    "drop function if exists pgqueue.release(bigint, uuid[], int[], float8[], boolean[])",
    "drop function if exists pgqueue.reap()",
    "drop function if exists pgqueue.step("
    "bigint, uuid[], int[], uuid[], text[], text[], smallint[], timestamptz[], uuid[], interval, int)",
    "drop function if exists pgqueue.disown(bigint, uuid[], int[])",
)


def upgrade() -> None:
    for statement in (*COLUMNS, CANCELLATIONS, COMMENT, *OLD_FUNCTIONS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
