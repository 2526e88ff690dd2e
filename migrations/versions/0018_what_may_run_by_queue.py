"""Which targets a queue takes. No row is rewritten, and no trigger is made before a queue says so."""

from alembic import op

revision = "0018"
down_revision = "0017"

# Targets, or globs of them; null: any.
ALLOW = """
alter table pgqueue.queues
  add column allow text[] collate "C" constraint queues_allow check (cardinality(allow) between 1 and 100)
"""


def upgrade() -> None:
    op.execute(ALLOW)
    # Few among very many.
    op.execute("create index queues_allowing on pgqueue.queues (name) where allow is not null")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
