"""`pgqueue tenants`: whether tenants share the queue, which roles act for which, and who sees those of all."""

from __future__ import annotations

from typing import Annotated

import typer

from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.database import connected, served
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json, new_group
from pgqueue.cli.output import print_json
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import UsageError
from pgqueue.store import execute, tenants
from pgqueue.store.diagnosis import diagnosed

Role = Annotated[str, typer.Argument(metavar="ROLE", help="A role of the database.")]


def _tenants(dsn: Dsn = None) -> None:
    """Let tenants share the queue, each seeing its own jobs alone; and say which roles act for whom."""


group = new_group(_tenants)


@group.command()
@telling
def on(
    sees_all: Annotated[
        list[str],
        typer.Option("--sees-all", metavar="ROLE", help="Workers and people who see those of all; repeatable."),
    ] = [],  # noqa: B006, typer copies it
    dsn: Dsn = None,
) -> None:
    """Switch tenants on: who is not named sees one tenant's jobs alone. Locks all tables for a moment."""
    from pgqueue.tenancy import switch_on

    with served(dsn) as address, diagnosed():
        roles = switch_on(address, sees_all)
    who = "".join(f", {role}" for role in roles)
    tell(f"tenants are on; those of all are seen by the owner of the schema{who}", sees_all=roles)


@group.command()
@telling
def off(dsn: Dsn = None) -> None:
    """Switch tenants off: whoever has rights sees all jobs again. Each keeps its tenant."""
    from pgqueue.tenancy import switch_off

    with served(dsn) as address, diagnosed():
        switch_off(address)
    tell("tenants are off: whoever has rights sees all jobs")


@group.command()
def show(dsn: Dsn = None, as_json: Json = False) -> None:
    """Tell whether tenants are on, who sees those of all, and which roles act for which."""
    with connected(dsn) as conn:
        are_on = execute(conn, tenants.are_on())
        roles = execute(conn, tenants.who_sees_all())
        bound = execute(conn, tenants.bindings())
    if as_json:
        print_json({"on": are_on, "sees_all": roles, "roles": [each._asdict() for each in bound]})
        return
    typer.echo(f"Tenants are {'on' if are_on else 'off'}.")
    if are_on:
        typer.echo(f"Those of all are seen by the owner of the schema{''.join(f', {role}' for role in roles)}.")
    for each in bound:
        whom = "any tenant" if each.tenant == tenants.ANY else each.tenant
        typer.echo(f"{each.role} acts for {whom}")


@group.command()
@telling
def bind(
    role: Role,
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="A tenant; '*' for any that the session names.")],
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Let a role act for a tenant. It says which one by the setting pgqueue.tenant."""
    with connected(dsn) as conn:
        if execute(conn, tenants.missing_roles([role])):
            raise UsageError(f"there is no role {role}: create it first")
        if execute(conn, tenants.is_above(role)):
            raise UsageError(f"{role} sees the jobs of all tenants, whatever it is bound to: bind an ordinary role")
        with acting(conn, "tenants bind", on=f"{role} {tenant}", reason=reason) as act:
            act.done = execute(conn, tenants.bind(role, tenant))
    whom = "any tenant" if tenant == tenants.ANY else tenant
    tell(f"{role} acts for {whom}{'' if act.done else ' already'}", role=role, tenant=tenant)


@group.command()
@telling
def unbind(
    role: Role,
    tenant: Annotated[str | None, typer.Argument(metavar="[TENANT]", help="The tenant; else all of them.")] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Let a role no longer act for a tenant, or for any."""
    with connected(dsn) as conn:
        with acting(conn, "tenants unbind", on=f"{role} {tenant or ''}".strip(), reason=reason) as act:
            act.done = execute(conn, tenants.unbind(role, tenant)) > 0
        if not act.done:
            say(f"{role} acts for no such tenant")
            raise typer.Exit(Exit.NOT_FOUND)
    tell(f"{role} acts for {tenant or 'a tenant'} no more", role=role, tenant=tenant)
