"""What a new job may say, for less than before; and queues that send no notifications."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Few and short: PostgreSQL reads each anew for every statement that inserts. Not validated: it would read the table
# under a lock that keeps claims waiting; what is there already was checked as to run_at and priority.
# A timeout or a number of attempts that makes no sense is not refused any more: the claim takes it for unsaid.
CHECKS = """
alter table pgqueue.jobs
  drop constraint if exists jobs_timeout_check,
  drop constraint if exists jobs_max_attempts_check,
  drop constraint if exists jobs_priority_check,
  drop constraint if exists jobs_run_at,
  add constraint jobs_priority check (priority = any ('{0,1,2,3,4,5,6,7,8,9}')) not valid,
  add constraint jobs_times check (
    '[1900-01-01 00:00+00, 9999-01-01 00:00+00]'::tstzrange @> all (array[run_at, created_at])) not valid
"""

# Its text is a function's, and follows with all the others.
REFUSE = """
create or replace function pgqueue.refuse_used() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$ begin raise exception 'not a new job'; end $$
"""

# No function is called for a row that says nothing of this. After the insert, so that COPY goes on in batches.
TRIGGER = """
create trigger jobs_new after insert on pgqueue.jobs
for each row when (new.worker is not null or new.started_at is not null or new.claim <> 0)
execute function pgqueue.refuse_used()
"""

# Null where nothing is said.
QUEUES = """
alter table pgqueue.queues
  add column notify text collate "C" constraint queues_notify check (notify in ('idle', 'off'))
"""

# Attempts are not overwritten any more.
OLD_FUNCTIONS = "drop function if exists pgqueue.clear_attempts(uuid[])"


def upgrade() -> None:
    for statement in (CHECKS, REFUSE, TRIGGER, QUEUES, OLD_FUNCTIONS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
