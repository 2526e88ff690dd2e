"""What people and machines see. No row of `jobs` is rewritten."""

from alembic import op

revision = "0006"
down_revision = "0005"

# Who caused a job: names and texts, such as a traceparent. Null where nothing looks on; no index has it.
HEADERS = (
    "alter table pgqueue.jobs add column headers json",
    "alter table pgqueue.dead_jobs add column headers json",
    "alter table pgqueue.attempts add column headers json",
)


def upgrade() -> None:
    for statement in HEADERS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
