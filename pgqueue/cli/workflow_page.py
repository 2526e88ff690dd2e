"""A workflow on one page: how it stands, its nodes, what holds it up; and its row in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from pgqueue.answers import node_answer, workflow_answer
from pgqueue.cli.errors import say
from pgqueue.cli.output import WORDS, Columns, paint, print_json, print_list, written
from pgqueue.encryption import in_words
from pgqueue.printable import as_json as printable_json
from pgqueue.printable import in_one_line
from pgqueue.record import WorkflowNode, WorkflowRecord, WorkflowState
from pgqueue.store.workflow_reading import MOST_COUNTED, MOST_LISTED
from pgqueue.store.workflow_secrecy import given_and_returned

if TYPE_CHECKING:
    import psycopg

# Characters of arguments and results beside a node; `jobs show` has them whole.
WIDEST = 300
# Nodes that the line names at which a retry resumes.
NAMED = 3


COLUMNS: Columns[WorkflowRecord] = {
    "ID": lambda row: row.id,
    "STATE": lambda row: row.state,
    "NAME": lambda row: row.name,
    "NODES": lambda row: row.nodes,
    "JOBS": lambda row: row.total,
    "LEFT": lambda row: counted(row.left, row, MOST_LISTED),
    "RUN": lambda row: counted(row.running, row, MOST_LISTED) if row.running else None,
    "DEAD": lambda row: counted(row.dead, row, MOST_LISTED) if row.dead else None,
    "ENQUEUED": lambda row: row.created_at,
    "DEADLINE": lambda row: row.deadline,
}
NODES: Columns[WorkflowNode] = {
    "NODE": lambda node: node.node,
    "NAME": lambda node: node.name,
    "STATE": lambda node: node.state,
    "JOBS": lambda node: None if node.total == 1 else node.total,
    "ENDED": lambda node: node.ended if node.total != 1 and node.exact else None,
    "DEAD": lambda node: node.dead if node.total != 1 and node.dead else None,
    "ATTEMPT": lambda node: node.attempt,
    "TOOK": lambda node: _took(node),
    "JOB": lambda node: node.job_id,
    "ERROR": lambda node: node.error,
}


def print_workflow(
    conn: psycopg.Connection[Any],
    row: WorkflowRecord,
    nodes: Sequence[WorkflowNode],
    *,
    with_io: bool,
    is_all: bool,
    as_json: bool,
) -> None:
    """Print a workflow with some of its nodes; `is_all` is whether none comes behind them."""
    told = given_and_returned(conn, nodes) if with_io else {}
    if as_json:
        print_json(workflow_answer(row, [node_answer(node, told.get(node.node)) for node in nodes]))
        return
    for name, value in _facts(row):
        typer.echo(f"{paint(name.ljust(12), 'bold')} {value}")
    typer.echo("")
    print_list(nodes, NODES, as_json=False, empty="It has no nodes.")
    for node in nodes:
        if (io := told.get(node.node)) is not None:
            typer.echo(f"{paint(in_one_line(node.name, 80), 'bold')}: {_short(io.args)} -> {_short(io.result)}")
    if not is_all:
        say(f"there are more nodes: go on with --after {nodes[-1].node}")
    if (line := resumes(row, nodes)) is not None:
        typer.echo(f"\n{line}")


def headline(row: WorkflowRecord) -> str:
    """A workflow in a line: `order 42 · failed · 1 dead of 8`."""
    return in_one_line(f"{row.name} · {row.state} · {_jobs(row)}", 300)


def resumes(row: WorkflowRecord, nodes: Sequence[WorkflowNode]) -> str | None:
    """What a retry would do; None if there is nothing to be retried."""
    if row.state is not WorkflowState.FAILED:
        return None
    dead = [node for node in nodes if node.dead]
    said = [
        in_one_line(node.name, 60) if node.total == 1 else f"{node.dead:,} of {in_one_line(node.name, 60)}"
        for node in dead
    ]
    at = ", ".join(said[:NAMED]) + (f" and {len(said) - NAMED} more" if len(said) > NAMED else "")
    done = f"; {row.succeeded:,} jobs are not run again" if row.succeeded else ""
    return f"pgqueue workflows retry {row.id}   resumes{f' at {at}' if at else ''}{done}"


def counted(count: int, row: WorkflowRecord, most: int) -> object:
    """A number that was counted up to a bound."""
    return count if row.exact or count < most else f"{most:,} or more"


def _facts(row: WorkflowRecord) -> Iterator[tuple[str, str]]:
    yield "workflow", str(row.id)
    yield "name", in_one_line(row.name)
    yield "state", paint(row.state, WORDS[row.state]) if row.state in WORDS else str(row.state)
    yield "jobs", f"{_jobs(row)}, in {row.nodes:,} node{'s' * (row.nodes != 1)}"
    facts = {
        "enqueued": row.created_at,
        "deadline": row.deadline,
        "unique key": row.unique_key,
        "labels": ", ".join(f"{key}={value}" for key, value in (row.labels or {}).items()) or None
        if isinstance(row.labels, dict | None)
        else str(row.labels),
        "asked": None if row.asked is None else f"{row.asked}, {written(row.asked_at)}",
    }
    for name, value in facts.items():
        if value is not None:
            yield name, in_one_line(written(value))


def _jobs(row: WorkflowRecord) -> str:
    parts = {
        "succeeded": row.succeeded,
        "running": row.running,
        "in queues": row.pending,
        "waiting": row.waiting,
        "dead": row.dead,
        "cancelled": row.cancelled,
    }
    told = ", ".join(f"{_most(count)} {name}" for name, count in parts.items() if count)
    return f"{row.total:,} job{'s' * (row.total != 1)}{f': {told}' if told else ''}"


def _most(count: int) -> str:
    return f"{count:,}" if count < MOST_COUNTED else f"{MOST_COUNTED:,} or more"


def _took(node: WorkflowNode) -> timedelta | None:
    return None if node.started_at is None or node.finished_at is None else node.finished_at - node.started_at


def _short(value: object) -> str:
    return in_one_line(in_words(printable_json(value)), WIDEST)
