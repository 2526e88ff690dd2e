"""Who acted, as the database itself knows it; and an audit that nobody but its owner rewrites."""

from alembic import op

revision = "0021"
down_revision = "0020"

# Null in rows of before. `tx` is the transaction of the act: what it did, and what a function notes of it, are one.
COLUMNS = "alter table pgqueue.audit add column if not exists role text, add column if not exists tx xid8"

# Their texts are functions', and follow with all the others.
FUNCTIONS = tuple(
    f"""
create or replace function pgqueue.{name}() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$ begin raise exception 'not migrated'; end $$
"""
    for name in ("sign_act", "keep_act")
)

TRIGGERS = (
    "create trigger audit_signed before insert on pgqueue.audit for each row execute function pgqueue.sign_act()",
    "create trigger audit_kept before update or delete on pgqueue.audit"
    " for each row execute function pgqueue.keep_act()",
    "create trigger audit_whole before truncate on pgqueue.audit"
    " for each statement execute function pgqueue.keep_act()",
)


def upgrade() -> None:
    for statement in (COLUMNS, *FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
