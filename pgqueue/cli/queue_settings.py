"""`pgqueue queues set|unset|show`: what holds of a queue's jobs where neither they nor their task say anything.

And which targets it takes at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from pgqueue.acting import queues as steering
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.completing import queue_names
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.numbers import number
from pgqueue.cli.options import Dsn, Json, duration_option
from pgqueue.cli.output import paint, print_json
from pgqueue.cli.queues import Names, check_queues, pause_in_words, settings_in_words
from pgqueue.cli.telling import tell, telling
from pgqueue.queues import SETTINGS
from pgqueue.store import execute, queues

Name = Annotated[str, typer.Argument(metavar="QUEUE", autocompletion=queue_names, help="The queue's name.")]


@telling
def set_settings(
    names: Names,
    dsn: Dsn = None,
    timeout: Annotated[timedelta | None, duration_option("--timeout", "How long an attempt may take.")] = None,
    max_attempts: Annotated[
        int | None, typer.Option("--max-attempts", metavar="N", min=1, help="Dead after so many.")
    ] = None,
    priority: Annotated[
        int | None, typer.Option("--priority", metavar="0-9", min=0, max=9, help="Of jobs to come; higher runs first.")
    ] = None,
    ageing: Annotated[
        timedelta | None, duration_option("--ageing", "How much waiting a level of priority is worth.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="TARGET", help="Take this target alone, or a glob: 'shop.mail:*'; several."),
    ] = None,
    allow_any: Annotated[bool, typer.Option("--allow-any", help="Take jobs of any target again.")] = False,
    reason: Reason = None,
) -> None:
    """Say what holds of these queues' jobs where neither they nor their task do; what is not given stays.

    With --allow, which targets they take: all of them are to be said.
    """
    if allow and allow_any:
        raise typer.BadParameter("is the opposite of --allow", param_hint="--allow-any")
    terms = {"timeout": timeout, "max_attempts": max_attempts, "priority": priority, "ageing": ageing}
    with connected(dsn) as conn:
        for name in names:
            with conn.transaction():
                if allow or allow_any:
                    steering.allow(conn, actor(reason), name, allow or None)
                if not (allow or allow_any) or any(value is not None for value in terms.values()):
                    steering.say(
                        conn,
                        actor(reason),
                        name,
                        timeout=timeout,
                        max_attempts=max_attempts,
                        priority=priority,
                        ageing=ageing,
                    )
            _tell(name, execute(conn, queues.settings(name)))


@telling
def unset(
    name: Name,
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[SETTING...]", help=f"{', '.join(SETTINGS)}; else all of them.")
    ] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Let a queue say nothing of these any more: what its jobs' tasks say holds, or everybody's default; any target."""
    with connected(dsn) as conn:
        steering.unsay(conn, actor(reason), name, *(word.replace("-", "_") for word in what or ()))
        _tell(name, execute(conn, queues.settings(name)))


def show(name: Name, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show how full a queue is, and what holds of its jobs where neither they nor their task say anything."""
    check_queues([name])
    with connected(dsn) as conn:
        found = execute(conn, queues.depths([name])).queues
    if not found:
        say(f"no job was found in {name}, and nothing is said of it")
        raise typer.Exit(Exit.NOT_FOUND)
    row = found[0]
    if as_json:
        print_json(asdict(row))
        return
    facts = {
        "queue": row.queue,
        "ready": number(row, "ready"),
        "scheduled": number(row, "scheduled"),
        "running": number(row, "running"),
        "retrying": number(row, "retrying"),
        "dead": number(row, "dead"),
        "paused": pause_in_words(row),
        "settings": settings_in_words(row) or "none",
    }
    for fact, value in facts.items():
        if value is not None:
            typer.echo(f"{paint(fact.ljust(10), 'bold')} {value}")


def _tell(name: str, said: Sequence[queues.Settings]) -> None:
    settings = said[0]._asdict() if said else {"queue": name}
    tell(f"{name}: {', '.join(map(settings_in_words, said)) or 'says nothing'}", **settings)
