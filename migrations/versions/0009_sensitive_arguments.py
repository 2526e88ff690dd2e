"""Which arguments of tasks are nobody's business, for readers that do not have the code."""

from alembic import op

revision = "0009"
down_revision = "0008"

# Told by workers, a row for each way in which a target has said so. Rows stay: the jobs of an older code are as
# private as those of the newest, and what was hidden once is not shown because a worker has gone.
SENSITIVE = """
create table pgqueue.sensitive (
  target      text collate "C" not null,
  hash        text collate "C" not null,
  said        json             not null,
  declared_at timestamptz      not null default clock_timestamp(),
  constraint sensitive_pkey primary key (target, hash)
)
"""


def upgrade() -> None:
    op.execute(SENSITIVE)
    op.execute("comment on table pgqueue.sensitive is 'Which arguments of tasks are hidden wherever jobs are shown'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
