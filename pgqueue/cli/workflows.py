"""`pgqueue workflows`: how workflows stand, what they look like, and their brakes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.cli import workflow_driving as driving
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.bulk import Rate
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.options import Dsn, Json, Most, choice_option, listing, new_group
from pgqueue.cli.output import print_list
from pgqueue.cli.telling import telling
from pgqueue.cli.workflow_drawn import drawn
from pgqueue.cli.workflow_ids import WorkflowId, workflow_id_of
from pgqueue.cli.workflow_page import COLUMNS, print_workflow
from pgqueue.drawing import MOST_BOXES
from pgqueue.errors import WorkflowNotFound
from pgqueue.record import WorkflowNode, WorkflowRecord, WorkflowState
from pgqueue.store import execute, workflow_reading
from pgqueue.store.looking import LONGER, look
from pgqueue.store.workflow_reading import Asked
from pgqueue.store.workflow_secrecy import nodes_shown

if TYPE_CHECKING:
    from uuid import UUID

    import psycopg


class Format(StrEnum):
    """What a graph is drawn as."""

    TEXT = "text"
    MERMAID = "mermaid"
    SVG = "svg"


def _workflows(dsn: Dsn = None) -> None:
    """Look at workflows, draw them, call them off, and resume them where they failed."""


group = new_group(_workflows)


@group.command("list")
@listing
def list_workflows(
    dsn: Dsn = None,
    state: Annotated[
        WorkflowState | None, choice_option("--state", "-s", of=WorkflowState, help="Only those in this state.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Only those of this name; 'order*' for any such.")
    ] = None,
    limit: Most = 50,
    before: Annotated[
        str | None, typer.Option("--before", metavar="ID", help="Only those with a lower id: the next page.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List workflows, the newest first, and where their jobs are, counted up to 1,000 in each place.

    Looks at 2,000 workflows at most, and then says how to go on.
    """
    with connected(dsn) as conn:
        below = None if before is None else workflow_id_of(conn, before)
        asked = Asked(state=state, name=name, before=below, limit=limit)
        found = _looked(look(conn, lambda conn: _page(conn, asked), LONGER))
    rows, until = found
    print_list(rows, COLUMNS, as_json=as_json, empty="No such workflow.")
    if len(rows) == limit:
        say(f"there may be more: go on with --before {rows[-1].id}")
    elif until is not None:
        say(f"looked at {workflow_reading.BUDGET:,} workflows; go on with --before {until}")


@group.command()
def show(
    workflow_id: WorkflowId,
    io: Annotated[bool, typer.Option("--io", help="With what each node was given, and what it returned.")] = False,
    limit: Most = 100,
    after: Annotated[
        int, typer.Option("--after", metavar="NUMBER", min=0, help="Only nodes behind this one: the next page.")
    ] = 0,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show how a workflow stands, its nodes in order, and what holds it up.

    Jobs are counted up to 100,000 in each place.
    """
    with connected(dsn) as conn:
        found = workflow_id_of(conn, workflow_id)

        def question(conn: psycopg.Connection[Any]) -> tuple[WorkflowRecord, list[WorkflowNode]]:
            return _get(conn, found), execute(conn, workflow_reading.nodes(found, after, limit))

        row, nodes = _looked(look(conn, question, LONGER))
        print_workflow(conn, row, nodes_shown(conn, nodes), with_io=io, is_all=len(nodes) < limit, as_json=as_json)


@group.command()
def graph(
    workflow_id: WorkflowId,
    as_: Annotated[
        Format | None, choice_option("--format", "-f", of=Format, help="What it is drawn as; text unless said.")
    ] = None,
    dsn: Dsn = None,
) -> None:
    """Draw a workflow: as text, as mermaid's language, or as an SVG; a group is one box.

    At most 200 nodes: of more those that are dead or run, then those that wait.
    """
    with connected(dsn) as conn:
        found = workflow_id_of(conn, workflow_id)

        def question(conn: psycopg.Connection[Any]) -> tuple[WorkflowRecord, list[WorkflowNode]]:
            return _get(conn, found), execute(conn, workflow_reading.picture(found, MOST_BOXES))

        row, nodes = _looked(look(conn, question, LONGER))
        for line in drawn(row, nodes_shown(conn, nodes), as_ or Format.TEXT):
            typer.echo(line, color=True)


@group.command()
@telling
def retry(workflow_id: WorkflowId, rate: Rate = None, reason: Reason = None, dsn: Dsn = None) -> None:
    """Resume a workflow where it failed: what is dead of it gets fresh attempts, what has succeeded is not run again.

    It goes in slices of 1,000 jobs. Once it has begun the workers go on with it, should this command be stopped; with
    --rate it alone does it.
    """
    with connected(dsn) as conn:
        driving.retry(conn, actor(reason), workflow_id_of(conn, workflow_id), rate)


@group.command()
@telling
def cancel(
    workflow_id: WorkflowId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until what runs of it has ended, too.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECS", min=0, help="Wait so long at most.")] = 600.0,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Cancel a workflow: nothing of it starts any more, and what runs is told to end.

    It goes in slices of 1,000 jobs. Once it has begun the workers go on with it, should this command be stopped.
    """
    with connected(dsn) as conn:
        driving.cancel(conn, actor(reason), workflow_id_of(conn, workflow_id), timeout if wait else None)


def _page(conn: psycopg.Connection[Any], asked: Asked) -> tuple[list[WorkflowRecord], UUID | None]:
    rows = execute(conn, workflow_reading.page(asked))
    return rows, execute(conn, workflow_reading.end(asked)) if len(rows) < asked.limit else None


def _get(conn: psycopg.Connection[Any], workflow_id: UUID) -> WorkflowRecord:
    row = execute(conn, workflow_reading.get(workflow_id))
    if row is None:
        raise WorkflowNotFound(workflow_id)
    return row


def _looked(found: Any) -> Any:
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    return found
