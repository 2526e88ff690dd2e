"""Tenants: for whom a session acts, which roles may act for whom, and whether they are on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from pgqueue.errors import OptionError, SchemaError
from pgqueue.store.connection import SyncConnection
from pgqueue.store.statement import Statement, execute, nothing, only_value

ANY = "*"
# As is_tenant_name.sql has it.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}")


class Bound(NamedTuple):
    """A role that may act for a tenant; `*` is any."""

    role: str
    tenant: str


def is_tenant(name: str) -> bool:
    """Whether this can name a tenant."""
    return _NAME.fullmatch(name) is not None


def set_tenant(tenant: str) -> Statement[None]:
    """The open transaction acts for a tenant. O(1)."""
    return Statement("select pgqueue.set_tenant($1::pg_catalog.text)", (tenant,), nothing)


def acting_for() -> Statement[str | None]:
    """For which tenant the session acts, as it says; empty or None for none. O(1)."""
    return Statement("select pg_catalog.current_setting('pgqueue.tenant', true)", (), only_value)


def act_for_job(job_id: UUID) -> Statement[str | None]:
    """The open transaction acts for the tenant of a job; answers which that is. O(log n)."""
    sql = "select pgqueue.act_for_job($1::pg_catalog.uuid), pgqueue.tenant_of_job($1::pg_catalog.uuid)"
    return Statement(sql, (job_id,), lambda rows: rows[0][1])


def said_key(key: str | None, tenant: str | None) -> str | None:
    """A unique key of a tenant's job as it was said: stored, it has the tenant in front."""
    return key if key is None or tenant is None else key.removeprefix(f"{tenant}::")


def are_on() -> Statement[bool]:
    """Whether tenants are on."""
    return Statement("select pgqueue.has_tenants()", (), only_value)


def switch(on: bool, sees_all: Sequence[str]) -> Statement[None]:
    """Switch tenants on or off, under locks on all tables: who is named in `sees_all` sees those of all."""
    return Statement(
        "select pgqueue.set_tenants($1::pg_catalog.bool, $2::pg_catalog.text[])", (on, list(sees_all)), nothing
    )


def keep() -> Statement[None]:
    """After tables or views were made anew: tenants are as they were."""
    return Statement("select pgqueue.keep_tenants()", (), nothing)


def who_sees_all() -> Statement[list[str]]:
    """The roles that see the jobs of all tenants, besides the owner of the schema."""
    return Statement("select pgqueue.who_sees_all()", (), only_value)


def bindings() -> Statement[list[Bound]]:
    """Which roles may act for which tenants."""
    sql = "select role, tenant from pgqueue.tenant_roles order by role, tenant"
    return Statement(sql, (), lambda rows: [Bound._make(row) for row in rows])


def bind(role: str, tenant: str) -> Statement[bool]:
    """A role may act for a tenant; False if it may already. O(1). Raises OptionError."""
    if tenant != ANY and not is_tenant(tenant):
        raise OptionError(
            f"a tenant is a name of 1 to 63 letters, digits, _ . @ or -, or * for any; got {tenant!r:.80}"
        )
    return Statement(_BIND, (role, tenant), bool)


def unbind(role: str, tenant: str | None) -> Statement[int]:
    """A role may no longer act for a tenant, or for any that it may; answers how many those were."""
    return Statement(_UNBIND, (role, tenant), len)


def missing_roles(roles: Sequence[str]) -> Statement[list[str]]:
    """Which of these the server does not have as roles."""
    sql = """
    select array(
      select named.role from pg_catalog.unnest($1::pg_catalog.text[]) as named (role)
      where not exists (select from pg_catalog.pg_roles as r where r.rolname operator(pg_catalog.=) named.role))
    """
    return Statement(sql, (list(roles),), only_value)


def is_above(role: str) -> Statement[bool]:
    """Whether a role sees those of all tenants, whatever is said: a superuser, the owner, or one that was named."""
    return Statement(_IS_ABOVE, (role,), only_value)


def blind_workers(sees_all: Sequence[str]) -> Statement[list[str]]:
    """The roles of workers connected now that are neither the owner nor a member of one that sees all tenants."""
    return Statement(_BLIND, (list(sees_all),), only_value)


def tenants_of(ids: Sequence[UUID]) -> Statement[Mapping[UUID, str]]:
    """Whose these jobs are that have not ended, of those that are somebody's. Walks jobs_pkey; O(batch log n)."""
    sql = """
    select job.id, job.tenant from pgqueue.jobs as job
    where job.id operator(pg_catalog.=) any ($1::pg_catalog.uuid[]) and job.tenant is not null
    """
    return Statement(sql, (list(ids),), lambda rows: {row[0]: row[1] for row in rows})


def require_all(conn: SyncConnection) -> None:
    """Raise SchemaError unless this connection sees the jobs of all tenants, or there are none: a worker must."""
    if not execute(conn, _SEES_ALL):
        role = execute(conn, _ROLE)
        raise SchemaError(
            f"the role {role} does not see the jobs of all tenants, and would leave them unrun; as the owner of the"
            f" schema say `pgqueue tenants on --sees-all {role}`"
        )


_BIND = """
insert into pgqueue.tenant_roles (role, tenant) values ($1::pg_catalog.text, $2::pg_catalog.text)
on conflict do nothing returning role
"""
_UNBIND = """
delete from pgqueue.tenant_roles as bound
where bound.role operator(pg_catalog.=) $1::pg_catalog.text
  and ($2::pg_catalog.text is null or bound.tenant operator(pg_catalog.=) $2::pg_catalog.text)
returning bound.tenant
"""
_IS_ABOVE = """
select coalesce((
  select r.rolsuper or r.rolbypassrls or pg_catalog.pg_has_role(r.oid, c.relowner, 'usage') or exists (
    select from pg_catalog.pg_roles as named
    where named.rolname operator(pg_catalog.=) any (pgqueue.who_sees_all())
      and pg_catalog.pg_has_role(r.oid, named.oid, 'usage'))
  from pg_catalog.pg_roles as r, pg_catalog.pg_class as c
  where r.rolname operator(pg_catalog.=) $1::pg_catalog.text
    and c.oid operator(pg_catalog.=) pg_catalog.to_regclass('pgqueue.jobs')), false)
"""
_BLIND = """
select array(
  select distinct a.usename::pg_catalog.text
  from pg_catalog.pg_stat_activity as a
  join pg_catalog.pg_class as c on c.oid operator(pg_catalog.=) pg_catalog.to_regclass('pgqueue.jobs')
  where a.datname operator(pg_catalog.=) pg_catalog.current_database()
    and a.application_name operator(pg_catalog.=) any (array['pgqueue claimer', 'pgqueue worker', 'pgqueue heartbeat'])
    and not pg_catalog.pg_has_role(a.usesysid, c.relowner, 'usage')
    and not exists (
      select from pg_catalog.unnest($1::pg_catalog.text[]) as named (role)
      join pg_catalog.pg_roles as r on r.rolname operator(pg_catalog.=) named.role
      where pg_catalog.pg_has_role(a.usesysid, r.oid, 'usage')))
"""
_SEES_ALL: Statement[bool] = Statement("select pgqueue.sees_all_tenants()", (), only_value)
_ROLE: Statement[str] = Statement("select current_user", (), only_value)
