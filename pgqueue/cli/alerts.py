"""`pgqueue alerts`: what is wrong, whether people were told, and who is not to be told of what."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.acting import alerts as acts
from pgqueue.alerting.wording import title_of
from pgqueue.cli.acting import Reason, acting, actor, who
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn, Json, duration_option, listing, new_group, seconds_option
from pgqueue.cli.output import Columns, paint, print_json, print_list, written
from pgqueue.cli.telling import tell, telling
from pgqueue.printable import in_one_line
from pgqueue.store import alert_settings, alerts, execute
from pgqueue.store.alerts import Alert, Sent

if TYPE_CHECKING:
    import psycopg

COLUMNS: Columns[Alert] = {
    "KEY": lambda row: row.key,
    "STATE": lambda row: _state(row),
    "SINCE": lambda row: row.opened_at,
    "TOLD": lambda row: row.last_sent_at,
    "N": lambda row: row.n or None,
    "WHAT": lambda row: title_of(row.kind, row.object, row.n, row.found),
}
MESSAGES: Columns[Sent] = {
    "CHANNEL": lambda row: row.channel,
    "WHAT": lambda row: row.what,
    "MADE": lambda row: row.made_at,
    "SENT": lambda row: row.sent_at or ("superseded" if row.superseded else None),
    "FAILED": lambda row: row.failures or None,
    "ERROR": lambda row: row.error,
}
# Messages that are shown of one alert.
SHOWN = 20
# Seconds between two looks for what became of a test.
LOOK_EVERY = 0.2
NO_CHANNEL = "nobody is told: there is no channel; add one with `pgqueue alerts channels add`"
NOT_SERVED = (
    "no live worker serves the queue pgqueue.alerts, which sends messages:"
    " pgqueue worker -A pgqueue.alerts -Q pgqueue.alerts"
)

Key = Annotated[str, typer.Argument(metavar="KEY", help="The alert, as `alerts list` has it, such as dead:9f2c….")]


def _alerts(dsn: Dsn = None) -> None:
    """Look at what is wrong and whether people were told; say who is told how, and of what not."""


group = new_group(_alerts)


@group.command("list")
@listing
def list_alerts(
    dsn: Dsn = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is well again, or muted.")] = False,
    as_json: Json = False,
) -> None:
    """List what is wrong, the last first."""
    with connected(dsn) as conn:
        found = execute(conn, alerts.listed(only_open=not everything))
        doubts = _doubts(conn)
    print_list(found, COLUMNS, as_json=as_json, empty="Nothing is wrong.")
    for doubt in doubts:
        say(doubt)


@group.command()
def show(key: Key, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one alert: since when, what was found, and the messages about it."""
    with connected(dsn) as conn:
        name = _key_of(conn, key)
        found = next(each for each in execute(conn, alerts.listed(only_open=False, prefix=name)) if each.key == name)
        sent = execute(conn, alerts.messages(name, SHOWN))
    if as_json:
        print_json({**asdict(found), "messages": [asdict(each) for each in sent]})
        return
    facts = {
        "key": found.key,
        "what": title_of(found.kind, found.object, found.n, found.found),
        "state": _state(found),
        "since": found.opened_at,
        "last seen": found.last_at,
        "how many": found.n or None,
        "told": found.last_sent_at,
        "muted until": found.muted_until,
        "muted by": found.muted_by,
        "found": written(found.found) if found.found else None,
    }
    for label, value in facts.items():
        if value is not None:
            typer.echo(f"{paint(label.ljust(12), 'bold')} {in_one_line(written(value), 2_000)}")
    typer.echo("")
    print_list(sent, MESSAGES, as_json=False, empty="No message was made.")


@group.command()
@telling
def mute(
    key: Key,
    lasting: Annotated[timedelta, duration_option("--for", "For so long.")] = timedelta(days=1),
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Tell nobody of an alert for a while, a day unless said; it need not have been wrong yet."""
    with connected(dsn) as conn:
        name = _key_of(conn, key, must_be=False)
        acts.mute(conn, actor(reason), name, lasting)
    tell(f"{name} is muted for {lasting}", alert=name)


@group.command()
@telling
def unmute(key: Key, reason: Reason = None, dsn: Dsn = None) -> None:
    """Tell people of an alert again."""
    with connected(dsn) as conn:
        name = _key_of(conn, key)
        acts.unmute(conn, actor(reason), name)
    tell(f"{name} is muted no more", alert=name)


@group.command("test")
def send_test(
    channels: Annotated[list[str] | None, typer.Argument(metavar="[CHANNEL]...", help="Which; else all.")] = None,
    wait: Annotated[float, seconds_option("--wait", "How long to wait for a worker to send it; else 30s.")] = 30.0,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Have a worker send a message that is a test, and say what became of it; exits with 1 if one was not sent."""
    with connected(dsn) as conn:
        names = [channel.name for channel in execute(conn, alert_settings.channels())]
        wanted = channels or names
        if not wanted:
            say_error(NO_CHANNEL)
            raise typer.Exit(Exit.NOT_FOUND)
        for missing in sorted(set(wanted) - set(names)):
            say_error(in_one_line(f"there is no channel {missing}; there are: {', '.join(names) or 'none'}"))
            raise typer.Exit(Exit.NOT_FOUND)
        with acting(conn, "alerts test", on=", ".join(wanted)):
            number = execute(conn, alerts.test(wanted, who()))
        for doubt in _doubts(conn):
            say(doubt)
        found = _followed(conn, number, wait)
    print_list(found, MESSAGES, as_json=as_json, empty="")
    if any(each.sent_at is None for each in found):
        say_error("not sent within that time; its job goes on trying: pgqueue alerts show test")
        raise typer.Exit(Exit.FAILED)


def _followed(conn: psycopg.Connection[Any], number: int, wait: float) -> Sequence[Sent]:
    ends_at = time.monotonic() + wait
    while True:
        found = [each for each in execute(conn, alerts.messages("test", 1_000)) if each.number == number]
        if time.monotonic() >= ends_at or all(each.sent_at is not None or each.failures for each in found):
            return found
        time.sleep(LOOK_EVERY)


def _key_of(conn: psycopg.Connection[Any], text: str, *, must_be: bool = True) -> str:
    """The alert that is meant by its key, or by the first letters of it. Exits with 4 if there is none, or several."""
    keys = [each.key for each in execute(conn, alerts.listed(only_open=False, prefix=text))]
    if text in keys or (not keys and not must_be):
        return text
    if len(keys) == 1:
        return keys[0]
    what = f"{text} could be {', '.join(keys[:5])}" if keys else f"there is no alert {text}"
    say_error(in_one_line(f"{what}; `pgqueue alerts list --all` has them", 500))
    raise typer.Exit(Exit.NOT_FOUND)


def _doubts(conn: psycopg.Connection[Any]) -> list[str]:
    """Why nobody may be told."""
    channels, _, failing, is_served = execute(conn, alerts.standing())
    if not channels:
        return [NO_CHANNEL]
    found = [] if is_served else [NOT_SERVED]
    if failing:
        found.append(f"{failing:,} messages could not be sent so far: pgqueue alerts show KEY")
    return found


def _state(row: Alert) -> str:
    if row.muted_until is not None and row.muted_until.timestamp() > time.time():
        return f"{row.state}, muted"
    return row.state
