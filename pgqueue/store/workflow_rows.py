"""The rows of a workflow, as they are written: made by the compiler, read by nobody but the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.job import NewJob
from pgqueue.signing import Signer


@dataclass(frozen=True, slots=True)
class Head:
    """The workflow itself; `deadline` is seconds from now."""

    id: UUID
    name: str
    unique_key: str | None = None
    deadline: float | None = None
    labels: Mapping[str, str] | None = None


class NodeRow(NamedTuple):
    """A node: for people, and for the results of its members.

    `job_id` is that of its only job, `repairs` are the nodes whose failure it stands in for. `is_optional` is whether
    the whole goes well without it, `is_callback` whether it is told how the whole ended. What is added to an open one
    gets its links.
    """

    node: int
    name: str
    target: str | None
    total: int
    needs: list[int]
    job_id: UUID | None = None
    repairs: list[int] | None = None
    is_optional: bool = False
    is_callback: bool = False
    is_open: bool = False
    success_links: list[int] | None = None
    failure_links: list[int] | None = None


class GateRow(NamedTuple):
    """A gate: opens when `unmet` ends have been counted, and then counts towards `links`.

    That of a branch opens only if the job `failed_id` is dead of one of `errors`, or of none of them (`others`); with
    neither, if it was cancelled.
    """

    gate: int
    unmet: int
    total: int
    links: list[int]
    failed_id: UUID | None = None
    errors: list[str] | None = None
    others: bool = False


class MemberRow(NamedTuple):
    """A job of a workflow: at a `gate`, or ready. `args` is JSON, as it is kept; `inputs` say which of them are
    filled in, by what. `headers` are signed already; `signer` signs what follows it.
    """

    id: UUID
    new: NewJob
    args: str
    node: int
    gate: int | None
    inputs: str | None
    success_links: list[int]
    failure_links: list[int]
    headers: str | None = None
    signer: Signer | None = None


@dataclass(slots=True)
class Rows:
    """Rows for one statement or a few."""

    nodes: list[NodeRow] = field(default_factory=list)
    gates: list[GateRow] = field(default_factory=list)
    members: list[MemberRow] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.nodes or self.gates or self.members)


Ref = Any  # of inputs: a job's id, a node's number, a list of these, {"first": [...]}
