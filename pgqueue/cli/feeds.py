"""`pgqueue feeds`: how far iterators have been streamed into queues, and which to forget."""

from __future__ import annotations

from typing import Annotated

import typer

from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.database import connected
from pgqueue.cli.options import Dsn, Json, listing, new_group
from pgqueue.cli.output import Columns, print_json, print_list, written
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import FeedNotFound
from pgqueue.printable import as_json as json_text
from pgqueue.printable import in_one_line
from pgqueue.store import execute, feeds
from pgqueue.store.feeds import Feed

COLUMNS: Columns[Feed] = {
    "FEED": lambda row: row.name,
    "STATE": lambda row: row.state,
    "ITEMS": lambda row: row.items,
    "WAITING": lambda row: row.waiting,
    "BUFFER": lambda row: row.buffer,
    "FED": lambda row: row.fed_at,
    "ERROR": lambda row: row.error,
}
Name = Annotated[str, typer.Argument(metavar="NAME", help="The feed's name.")]


def _feeds(dsn: Dsn = None) -> None:
    """Look at feeds, and forget them."""


group = new_group(_feeds)


@group.command("list")
@listing
def list_feeds(dsn: Dsn = None, as_json: Json = False) -> None:
    """List the feeds by name: how far each is, and how many of its jobs have not ended."""
    with connected(dsn) as conn:
        found = execute(conn, feeds.listed())
    print_list(found, COLUMNS, as_json=as_json, empty="Nothing has been fed: pgqueue feed ITERATOR --to TARGET.")


@group.command()
def show(name: Name, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one feed: where it stands, who feeds it, and why it failed."""
    with connected(dsn) as conn:
        found = execute(conn, feeds.listed(name))
    if not found:
        raise _unknown(name)
    (feed,) = found
    if as_json:
        print_json(feed)
        return
    cursor = None if feed.cursor is None else json_text(feed.cursor)
    at = None if feed.pid is None or feed.state != "feeding" else f"process {feed.pid} on {feed.host}"
    for title, value in (
        ("feed", feed.name),
        ("state", feed.state),
        ("iterator", feed.source),
        ("target", feed.target),
        ("items", f"{feed.items:,}"),
        ("cursor", cursor),
        ("waiting", f"{feed.waiting:,} of {feed.buffer:,}"),
        ("fed by", at),
        ("begun", feed.created_at),
        ("last fed", feed.fed_at),
        ("finished", feed.finished_at),
        ("error", feed.error),
    ):
        if value is not None:
            typer.echo(f"{title:<10}{in_one_line(written(value))}")


@group.command()
@telling
def remove(name: Name, reason: Reason = None, dsn: Dsn = None) -> None:
    """Forget a feed and its cursor; its jobs stay. A process that feeds it stops at its next batch."""
    with connected(dsn) as conn:
        with acting(conn, "feeds remove", on=name, reason=reason) as act:
            act.done = execute(conn, feeds.remove(name))
        if not act.done:
            raise _unknown(name)
    tell(f"feed {name} is forgotten; fed again, it begins anew", feed=name)


def _unknown(name: str) -> FeedNotFound:
    return FeedNotFound(f"no feed {name}; `pgqueue feeds list` has their names")
