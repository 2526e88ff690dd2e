"""Nodes of workflows as they may be shown: what an error repeats of arguments, and what their jobs got and returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from pgqueue.leaving_out import without
from pgqueue.record import WorkflowNode
from pgqueue.redaction import Redaction, echoing
from pgqueue.store import searching, showing
from pgqueue.store.listing import LARGEST, TOO_LARGE
from pgqueue.store.reading import load_json
from pgqueue.store.secrecy import SHOWN, knowing
from pgqueue.store.showing import JobShown
from pgqueue.store.statement import execute


def nodes_shown(
    conn: psycopg.Connection[Any], nodes: Sequence[WorkflowNode], redaction: Redaction = SHOWN
) -> list[WorkflowNode]:
    """Nodes without the secrets of their dead jobs' arguments in errors. Reads those jobs by their ids."""
    wanted = [node.dead_id for node in nodes if node.dead_id is not None and node.error]
    if not wanted:
        return list(nodes)
    jobs = {job.id: job for job in execute(conn, searching.jobs_of(wanted))}
    known = knowing(conn, (job.target for job in jobs.values()), redaction)
    secrets = {job.id: known.of_value(job.target, job.args)[1] for job in jobs.values()}
    return [
        node if node.dead_id is None else replace(node, error=without(node.error, secrets.get(node.dead_id)))
        for node in nodes
    ]


@dataclass(frozen=True, slots=True)
class GivenAndReturned:
    """What the job of a node was given, and what it returned, without secrets; None where there is nothing."""

    args: Any
    result: Any


def given_and_returned(
    conn: psycopg.Connection[Any], nodes: Sequence[WorkflowNode], most: int = 100
) -> dict[int, GivenAndReturned]:
    """What the first jobs of nodes were given and returned, by the node. Reads `most` jobs by their ids."""
    jobs = [(node.node, node.job_id) for node in nodes if node.job_id is not None][:most]
    found = {node: execute(conn, showing.shown(job_id, LARGEST)) for node, job_id in jobs}
    there = {node: each for node, each in found.items() if each is not None}
    known = knowing(conn, (each.job.target for each in there.values()))
    return {node: _told(known, each) for node, each in there.items()}


def _told(known: Redaction, found: JobShown) -> GivenAndReturned:
    if found.args is None:
        return GivenAndReturned(TOO_LARGE, None)
    args, secrets = known.of_value(found.job.target, load_json(found.args))
    result = None if found.result is None else load_json(found.result) if found.result else TOO_LARGE
    return GivenAndReturned(args, echoing(result, lambda text: without(text, secrets)))
