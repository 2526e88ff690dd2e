"""From what is waited for to what the database counts: gates, and for each node the links that its ends fire.

A hard need is a link at success; one of an end is a link at both. A node that may be repaired has a gate that it or a
repair opens (`done`), and one that opens when neither can (`failed`). Who waits for the end of a part waits at a gate
at which each of its nodes counts once: when it has ended, or can no more begin, because what it waits for is dead and
held. See docs/design/from-parts-to-gates.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.workflows.gates import Gate, Gates
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Event, OnFailure, Scope, Spot, ends_of


def wire(plan: Plan, on_failure: OnFailure) -> Gates:
    """Give each node of a plan its gate and its links."""
    return _Wiring(plan, on_failure).gates


class _Wiring:
    def __init__(self, plan: Plan, on_failure: OnFailure) -> None:
        self.gates = Gates()
        self._cancels = on_failure == "cancel"
        self._by_needs: dict[frozenset[Event], Gate] = {}
        self._by_tuple: dict[int, tuple[Sequence[Event], Gate]] = {}
        self._needs: dict[Gate, Sequence[Event]] = {}
        # Under `hold`: what tells that nothing behind a gate can begin.
        self._blocked: dict[Gate, Gate] = {}
        self._told: dict[Spot, Gate] = {}
        for spot in plan.spots:
            self._branch(spot)
        for spot in plan.spots:
            if spot.needs and not (spot.is_callback or spot.is_empty):
                spot.gate = self._gate_for(spot.needs)
        for scope, what, spot in plan.callbacks:
            spot.gate = self._callback_gate(scope, what)
        if self._told and not self._cancels:
            self._block(plan)

    def _branch(self, spot: Spot) -> None:
        """A node that is repaired where it fails."""
        if not spot.branches:
            return
        assert spot.id is not None
        done, failed = spot.done, spot.failed = self.gates.first(), self.gates.first()
        listed = [name for branch in spot.branches for name in branch.errors or ()]
        waiting: list[Gate] = []
        for branch in spot.branches:
            gate = self.gates.branch(spot.id, branch.errors or listed, others=branch.errors is None)
            branch.spot.gate = gate
            branch.spot.success += [done.number, -failed.number]
            branch.spot.failure.append(failed.number)
            waiting.append(gate)
        if all(branch.errors is not None for branch in spot.branches):
            waiting.append(self.gates.branch(spot.id, listed, others=True))
            waiting[-1].links.append(failed.number)
        # Cancelled by somebody: there is nothing to repair.
        waiting.append(self.gates.branch(spot.id, None, others=False))
        waiting[-1].links.append(failed.number)
        spot.success += [done.number, *(-gate.number for gate in waiting), -failed.number]
        spot.failure += [gate.number for gate in waiting]

    def _gate_for(self, needs: Sequence[Event]) -> Gate:
        """The gate that opens when all of it has happened; who waits for the same shares it."""
        # Most that wait for the same have it as the same tuple.
        if (known := self._by_tuple.get(id(needs))) is not None:
            return known[1]
        gate = self._shared(needs)
        # Kept with it: else another one might get its id.
        self._by_tuple[id(needs)] = needs, gate
        return gate

    def _shared(self, needs: Sequence[Event]) -> Gate:
        wanted = frozenset(needs)
        if (known := self._by_needs.get(wanted)) is not None:
            return known
        gate = (self._own_gate(needs[0]) if len(wanted) == 1 else None) or self.gates.new()
        self._by_needs[wanted], self._needs[gate] = gate, needs
        for need in dict.fromkeys(needs):
            self._count(need, gate)
        return gate

    def _own_gate(self, need: Event) -> Gate | None:
        """The gate of what is needed itself, if it has one."""
        match need:
            case (Scope() as scope, "end"):
                return self._ended(scope)
            case (Spot(is_group=True) as spot, "end"):
                return self._all_ended(spot)
            case (Spot(is_group=True) as spot, "success"):
                return self._all_succeeded(spot)
            case (Spot(done=Gate() as done), "success"):
                return done
        return None

    def _count(self, need: Event, gate: Gate) -> None:
        """Have what is needed counted at a gate."""
        if isinstance(need.of, Scope):
            if (ended := self._ended(need.of)) is not gate:
                ended.links.append(gate.count())
        elif need.what == "success":
            self._count_success(need.of, gate)
        else:
            self._count_end(need.of, gate)

    def _count_success(self, spot: Spot, gate: Gate) -> None:
        own = self._own_gate(Event(spot, "success"))
        if own is None:
            spot.success.append(gate.count())
        elif own is not gate:
            own.links.append(gate.count())
        if self._cancels:
            spot.fails_to.append(-gate.number)

    def _count_end(self, spot: Spot, gate: Gate) -> None:
        if spot.is_group:
            if (ended := self._all_ended(spot)) is not gate:
                ended.links.append(gate.count())
            return
        # Of a branch that is not taken, too: it ends when the node does.
        for each in (spot, *(branch.spot for branch in spot.branches)):
            link = gate.count()
            each.success.append(link)
            each.failure.append(link)

    def _all_succeeded(self, spot: Spot) -> Gate:
        if spot.all_succeeded is None:
            spot.all_succeeded = self.gates.new()
        return spot.all_succeeded

    def _all_ended(self, spot: Spot) -> Gate:
        if spot.all_ended is None:
            spot.all_ended = self.gates.new()
        return spot.all_ended

    def _ended(self, scope: Scope) -> Gate:
        """The gate that opens when everything of a part has ended, or cannot begin."""
        if scope.ended is None:
            if not scope.spots and scope.needs:
                scope.ended = self._gate_for(ends_of(scope.needs))
                return scope.ended
            scope.ended = self.gates.new()
            for spot, _ in scope.spots:
                self._tell_end(spot, scope.ended)
        return scope.ended

    def _tell_end(self, spot: Spot, gate: Gate) -> None:
        """Have a node counted once: by its end, or because it cannot begin."""
        if self._cancels or not (spot.needs or spot.repairs):
            self._count_only(spot, gate)
            return
        told = self._told.get(spot)
        if told is None:
            told = self._told[spot] = self.gates.first()
            self._count_only(spot, told)
        told.links.append(gate.count())

    def _count_only(self, spot: Spot, gate: Gate) -> None:
        """The end of a node alone: its branches are nodes of their own."""
        if spot.is_group:
            self._all_ended(spot).links.append(gate.count())
            return
        link = gate.count()
        spot.success.append(link)
        spot.failure.append(link)

    def _failed(self, scope: Scope) -> Gate:
        """The gate that opens when something that a part needs has failed for good."""
        if scope.failed is None:
            scope.failed = self.gates.first()
            for spot, is_vital in scope.spots:
                if is_vital:
                    spot.fails_to.append(scope.failed.number)
        return scope.failed

    def _callback_gate(self, scope: Scope, what: str) -> Gate:
        if what == "success":
            return self._succeeded(scope)
        if what == "end":
            return self._ended(scope)
        failed = self._failed(scope)
        if what == "failure":
            # When nothing more of it runs.
            both = self.gates.new()
            failed.links.append(both.count())
            self._ended(scope).links.append(both.count())
            failed = both
        self._succeeded(scope).links.append(-failed.number)
        return failed

    def _succeeded(self, scope: Scope) -> Gate:
        if not scope.spots and scope.needs:
            return self._gate_for(scope.needs)
        return self._gate_for([Event(spot, "success") for spot in scope.vital()] or [Event(scope, "end")])

    def _block(self, plan: Plan) -> None:
        """Have nodes counted that cannot begin, because something in front of them has failed for good."""
        for spot in plan.spots:
            if spot.gate is None or spot.is_callback or spot.repairs is not None:
                continue
            blocked = self._blocked_at(spot.gate)
            for each in (spot, *(branch.spot for branch in spot.branches)):
                if each in self._told:
                    blocked.links.append(self._told[each].number)
        linked: set[tuple[Gate, Gate]] = set()
        for gate, needs in self._needs.items():
            if gate not in self._blocked:
                continue
            blocked = self._blocked[gate]
            for need in dict.fromkeys(needs):
                if not isinstance(need.of, Spot):
                    continue
                if need.what == "success":
                    need.of.fails_to.append(blocked.number)
                if need.of.gate is not None and need.of.gate in self._blocked:
                    in_front = self._blocked[need.of.gate]
                    if (in_front, blocked) not in linked:
                        linked.add((in_front, blocked))
                        in_front.links.append(blocked.number)

    def _blocked_at(self, gate: Gate) -> Gate:
        if gate not in self._blocked:
            self._blocked[gate] = self.gates.first()
        return self._blocked[gate]
