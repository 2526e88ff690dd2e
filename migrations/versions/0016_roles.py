"""Roles: which database role has which part, once somebody has made them. No other table is touched."""

from alembic import op

revision = "0016"
down_revision = "0015"

# Empty as long as there are none: then functions run with the rights of their callers, and everybody may call them.
ROLES = """
create table pgqueue.roles (
  part    text collate "C" not null constraint roles_pkey primary key
    check (part in ('producer', 'worker', 'job', 'operator', 'reader', 'admin', 'migrator')),
  role    text collate "C" not null constraint roles_role unique,
  made_at timestamptz      not null default clock_timestamp()
)
"""


def upgrade() -> None:
    op.execute(ROLES)
    op.execute("comment on table pgqueue.roles is 'Which database role has which part; empty until roles are made'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
