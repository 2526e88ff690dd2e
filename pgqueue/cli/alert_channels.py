"""`pgqueue alerts channels`: by which ways people are told."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pgqueue.alerting.channels import check_channel
from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.alerts import NOT_SERVED
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn, Json, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import OptionError
from pgqueue.printable import in_one_line
from pgqueue.store import alert_settings, alerts, execute
from pgqueue.store.alert_settings import Channel

COLUMNS: Columns[Channel] = {
    "NAME": lambda row: row.name,
    "KIND": lambda row: row.kind,
    "HEARS OF": lambda row: "all" if row.kinds is None else ", ".join(row.kinds),
    "SET": lambda row: ", ".join(f"{name}={_said(value)}" for name, value in row.settings.items()),
}

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the channel is called.")]
Kind = Annotated[str, typer.Argument(metavar="smtp|webhook|command", help="What carries the message.")]


def _text(name: str, metavar: str, meaning: str) -> Any:
    return typer.Option(name, metavar=metavar, help=meaning)


def _channels(dsn: Dsn = None) -> None:
    """Say by which ways people are told: mail, HTTP, a command. Secrets stay in variables of the workers."""


group = new_group(_channels)


@group.command("list")
@listing
def list_channels(dsn: Dsn = None, as_json: Json = False) -> None:
    """List the channels."""
    with connected(dsn) as conn:
        found = execute(conn, alert_settings.channels())
    print_list(found, COLUMNS, as_json=as_json, empty="Nobody is told: there is no channel.")


@group.command()
@telling
def add(
    name: Name,
    kind: Kind,
    host: Annotated[str | None, _text("--host", "HOST", "Mail: the server.")] = None,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help="Mail: its port; else 587.")] = None,
    tls: Annotated[str | None, _text("--tls", "starttls|tls|none", "Mail: how it is encrypted; else starttls.")] = None,
    sender: Annotated[str | None, _text("--from", "ADDRESS", "Mail: who writes.")] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="ADDRESS", help="Mail: who reads; repeatable.")
    ] = None,
    user: Annotated[
        str | None, _text("--user", "NAME", "Mail: the user, with --password-env; else the sender.")
    ] = None,
    password_env: Annotated[str | None, _text("--password-env", "VARIABLE", "Mail: what has the password.")] = None,
    template: Annotated[
        str | None, _text("--template", "generic|slack|teams|pagerduty", "Webhook: who reads it; else generic.")
    ] = None,
    url: Annotated[str | None, _text("--url", "URL", "Webhook: where to, if that is no secret.")] = None,
    url_env: Annotated[str | None, _text("--url-env", "VARIABLE", "Webhook: what has the address.")] = None,
    secret_env: Annotated[
        str | None, _text("--secret-env", "VARIABLE", "Webhook: what has the key of the signature.")
    ] = None,
    key_env: Annotated[str | None, _text("--key-env", "VARIABLE", "PagerDuty: what has the routing key.")] = None,
    command_env: Annotated[
        str | None, _text("--command-env", "VARIABLE", "Command: what has the command line.")
    ] = None,
    link: Annotated[str | None, _text("--link", "URL", "Where the dashboard is, for links in messages.")] = None,
    kinds: Annotated[str | None, _text("--kinds", "A,B", "Of which kinds of alerts; else all.")] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Add a channel, or change the one of that name. VARIABLEs begin with PGQUEUE_ALERT_, and workers have them."""
    given = {
        "host": host,
        "port": port,
        "tls": tls,
        "sender": sender,
        "to": to or None,
        "user": user,
        "password_env": password_env,
        "template": template,
        "url": url,
        "url_env": url_env,
        "secret_env": secret_env,
        "key_env": key_env,
        "command_env": command_env,
        "link": link,
    }
    settings = {option: value for option, value in given.items() if value is not None}
    wanted = None if kinds is None else [part.strip() for part in kinds.split(",") if part.strip()]
    check_channel(name, kind, settings)
    with connected(dsn) as conn:
        _check_kinds(wanted, {rule.kind for rule in execute(conn, alert_settings.rules())})
        with acting(conn, "alerts channels add", on=name, reason=reason):
            is_new = execute(conn, alert_settings.put_channel(Channel(name, kind, settings, wanted)))
        is_served = execute(conn, alerts.standing())[3]
    done = "added" if is_new else "changed"
    tell(f"channel {name} is {done}; try it: pgqueue alerts test {name}", channel=name, created=is_new)
    if not is_served:
        say(NOT_SERVED)


@group.command()
@telling
def remove(name: Name, reason: Reason = None, dsn: Dsn = None) -> None:
    """Tell nobody by this channel any more."""
    with connected(dsn) as conn, acting(conn, "alerts channels remove", on=name, reason=reason) as act:
        act.done = execute(conn, alert_settings.remove_channel(name))
    if not act.done:
        say_error(in_one_line(f"there is no channel {name}"))
        raise typer.Exit(Exit.NOT_FOUND)
    tell(f"channel {name} is removed", channel=name)


def _check_kinds(wanted: list[str] | None, known: set[str]) -> None:
    if wanted is not None and (not wanted or set(wanted) - known):
        raise OptionError(f"kinds are some of {', '.join(sorted(known))}, got {', '.join(wanted) or 'none'}")


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
