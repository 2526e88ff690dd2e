"""What is to be done after a job, and which job brought which."""

from alembic import op

revision = "0011"
down_revision = "0010"

# Null for most, and costs them nothing. An array of jobs to come, each with the end that it waits for ("on").
OF_JOBS = "alter table pgqueue.jobs add column follow_ups json"
OF_DEAD = "alter table pgqueue.dead_jobs add column follow_ups json"

# A row a task that has some, told by workers before any of its jobs runs; the last that was told holds.
FOLLOW_UPS = """
create table pgqueue.follow_ups (
  target      text collate "C" not null constraint follow_ups_pkey primary key,
  said        json             not null,
  declared_at timestamptz      not null default clock_timestamp()
)
"""

# A row a job that another one brought, `nth` of that one's; none for the others, which are most. `how` says as what.
LINEAGE = """
create table pgqueue.lineage (
  job_id    uuid             not null constraint lineage_pkey primary key,
  parent_id uuid             not null,
  root_id   uuid             not null,
  nth       integer          not null,
  depth     smallint         not null check (depth > 0),
  how       text collate "C" not null
) with (autovacuum_vacuum_insert_scale_factor = 0.1)
"""
CHILDREN = "create index lineage_children on pgqueue.lineage (parent_id, nth, job_id)"

COMMENTS = (
    "comment on table pgqueue.follow_ups is 'Which jobs follow the ends of a task''s jobs, as workers have told'",
    "comment on table pgqueue.lineage is 'Which job brought which'",
)


def upgrade() -> None:
    for statement in (OF_JOBS, OF_DEAD, FOLLOW_UPS, LINEAGE, CHILDREN, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
