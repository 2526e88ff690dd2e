"""`pgqueue jobs tree`: a job, and the jobs that it brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated
from uuid import UUID

import typer

from pgqueue import client
from pgqueue.cli.database import connected
from pgqueue.cli.errors import say
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.options import Dsn, JobId, Json, Most
from pgqueue.cli.output import WORDS, paint, print_json
from pgqueue.printable import in_one_line
from pgqueue.record import TreeNode


def tree(
    job_id: JobId,
    dsn: Dsn = None,
    limit: Most = 1000,
    after: Annotated[
        str | None, typer.Option("--after", metavar="ID", help="Of the job itself only the children behind this one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a job and the jobs that it brought, and those that these brought, with their states.

    At most --limit of them, generation by generation, and then says how to go on.
    """
    with connected(dsn) as conn:
        found = job_id_of(conn, job_id)
        behind = None if after is None else job_id_of(conn, after)
        nodes = client.tree(conn, found, limit=limit, after=behind)
    if as_json:
        print_json(nodes)
        return
    if nodes[0].parent_id is not None:
        say(f"job {nodes[0].id} was brought by {nodes[0].parent_id}")
    children: dict[UUID | None, list[TreeNode]] = {}
    for node in nodes[1:]:
        children.setdefault(node.parent_id, []).append(node)
    for line in _lines(nodes[0], children):
        typer.echo(line)
    if nodes[0].more and (own := children.get(nodes[0].id)):
        say(f"there are more: pgqueue jobs tree {nodes[0].id} --after {own[-1].id}")


def _lines(root: TreeNode, children: Mapping[UUID | None, Sequence[TreeNode]]) -> Iterator[str]:
    """The lines of a job and of what is below it, however deep that is."""
    # Of each its text, what stands before that, and what before the lines below it.
    waiting: list[tuple[TreeNode | None, str, str]] = [(root, "", "")]
    while waiting:
        node, first, rest = waiting.pop()
        yield f"{first}{'... more' if node is None else _line(node)}"
        below: list[TreeNode | None] = [] if node is None else list(children.get(node.id, ()))
        if node is not None and node.more:
            below.append(None)
        ends = [("├─ ", "│  ")] * (len(below) - 1) + [("└─ ", "   ")]
        told = zip(below, ends[: len(below)], strict=True)
        waiting += [(child, f"{rest}{mark}", f"{rest}{stem}") for child, (mark, stem) in reversed(list(told))]


def _line(node: TreeNode) -> str:
    state = "no longer known" if node.state is None else str(node.state)
    said = [str(node.id), paint(state, WORDS[state]) if state in WORDS else state, in_one_line(node.target or "")]
    if node.how is not None and node.generation:
        said.append(f"({in_one_line(node.how)})")
    return "  ".join(each for each in said if each)
