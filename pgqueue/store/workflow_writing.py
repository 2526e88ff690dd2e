"""How the rows of a workflow are written: few as one statement, many by COPY, table by table, in one transaction.

Coroutines for both kinds of connections, see sync_or_async.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from pgqueue.enqueued import Enqueued
from pgqueue.job import NewJob
from pgqueue.retry import seconds
from pgqueue.store import bulk, copying, spawning
from pgqueue.store.arrays import array_as_text, quoted
from pgqueue.store.bulk import copied
from pgqueue.store.connection import ASYNC, AsyncDriver, Driver
from pgqueue.store.statement import Statement, execute, only_value
from pgqueue.store.sync_or_async import answer
from pgqueue.store.workflow_rows import GateRow, Head, MemberRow, NodeRow, Rows

# Fewer jobs than this are one statement, which costs less than the round trips of COPY.
FEWEST = bulk.FEWEST
# Characters of one message.
_CHUNK = 1024 * 1024
Raw: TypeAlias = Driver | AsyncDriver


def begin(head: Head, headers: str | None = None) -> Statement[Enqueued]:
    """(nothing) -> a workflow without jobs; one that is there, by its id or its key, is answered. O(log n)."""
    labels = None if head.labels is None else json.dumps(dict(head.labels), ensure_ascii=False)
    params = (head.id, head.name, head.unique_key, head.deadline, labels, headers)
    return Statement(_BEGIN, params, lambda rows: Enqueued(*rows[0]))


_BEGIN = """
select id, created
from pgqueue.begin_workflow(
  $1::pg_catalog.uuid, $2::pg_catalog.text, $3::pg_catalog.text, $4::pg_catalog.float8, $5::pg_catalog.jsonb,
  $6::pg_catalog.json)
"""


def members(workflow: UUID, rows: Rows) -> Statement[int]:
    """(nothing) -> ready | waiting for the rows of a workflow. O(rows log n)."""
    sql = "select pgqueue.write_members($1::pg_catalog.uuid, $2::pg_catalog.json)"
    return Statement(sql, (workflow, as_json(rows)), only_value)


def add_inside(workflow: UUID, node: int, said: str) -> Statement[int]:
    """(nothing) -> an open group within another one, whose node answers to the first of its nodes. O(rows log n)."""
    return Statement(_ADD_INSIDE, (workflow, node, said), only_value)


_ADD_INSIDE = """
with added as materialized (
  select pgqueue.add_members($1::pg_catalog.uuid, $2::int, $3::pg_catalog.json) as jobs)
select (pg_catalog.currval('pgqueue.graft_numbers') operator(pg_catalog.+) 1)::int from added
"""


def as_json(rows: Rows, own: Container[int] = ()) -> str:
    """Rows as write_members.sql reads them; `own` are the nodes that have the links of what they are added to."""
    nodes = ",".join(_node_json(row, own=row.is_open and row.node in own) for row in rows.nodes)
    gates = ",".join(_gate_json(row) for row in rows.gates)
    jobs = ",".join(job_json(row, own=row.node in own) for row in rows.members)
    return f'{{"nodes":[{nodes}],"gates":[{gates}],"jobs":[{jobs}]}}'


def job_json(row: MemberRow, *, own: bool = False) -> str:
    """A job as write_members.sql reads it."""
    said: dict[str, Any] = {"own": True} if own else {}
    if row.node:
        said["node"] = row.node
    if row.gate is not None:
        said["gate"] = row.gate
    if row.success_links:
        said["success_links"] = row.success_links
    if row.failure_links:
        said["failure_links"] = row.failure_links
    rest = json.dumps(said, separators=(",", ":"))[1:-1]
    inputs = "" if row.inputs is None else f'"inputs":{row.inputs}'
    text = spawning.member_written(row.new, row.args, row.headers, row.id, row.signer)
    return f"{text[:-1]}{''.join(f',{part}' for part in (rest, inputs) if part)}}}"


async def copy_members(raw: Raw, workflow: UUID, rows: Sequence[MemberRow]) -> None:
    """(nothing) -> ready | waiting for many, one COPY for each."""
    ready = [row for row in rows if row.gate is None]
    plain = [row for row in ready if bulk.is_copied(row.new)]
    if plain:
        await _copy_ready(raw, workflow, plain)
    if waiting := [row for row in rows if row.gate is not None]:
        await _copy(raw, _WAITING_COPY, (_waiting(workflow, row) for row in waiting))
    # What the database's clock has a say in.
    if len(plain) < len(ready):
        rest = [row for row in ready if not bulk.is_copied(row.new)]
        await answer(execute(raw, members(workflow, Rows(members=rest))))


async def copy_graph(raw: Raw, workflow: UUID, nodes: Iterable[NodeRow], gates: Iterable[GateRow]) -> None:
    """(nothing) -> the nodes and gates of a workflow."""
    arrays: dict[int, str] = {}
    await _copy(raw, _NODES_COPY, (_node(workflow, row, arrays) for row in nodes))
    await _copy(raw, _GATES_COPY, (_gate(workflow, row) for row in gates))


async def _copy_ready(raw: Raw, workflow: UUID, rows: Sequence[MemberRow]) -> None:
    new_jobs = [row.new for row in rows]
    said = bulk.said_by(new_jobs)
    unsaid: Mapping[str, str] = {}
    if bulk.is_mixed(new_jobs, said):
        unsaid = bulk.unsaid_where(await answer(execute(raw, bulk.IS_FILLED)))
    columns = ("id", "target", "args", *said, "workflow_id", "node", "success_links", "failure_links", "headers")
    key = workflow.hex
    texts = (
        f"{row.id.hex}\t{copied(row.new.name)}\t{copied(row.args)}{bulk.written_options(row.new, said, unsaid)}"
        f"\t{key}\t{row.node}\t{_links(row.success_links)}\t{_links(row.failure_links)}\t{copied(row.headers)}\n"
        for row in rows
    )
    await _copy(raw, f"copy pgqueue.jobs ({', '.join(columns)}) from stdin", texts)


async def _copy(raw: Raw, sql: str, rows: Iterable[str]) -> None:
    if isinstance(raw, ASYNC):
        await copying.write_async(raw, sql, _chunks(rows))
    else:
        copying.write(raw, sql, _chunks(rows))


def _chunks(rows: Iterable[str]) -> Iterable[str]:
    gathered: list[str] = []
    size = 0
    for row in rows:
        gathered.append(row)
        size += len(row)
        if size > _CHUNK:
            yield "".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield "".join(gathered)


_WAITING_COPY = """
copy pgqueue.waiting (id, workflow_id, gate, node, target, args, inputs, success_links, failure_links, headers, run_at,
                      delay, ttl, timeout, cost, priority, max_attempts, store_result, queue, limit_key, labels,
                      follow_ups)
from stdin
"""
_NODES_COPY = """
copy pgqueue.nodes (workflow_id, node, name, target, total, needs, job_id, repairs, optional, callback, open,
                    success_links, failure_links)
from stdin
"""
_GATES_COPY = "copy pgqueue.gates (workflow_id, gate, unmet, total, links, failed_id, errors, others) from stdin"


def _waiting(workflow: UUID, row: MemberRow) -> str:
    new = row.new
    fields = (
        row.id.hex,
        workflow.hex,
        str(row.gate),
        str(row.node),
        copied(new.name),
        copied(row.args),
        copied(row.inputs),
        _links(row.success_links),
        _links(row.failure_links),
        copied(row.headers),
        _or_null(None if new.run_at is None else new.run_at.isoformat()),
        _length(new.delay),
        _length(new.ttl),
        _length(new.timeout),
        _or_null(new.cost),
        _or_null(new.priority),
        _or_null(new.max_attempts),
        _or_null(new.store_result),
        copied(new.queue),
        copied(new.limit_key),
        copied(None if new.labels is None else json.dumps(dict(new.labels), ensure_ascii=False)),
        copied(spawning.followed_by(new, row.id, row.signer)),
    )
    return "\t".join(fields) + "\n"


def _node(workflow: UUID, row: NodeRow, arrays: dict[int, str]) -> str:
    # Nodes that wait for the same have it as the same list.
    if (needs := arrays.get(id(row.needs))) is None:
        needs = arrays[id(row.needs)] = _array(row.needs)
    fields = (
        workflow.hex,
        str(row.node),
        copied(row.name),
        copied(row.target),
        str(row.total),
        needs,
        "\\N" if row.job_id is None else row.job_id.hex,
        "\\N" if row.repairs is None else _array(row.repairs),
        str(row.is_optional),
        str(row.is_callback),
        str(row.is_open),
        "\\N" if row.success_links is None else _array(row.success_links),
        "\\N" if row.failure_links is None else _array(row.failure_links),
    )
    return "\t".join(fields) + "\n"


def _gate(workflow: UUID, row: GateRow) -> str:
    errors = "\\N" if row.errors is None else copied(array_as_text([quoted(name) for name in row.errors]))
    others = "\\N" if row.failed_id is None else str(row.others)
    failed = "\\N" if row.failed_id is None else row.failed_id.hex
    return f"{workflow.hex}\t{row.gate}\t{row.unmet}\t{row.total}\t{_links(row.links)}\t{failed}\t{errors}\t{others}\n"


def _node_json(row: NodeRow, *, own: bool) -> str:
    said = {
        "own": own or None,
        "node": row.node,
        "name": row.name,
        "target": row.target,
        "total": row.total,
        "needs": row.needs or None,
        "job_id": None if row.job_id is None else str(row.job_id),
        "repairs": row.repairs,
        "optional": row.is_optional or None,
        "callback": row.is_callback or None,
        "open": row.is_open or None,
        "success_links": row.success_links,
        "failure_links": row.failure_links,
    }
    return _json(said)


def _gate_json(row: GateRow) -> str:
    said = {
        "gate": row.gate,
        "unmet": row.unmet,
        "total": row.total,
        "links": row.links or None,
        "failed_id": None if row.failed_id is None else str(row.failed_id),
        "errors": row.errors,
        "others": None if row.failed_id is None else row.others,
    }
    return _json(said)


def _json(said: dict[str, Any]) -> str:
    known = {name: value for name, value in said.items() if value is not None}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def _array(numbers: Sequence[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


def _links(numbers: Sequence[int]) -> str:
    return _array(numbers) if numbers else "\\N"


def _or_null(value: Any) -> str:
    return "\\N" if value is None else str(value)


def _length(value: Any) -> str:
    if value is None:
        return "\\N"
    length = seconds(value)
    return "Infinity" if length == math.inf else repr(length)


def to_wake(new_jobs: Sequence[NewJob]) -> Statement[None] | None:
    """Tell idle workers of jobs that were copied."""
    return bulk.to_wake(new_jobs)
