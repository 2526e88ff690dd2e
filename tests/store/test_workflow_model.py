"""Random workflows, moved at random, against a model that knows of no gates: the same ends, each callback once."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from pgqueue.job import Claim, JobState
from pgqueue.store import execute, jobs
from tests.conftest import Connect
from tests.factories import Conn, claim, count, enlist, fail, step
from tests.store import flows
from tests.store.flows import Flow, look, told, write, wrong

END, FAILED, WELL = 101, 102, 103


@dataclass
class Member:
    """A job as the model sees it: what it needs, and whether another's failure is as good as its success."""

    needs: dict[str, bool] = field(default_factory=dict)
    cancels: bool = False
    state: str = "waiting"
    # It has ended at least once, though it may have been revived since.
    ended: bool = False
    broken: bool = False


class Model:
    """Which jobs are waiting, ready, succeeded, dead, cancelled: by the rules that people are told."""

    def __init__(self, chance: random.Random) -> None:
        self.members: dict[str, Member] = {}
        for number in range(chance.randint(0, 14)):
            earlier = list(self.members)
            needs = {
                name: chance.random() < 0.3
                for name in chance.sample(earlier, min(len(earlier), chance.choice([0, 1, 1, 2, 5])))
            }
            self.members[f"j{number}"] = Member(needs, cancels=chance.random() < 0.4)
        self.callbacks = {"end": "waiting", "failed": "waiting", "well": "waiting"}
        self.settle()

    def settle(self) -> None:
        """Let every job that can move do so."""
        moved = True
        while moved:
            moved = False
            for each in self.members.values():
                if each.state == "waiting" and (found := self._next(each)):
                    each.state, moved = found, True
                    each.ended = each.broken = found == "cancelled"
        self._call_back()

    def _next(self, each: Member) -> str | None:
        needed = [(self.members[name], allowed) for name, allowed in each.needs.items()]
        if any(not allowed and other.broken for other, allowed in needed):
            return "cancelled"
        if all(other.state == "succeeded" or (allowed and other.ended) for other, allowed in needed):
            return "ready"
        return None

    def _call_back(self) -> None:
        everybody = self.members.values()
        if self.callbacks["failed"] == "waiting" and any(
            each.ended and each.state != "succeeded" for each in everybody
        ):
            self.callbacks["failed"] = "ready"
        if self.callbacks["end"] == "waiting" and all(each.ended for each in everybody):
            self.callbacks["end"] = "ready"
        if self.callbacks["well"] == "waiting":
            if any(each.broken for each in everybody):
                self.callbacks["well"] = "cancelled"
            elif all(each.state == "succeeded" for each in everybody):
                self.callbacks["well"] = "ready"
                if self.callbacks["failed"] == "waiting":
                    self.callbacks["failed"] = "cancelled"

    def end(self, name: str, how: str) -> None:
        """A job succeeds, dies or is cancelled."""
        if name in self.callbacks:
            self.callbacks[name] = how
            return
        each = self.members[name]
        each.state, each.ended = how, True
        each.broken = each.broken or how == "cancelled" or (how == "dead" and each.cancels)
        self.settle()

    def add(self, adder: str, names: list[str]) -> None:
        """A job succeeds and adds others, for which all wait that wait for it."""
        each = self.members[adder]
        for name in names:
            self.members[name] = Member(cancels=each.cancels, state="ready")
            for other in self.members.values():
                if adder in other.needs:
                    other.needs[name] = other.needs[adder]
        self.end(adder, "succeeded")

    def states(self) -> dict[str, str]:
        """All of them."""
        return {**{name: each.state for name, each in self.members.items()}, **self.callbacks}


def compiled(conn: Conn, model: Model) -> Flow:
    """The same as gates and links."""
    gates = {number: name for number, name in enumerate(model.members, 1) if model.members[name].needs}
    links: dict[str, tuple[list[int], list[int]]] = {name: ([END, WELL], [END, FAILED]) for name in model.members}
    for gate, name in gates.items():
        for other, allowed in model.members[name].needs.items():
            on, off = links[other]
            on.append(gate)
            if allowed:
                off.append(gate)
            elif model.members[other].cancels:
                off.append(-gate)
    for name, each in model.members.items():
        if each.cancels:
            links[name][1].append(-WELL)
    number_of = {name: gate for gate, name in gates.items()}
    members = {
        name: flows.job(number_of.get(name), on=on, off=off, store_result=True) for name, (on, off) in links.items()
    }
    members |= {"end": flows.job(END), "failed": flows.job(FAILED), "well": flows.job(WELL)}
    total = len(model.members)
    unmet: dict[int, Any] = {gate: len(model.members[name].needs) for gate, name in gates.items()}
    unmet |= {END: total, FAILED: 1, WELL: {"unmet": total, "links": [-FAILED], "pointless": True}}
    nodes = {n: {"callback": name in model.callbacks} for n, name in enumerate(members, 1)}
    flow = write(conn, members, unmet, nodes)
    if not total:
        conn.execute(
            "select pgqueue.advance(array[%(w)s::uuid, %(w)s], array[101, 103], array[0, 0], now())", {"w": flow.id}
        )
    return flow


@contextmanager
def held(other: Conn, flow: Flow, gates: list[int]) -> Iterator[None]:
    """Somebody else has some of the gates in hand."""
    with other.transaction():
        other.execute(
            "select from pgqueue.gates where workflow_id = %s and gate = any (%s) for update", [flow.id, gates]
        )
        yield


class Player:
    """Does what the model does, in the database."""

    def __init__(self, conn: Conn, other: Conn, chance: random.Random) -> None:
        self.conn, self.other, self.chance = conn, other, chance
        self.model = Model(chance)
        self.flow = compiled(conn, self.model)
        self.worker = enlist(conn, concurrency=100)
        self.running: dict[str, Claim] = {}
        self.runs: dict[str, int] = {}

    def play(self) -> None:
        """Move at random, until nothing moves any more."""
        for _ in range(40):
            if self.chance.random() < 0.5:
                self.move()
            else:
                known = self.conn.execute("select gate from pgqueue.gates where workflow_id = %s", [self.flow.id])
                gates = [row[0] for row in known.fetchall()]
                with held(self.other, self.flow, self.chance.sample(gates, min(len(gates), 3))):
                    self.move()
                look(self.conn)
            look(self.conn)
            self.compare()

    def move(self) -> None:
        """One of them ends, in one of the ways to end."""
        for each in claim(self.conn, self.worker, 100):
            self.running[self.flow.name(each.id)] = each
        dead = [name for name, each in self.model.members.items() if each.state == "dead"]
        if dead and self.chance.random() < 0.3:
            return self.revive(self.chance.choice(dead))
        if not self.running:
            return None
        name = self.chance.choice(sorted(self.running))
        one = self.running.pop(name)
        ways = ["succeed"] * 4 + ["die", "complete"] + (["cancel", "add"] if name not in self.model.callbacks else [])
        return self.do(self.chance.choice(ways), name, one)

    def do(self, how: str, name: str, one: Claim) -> None:
        self.runs[name] = self.runs.get(name, 0) + (how in ("succeed", "complete", "add"))
        match how:
            case "succeed":
                assert not step(self.conn, self.worker, [one], 0).late
                self.model.end(name, "succeeded")
            case "complete":
                assert execute(self.conn, jobs.complete(one, "1"))
                self.model.end(name, "succeeded")
            case "die":
                fail(self.conn, one, None)
                self.model.end(name, "dead")
            case "cancel":
                flows.give_back(self.conn, one)
                assert execute(self.conn, jobs.cancel(one.id)) is JobState.CANCELLED
                self.model.end(name, "cancelled")
            case "add":
                names = [f"{name}.{number}" for number in range(self.chance.randint(1, 3))]
                said = json.loads(told(self.flow, {each: {"own": True} for each in names}, {}, {}))
                for each in said["jobs"]:
                    del each["node"]
                brings = json.dumps({"grafts": [said]})
                assert execute(self.conn, jobs.succeeding(one.worker, one.id, one.claim, "1", brings))
                self.model.add(name, names)

    def revive(self, name: str) -> None:
        assert execute(self.conn, jobs.retry(self.flow.jobs[name])) is JobState.READY
        self.model.members[name].state = "ready"

    def compare(self) -> None:
        """The database says of each job what the model says."""
        found = {name: str(state) for name, state in self.flow.states(self.conn).items()}
        assert {name: "ready" if state == "running" else state for name, state in found.items()} == self.model.states()
        assert wrong(self.conn, self.flow) == {}


@pytest.mark.parametrize("seed", range(10))
def test_random_workflows_end_as_the_model_says(connect: Connect, seed: int) -> None:
    conn, other = connect(autocommit=True), connect(autocommit=True)
    player = Player(conn, other, random.Random(seed))
    player.play()
    assert all(player.runs.get(name, 0) <= 1 for name in player.model.callbacks)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_has_become_of_it_a_workflow_can_be_cancelled(connect: Connect, seed: int) -> None:
    conn, other = connect(autocommit=True), connect(autocommit=True)
    player = Player(conn, other, random.Random(seed))
    for _ in range(player.chance.randint(0, 12)):
        player.move()
    before = player.flow.states(conn)
    for one in player.running.values():
        flows.give_back(conn, one)
    flows.cancel_all(conn, player.flow)
    look(conn)
    after = player.flow.states(conn)
    for name, state in before.items():
        if state is not None and state.ended:
            assert after[name] is state
        elif name not in player.model.callbacks:
            assert after[name] is JobState.CANCELLED
    assert after["end"] in (JobState.READY, JobState.SUCCEEDED, JobState.DEAD)
    assert wrong(conn, player.flow) == {}
    assert count(conn, "gates") <= 1
