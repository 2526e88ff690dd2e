"""How a schedule is signed; null where nobody signs."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    # Null where nothing is said: no row is rewritten.
    op.execute("alter table pgqueue.schedules add column signature text")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
