"""Whose a job is, where tenants share the queue. No row is rewritten, and nothing is switched on."""

from alembic import op

revision = "0017"
down_revision = "0016"

# Null for what is nobody's, and always while tenants are off. In no index, and changed by no move.
MOVED = ("jobs", "dead_jobs", "attempts", "waiting", "workflows", "nodes", "gates", "arrivals")
OF_A_JOB = ("results", "cancellations", "parked", "revisions", "job_logs", "lineage", "progress", "checkpoints")
MORE_OF_A_JOB = ("manual_jobs", "steps", "signals", "waits", "abandoned", "holds")
MADE_BY_PEOPLE = ("schedules", "feeds", "operations", "audit")

# Which role may act for which tenant; '*' is any. Whoever is not here acts for none.
ROLES = """
create table pgqueue.tenant_roles (
  role   text collate "C" not null,
  tenant text collate "C" not null check (tenant = '*' or tenant ~ '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}$'),
  constraint tenant_roles_pkey primary key (role, tenant)
)
"""


def upgrade() -> None:
    for table in (*MOVED, *OF_A_JOB, *MORE_OF_A_JOB, *MADE_BY_PEOPLE):
        op.execute(f'alter table pgqueue.{table} add column tenant text collate "C"')
    op.execute(ROLES)
    op.execute("comment on table pgqueue.tenant_roles is 'Which roles may act for which tenants'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
