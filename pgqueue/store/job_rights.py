"""With which rights the connections work that tasks are given; and whether they can have them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgqueue.store.statement import Statement, nothing, only_value


@dataclass(frozen=True, slots=True)
class JobRights:
    """Those of the worker's own login, or of one of its roles, or of another login, by a DSN of its own."""

    role: str | None = None
    dsn: str | None = field(default=None, repr=False)


WORKERS_OWN = JobRights()


def take_on(role: str) -> Statement[None]:
    """Take on a role for this statement alone: what may not raises."""
    return Statement("select pg_catalog.set_config('role', $1::text, true)", (role,), nothing)


def is_superuser(role: str) -> Statement[bool]:
    """Whether a role may do everything, so that it is no bound for jobs."""
    sql = "select coalesce((select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = $1::text), false)"
    return Statement(sql, (role,), only_value)


def database() -> Statement[str]:
    """What tells the database that a connection leads to from others."""
    sql = "select concat_ws(' ', current_database(), pg_postmaster_start_time())"
    return Statement(sql, (), only_value)


def may_settle() -> Statement[bool]:
    """Whether this login can write the success of a job into the transaction of its task."""
    return Statement(_MAY_SETTLE, (), only_value)


_MAY_SETTLE = """
select coalesce(bool_or(
  has_schema_privilege(p.pronamespace, 'usage') and has_function_privilege(p.oid, 'execute')
  and (p.prosecdef or has_table_privilege('pgqueue.jobs', 'delete'))), false)
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname = 'pgqueue' and p.proname = 'complete'
"""
