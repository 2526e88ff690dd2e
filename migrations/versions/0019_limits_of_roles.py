"""What roles may enqueue: how often, how much, into how many queues. No trigger is made before a limit is."""

from alembic import op

revision = "0019"
down_revision = "0018"

# A row a role, or `*` for all. `jobs` in `period` seconds, `burst` of them at once; null: no limit.
ROLE_LIMITS = """
create table pgqueue.role_limits (
  role       text collate "C" not null constraint role_limits_pkey primary key check (role <> ''),
  jobs       integer          check (jobs >= 1),
  period     float8           check (period > 0),
  burst      integer          check (burst >= 1),
  max_queues integer          check (max_queues >= 1),
  max_size   integer          check (max_size >= 1),
  max_args   integer          check (max_args >= 1),
  changed_at timestamptz      not null default now(),
  constraint role_limits_rate check ((jobs is null) = (period is null) and (burst is null or jobs is not null)),
  constraint role_limits_all check (role <> '*' or jobs is null)
)
"""


def upgrade() -> None:
    op.execute(ROLE_LIMITS)
    op.execute("comment on table pgqueue.role_limits is 'How often, and how much, roles may enqueue'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
