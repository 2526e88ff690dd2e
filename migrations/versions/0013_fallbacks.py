"""Other code when the first fails, and humans who answer in its place. No row of `jobs` is rewritten."""

from alembic import op

revision = "0013"
down_revision = "0012"

# The targets that have given up, the first one first; null where nothing fell back, and in no index. `own_terms` is
# what the job said of its first target's attempts, timeout and max_attempts: they come back with that.
FALLEN = (
    'alter table pgqueue.jobs add column fallen_from text[] collate "C", add column own_terms json',
    'alter table pgqueue.dead_jobs add column fallen_from text[] collate "C", add column own_terms json',
    'alter table pgqueue.attempts add column fallen_from text[] collate "C"',
)

# What the code of a worker lets fall back where an attempt is lost: for the reaper, who does not have that code.
WORKERS = "alter table pgqueue.workers add column fallbacks json"

# Beside `jobs`, so that what never waits for a human pays nothing for it. In `jobs` such a row is held by worker -1,
# and stands in no index of claims.
MANUAL = """
create table pgqueue.manual_jobs (
  job_id uuid             not null constraint manual_jobs_pkey primary key,
  claim  integer          not null,
  since  timestamptz      not null,
  reason text collate "C"
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 2000)
"""


def upgrade() -> None:
    for statement in (*FALLEN, WORKERS):
        op.execute(statement)
    op.execute(MANUAL)
    op.execute("create index manual_jobs_since on pgqueue.manual_jobs (since, job_id)")
    op.execute("comment on table pgqueue.manual_jobs is 'Jobs that wait for a human, and since when'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
