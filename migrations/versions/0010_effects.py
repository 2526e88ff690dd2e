"""The ledger of effects: what jobs have done once, and what they may have done."""

from alembic import op

revision = "0010"
down_revision = "0009"

# A row a key. `reserved`: the attempt that (worker, claim) name is at it, or vanished over it. `unknown`: an attempt
# said that it may have done it. `done`: no job does it again before `expires_at`. Only a key that is done at once, in a
# transaction of an application, has no job. Rows are never updated but by who holds the key.
EFFECTS = """
create table pgqueue.effects (
  scope       text collate "C" not null check (scope <> ''),
  key         text collate "C" not null check (key <> ''),
  state       text collate "C" not null check (state in ('reserved', 'unknown', 'done')),
  reserved_at timestamptz      not null default clock_timestamp(),
  done_at     timestamptz      check ((done_at is not null) = (state = 'done')),
  expires_at  timestamptz      not null,
  target      text collate "C",
  job_id      uuid,
  worker      bigint,
  claim       integer,
  attempt     integer,
  value       json             check (octet_length(value::text) <= 65536),
  constraint effects_pkey primary key (scope, key),
  -- What fits into an index.
  constraint effects_size check (octet_length(scope) + octet_length(key) <= 2500)
)
"""


def upgrade() -> None:
    op.execute(EFFECTS)
    op.execute("create index effects_expiry on pgqueue.effects (expires_at)")
    # Those that somebody may have to look at: few, among very many.
    op.execute("create index effects_open on pgqueue.effects (scope, key) where (state <> 'done')")
    op.execute("comment on table pgqueue.effects is 'What jobs have done once, or may have done'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
