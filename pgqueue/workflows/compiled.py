"""A workflow as rows: those of its groups as they come, then all the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgqueue.store.workflow_rows import GateRow, Head, MemberRow, NodeRow
from pgqueue.workflows.batch_rows import BatchRows, links_of_member
from pgqueue.workflows.members import Members
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Event, OnFailure, Scope, Spot
from pgqueue.workflows.results_kept import keep_results
from pgqueue.workflows.wiring import wire


class Compiled:
    """What is to be written, in this order: head, batches to their end, then nodes and gates.

    What can be refused without a look at what iterators yield is refused here. Raises UsageError.
    """

    def __init__(self, plan: Plan, head: Head, on_failure: OnFailure, limit_key: str | None = None) -> None:
        self.head = head
        self._spots = plan.spots
        keep_results(plan)
        self._members = Members(plan, limit_key)
        self._singles = [spot for spot in plan.spots if spot.job is not None]
        self._batch = self._members.singles(self._singles)
        self._lists = {
            spot: list(self._members.chunks(spot)) for spot in plan.spots if isinstance(spot.members, list | tuple)
        }
        self._gates = wire(plan, on_failure)

    def batches(self) -> Iterator[tuple[BatchRows, list[MemberRow]]]:
        """The jobs: groups as their iterators yield them, in the order in which they can begin, then all nodes of one.

        Raises what an iterator raises, and UsageError for what no member can be.
        """
        for spot in self._spots:
            if spot.job is None:
                for batch in self._lists[spot] if spot in self._lists else self._members.chunks(spot):
                    rows = batch.of_group(spot)
                    spot.total += len(rows)
                    spot.target = spot.target or batch.new_jobs[0].name
                    yield batch, rows
                if spot.is_open:
                    # It owes one count itself until it is closed.
                    spot.links = links_of_member(spot)
        self._gates.settle()
        for spot, new in zip(self._singles, self._batch.new_jobs, strict=True):
            spot.target = new.name
        rows = self._batch.of_singles(self._singles)
        yield self._batch, [row for row, spot in zip(rows, self._singles, strict=True) if not _is_called_off(spot)]

    def nodes(self) -> list[NodeRow]:
        """The nodes, once all batches have been made."""
        # Those that wait for the same share it.
        needs = {id(spot.needs): spot.needs for spot in self._spots}
        numbers = {key: sorted({number for need in each for number in _numbers(need)}) for key, each in needs.items()}
        return [_node(spot, numbers[id(spot.needs)]) for spot in self._spots if not _is_called_off(spot)]

    def gates(self) -> list[GateRow]:
        """The gates that are neither open nor closed already, once all batches have been made."""
        return list(self._gates.rows())


def _node(spot: Spot, needs: list[int]) -> NodeRow:
    return NodeRow(
        spot.number,
        spot.name,
        spot.target,
        spot.total,
        needs,
        spot.id,
        None if spot.repairs is None else [spot.repairs.number],
        spot.is_optional,
        spot.is_callback,
        spot.is_open,
        *(spot.links or (None, None)),
    )


def _numbers(need: Event) -> Sequence[int]:
    return [spot.number for spot, _ in need.of.spots] if isinstance(need.of, Scope) else [need.of.number]


def _is_called_off(spot: Spot) -> bool:
    """Whether it can never run, because there is nothing that could fail."""
    return spot.gate is not None and spot.gate.closed
