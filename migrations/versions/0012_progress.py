"""How far long jobs are, and where they go on if they are begun again."""

from alembic import op

revision = "0012"
down_revision = "0011"

# A row a job that says how far it is, written over in place: a page has room for the new version beside the old one.
# `since` and `since_done` are what its attempt said first: from there on its rate is measured.
PROGRESS = """
create table pgqueue.progress (
  job_id     uuid        not null constraint progress_pkey primary key,
  at         timestamptz not null default clock_timestamp(),
  since      timestamptz not null default clock_timestamp(),
  since_done float8      not null,
  done       float8      not null,
  total      float8,
  claim      integer     not null,
  attempt    smallint    not null,
  note       text        check (octet_length(note) <= 2048)
) with (fillfactor = 50)
"""

# A row a job that has said where it can go on: `value` is handed to its next attempt.
CHECKPOINTS = """
create table pgqueue.checkpoints (
  job_id  uuid        not null constraint checkpoints_pkey primary key,
  at      timestamptz not null default clock_timestamp(),
  claim   integer     not null,
  attempt smallint    not null,
  value   json        not null
) with (fillfactor = 50)
"""


def upgrade() -> None:
    op.execute(PROGRESS)
    op.execute("comment on table pgqueue.progress is 'How far jobs are, as they say'")
    op.execute(CHECKPOINTS)
    op.execute("comment on table pgqueue.checkpoints is 'Where the next attempts of jobs go on'")


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
