"""What a database of the enumerator has beside pgqueue's schema: tables that tasks and clients write to, and triggers
that see what no table shows afterwards."""

from __future__ import annotations

from typing import Any

import psycopg

Conn = psycopg.Connection[Any]

# A job exists if and only if its order does; `expected` is the state in which it must end, null for any.
TABLES = """
create table orders (job uuid primary key, expected text);
create table starts (job uuid, claim int, attempt int, worker bigint);
create table effects (job uuid);
-- Who found unknown what it was to do once, and did not do it.
create table skips (job uuid);
create table units (job uuid, unit int);
create table gate (opened boolean not null);
create table violations (what text not null);
insert into gate values (true);
"""

# Fired under the search_path of pgqueue's functions: hence `public`.
ON_JOBS = """
create function witness_job() returns trigger language plpgsql as $$
begin
  if new.claim < old.claim then
    insert into public.violations values (format('the claim number of job %s went back from %s to %s',
                                          new.id, old.claim, new.claim));
  end if;
  if old.worker is null and new.worker is not null and new.claim <= old.claim then
    insert into public.violations values (format('job %s was claimed without a new claim number', new.id));
  end if;
  -- -1 is a human, who comes after the worker.
  if old.worker <> new.worker and new.worker >= 0 then
    insert into public.violations values (format('job %s went from worker to worker', new.id));
  end if;
  if old.worker is null and new.worker is not null and old.run_at > clock_timestamp() then
    insert into public.violations values (format('job %s started early', new.id));
  end if;
  -- Under the lock of its limit, which the claim holds to its end: nobody else can have started one meanwhile.
  if old.worker is null and new.worker is not null and new.limit_key is not null and (
    select count(*) from pgqueue.jobs as job where job.limit_key = new.limit_key and job.worker is not null) > (
    select rule.concurrency from pgqueue.limits as rule
    where rule.scope = 'key' and rule.name = new.limit_key and rule.adopted)
  then
    insert into public.violations values (format('job %s exceeded the limit of %s', new.id, new.limit_key));
  end if;
  return null;
end $$;
create trigger witness after update on pgqueue.jobs for each row execute function witness_job();
"""

ON_WORKERS = """
create function witness_worker() returns trigger language plpgsql as $$
begin
  -- clock_timestamp() of this moment is later than the one by which the heartbeat decided, on a busy machine by far.
  -- Whoever stalls a worker here does so for two leases, each of a second or more.
  if old.expires_at < clock_timestamp() - interval '500 ms' and new.expires_at > clock_timestamp() then
    insert into public.violations values (format('the lease of worker %s was extended after its end', new.id));
  end if;
  return null;
end $$;
create trigger witness after update on pgqueue.workers for each row execute function witness_worker();
"""

# A tick is its job's order, in the same transaction.
ON_TICKS = """
create function witness_tick() returns trigger language plpgsql as $$
begin
  insert into public.orders values (new.job_id, 'succeeded');
  return null;
end $$;
create trigger witness after insert on pgqueue.ticks
  for each row when (new.job_id is not null) execute function witness_tick();
"""


def install_tables(conn: Conn) -> None:
    """Create the tables; in an empty database, too."""
    conn.execute(TABLES)


def install_triggers(conn: Conn) -> None:
    """Watch the tables of pgqueue."""
    conn.execute(ON_JOBS)
    conn.execute(ON_WORKERS)
    conn.execute(ON_TICKS)


def wipe(conn: Conn) -> None:
    """End whatever else uses this database, and leave all tables empty."""
    conn.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    names = conn.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables"
        " where schemaname in ('pgqueue', 'public') and tablename not in ('alembic_version', 'gate')"
    ).fetchall()
    conn.execute(f"truncate {', '.join(name for (name,) in names)}")
    open_gate(conn)


def drop_schema(conn: Conn) -> None:
    """Leave no schema pgqueue."""
    conn.execute("drop schema if exists pgqueue cascade")


def shut_gate(conn: Conn) -> None:
    """Let second attempts wait, once they have begun."""
    conn.execute("update gate set opened = false")


def open_gate(conn: Conn) -> None:
    """Let second attempts go on."""
    conn.execute("update gate set opened = true")
