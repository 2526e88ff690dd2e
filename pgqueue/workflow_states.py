"""How workflows stand, for code that asks: each function runs one statement in the transaction open on `conn`.

With an async connection each returns an awaitable.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import overload

from pgqueue.errors import OptionError, WorkflowNotFound
from pgqueue.options import check_choice, check_integer
from pgqueue.record import WorkflowNode, WorkflowRecord, WorkflowState
from pgqueue.store import Statement, workflow_reading
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.direct import Rows
from pgqueue.store.workflow_reading import Asked
from pgqueue.workflows import WorkflowRef, workflow_id_of

MOST = 1_000


@overload
def get_workflow(conn: SyncConnection, workflow_id: WorkflowRef) -> WorkflowRecord: ...
@overload
def get_workflow(conn: AsyncConnection, workflow_id: WorkflowRef) -> Awaitable[WorkflowRecord]: ...
def get_workflow(conn: AnyConnection, workflow_id: WorkflowRef) -> WorkflowRecord | Awaitable[WorkflowRecord]:
    """How a workflow stands, and where its jobs are, counted up to 100,000 in each place.

    Raises WorkflowNotFound.
    """
    found = workflow_id_of(workflow_id)
    statement = workflow_reading.get(found)

    def read(rows: Rows) -> WorkflowRecord:
        row = statement.read(rows)
        if row is None:
            raise WorkflowNotFound(found)
        return row

    return ask(conn, Statement(statement.sql, statement.params, read))


@overload
def list_workflows(
    conn: SyncConnection,
    *,
    state: WorkflowState | str | None = None,
    name: str | None = None,
    before: WorkflowRef | None = None,
    limit: int = 50,
) -> list[WorkflowRecord]: ...
@overload
def list_workflows(
    conn: AsyncConnection,
    *,
    state: WorkflowState | str | None = None,
    name: str | None = None,
    before: WorkflowRef | None = None,
    limit: int = 50,
) -> Awaitable[list[WorkflowRecord]]: ...
def list_workflows(
    conn: AnyConnection,
    *,
    state: WorkflowState | str | None = None,
    name: str | None = None,
    before: WorkflowRef | None = None,
    limit: int = 50,
) -> list[WorkflowRecord] | Awaitable[list[WorkflowRecord]]:
    """Workflows, the newest first: in a state, with a name such as `order*`, with an id below `before`.

    Looks at 2,000 workflows, or of those that failed at 2,000 with dead jobs. Jobs are counted up to 1,000 in each
    place. Raises OptionError.
    """
    if state is not None:
        check_choice("state", str(state), tuple(map(str, WorkflowState)))
    check_integer("limit", limit, 1, MOST)
    if name is not None and (not isinstance(name, str) or "\0" in name):
        raise OptionError(f"name must be a text, such as 'order*', got {name!r:.80}")
    asked = Asked(
        state=None if state is None else WorkflowState(state),
        name=name,
        before=None if before is None else workflow_id_of(before),
        limit=limit,
    )
    return ask(conn, workflow_reading.page(asked))


@overload
def workflow_nodes(
    conn: SyncConnection, workflow_id: WorkflowRef, *, after: int = 0, limit: int = 1_000
) -> list[WorkflowNode]: ...
@overload
def workflow_nodes(
    conn: AsyncConnection, workflow_id: WorkflowRef, *, after: int = 0, limit: int = 1_000
) -> Awaitable[list[WorkflowNode]]: ...
def workflow_nodes(
    conn: AnyConnection, workflow_id: WorkflowRef, *, after: int = 0, limit: int = 1_000
) -> list[WorkflowNode] | Awaitable[list[WorkflowNode]]:
    """The nodes of a workflow in order, those behind `after`: what each is, needs, and how its jobs stand.

    Empty if there is no such workflow. Raises OptionError.
    """
    check_integer("limit", limit, 1, MOST)
    check_integer("after", after, 0, 2**31 - 1)
    return ask(conn, workflow_reading.nodes(workflow_id_of(workflow_id), after, limit))
