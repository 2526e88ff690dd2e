"""What tasks said, kept with their attempts; and what workers are asked to tell of what they do."""

from alembic import op

revision = "0008"
down_revision = "0007"

# A row a line: `claim` and `attempt` say of which attempt, `seq` in which order. The last of an attempt may only say
# that there were more.
JOB_LOGS = """
create table pgqueue.job_logs (
  job_id  uuid             not null,
  at      timestamptz      not null,
  claim   integer          not null,
  attempt smallint         not null,
  seq     smallint         not null check (seq between 1 and 1001),
  level   text collate "C" not null check (level in ('debug', 'info', 'warning', 'error')),
  line    text             not null check (octet_length(line) <= 8192),
  constraint job_logs_pkey primary key (job_id, claim, seq),
  check (isfinite(at))
) with (autovacuum_vacuum_insert_scale_factor = 0.1)
"""

# A row a worker that was asked where its jobs are: `dump` is its answer to the question of `asked_at`.
WORKER_DUMPS = """
create table pgqueue.worker_dumps (
  worker   bigint      not null constraint worker_dumps_pkey primary key,
  asked_at timestamptz not null default clock_timestamp(),
  told_at  timestamptz,
  dump     json
)
"""


def upgrade() -> None:
    op.execute(JOB_LOGS)
    op.execute("comment on table pgqueue.job_logs is 'What tasks said of their attempts'")
    op.execute(WORKER_DUMPS)
    op.execute("comment on table pgqueue.worker_dumps is 'Where the jobs of a worker were when it was asked'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
