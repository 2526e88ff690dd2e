"""Random graphs against a model in Python: the same nodes run, and the end of the whole is told once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

import pgqueue
from tests.store.flows import Flow, wrong
from tests.workflows.looking import Conn, finish, job_of
from tests.workflows.shop_tasks import act, failing, note, ran

# What became of a node: `blocked` ones wait, held by what is dead.
Fate = Literal["ok", "failed", "cancelled", "blocked"]


@dataclass
class Model:
    """A node as it was drawn."""

    name: str
    needs: list[Model]
    members: int | None
    fails: bool
    # Whether a branch takes its error, and whether that fails.
    branch: bool | None = None
    optional: bool = False
    allows: bool = False
    called_off: bool = False
    node: Any = None
    runs: set[str] = field(default_factory=set)

    def fate(self, fates: dict[str, Fate], policy: str) -> Fate:
        """What becomes of it."""
        found = [(fates[need.name], self.allows or need.optional) for need in self.needs]
        if self.called_off:
            return "cancelled"
        if any(fate == "cancelled" and not soft for fate, soft in found):
            return "cancelled"
        if any(fate == "failed" and not soft for fate, soft in found):
            return "blocked" if policy == "hold" else "cancelled"
        if not all(
            need.ended(fates) if soft else fates[need.name] == "ok"
            for need, (_, soft) in zip(self.needs, found, strict=True)
        ):
            return "blocked"
        if self.members is not None:
            self.runs = {f"{self.name}.{number}" for number in range(self.members)}
            return "failed" if self.fails and self.members else "ok"
        self.runs = {self.name}
        if not self.fails:
            return "ok"
        if self.branch is not None:
            self.runs.add(f"{self.name}.branch")
        return "ok" if self.branch is False else "failed"

    def ended(self, fates: dict[str, Fate]) -> bool:
        """Whether it has come to an end; an empty group has none of its own."""
        if self.members == 0 and fates[self.name] == "blocked":
            return all(need.ended(fates) for need in self.needs)
        return fates[self.name] != "blocked"


def drawn(dice: random.Random) -> list[Model]:
    """A graph."""
    nodes: list[Model] = []
    for number in range(dice.randint(0, 9)):
        needs = dice.sample(nodes, min(len(nodes), dice.choice([0, 1, 1, 2, 3])))
        model = Model(f"n{number}", needs, dice.choice([None, None, 0, 1, 3]), dice.random() < 0.25)
        model.optional, model.allows = dice.random() < 0.2, dice.random() < 0.2
        if model.members is None:
            model.branch = dice.choice([None, None, False, True])
            model.called_off = dice.random() < 0.08
        nodes.append(model)
    return nodes


def built(nodes: list[Model], policy: Any) -> pgqueue.Workflow:
    """The same as a workflow."""
    flow = pgqueue.Workflow("random", on_failure=policy)
    for model in nodes:
        part: Any = act.job(model.name)
        if model.members is not None:
            part = pgqueue.group([act.job(f"{model.name}.{number}") for number in range(model.members)])
        branches = None if model.branch is None else {ValueError: act.job(f"{model.name}.branch")}
        model.node = flow.add(
            part,
            name=model.name,
            after=[need.node for need in model.needs],
            optional=model.optional,
            allow_failure=model.allows,
            on_error=branches,
        )
    for what in ("success", "failure", "end"):
        getattr(flow, f"on_{what}")(note, what)
    return flow


def fail(nodes: list[Model]) -> None:
    """Have what is drawn fail."""
    for model in nodes:
        if model.fails:
            failing[model.name if model.members is None else f"{model.name}.0"] = ValueError
        if model.branch:
            failing[f"{model.name}.branch"] = ValueError


@pytest.mark.parametrize("seed", range(10))
def test_random_graph_runs_as_its_model(conn: Conn, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(4):
        check(conn, dice)


def check(conn: Conn, dice: random.Random) -> None:
    """One graph: as it is drawn, and where it was held, once more without its failures."""
    ran.clear()
    failing.clear()
    policy = dice.choice(["hold", "cancel"])
    nodes = drawn(dice)
    started = built(nodes, policy).enqueue(conn)
    for model in nodes:
        if model.called_off:
            pgqueue.cancel(conn, job_of(conn, started.id, model.name))
    fail(nodes)
    fates: dict[str, Fate] = {}
    for model in nodes:
        fates[model.name] = model.fate(fates, policy)
    finish(conn)
    vital = [fates[model.name] for model in nodes if not model.optional]
    expected = {name for model in nodes for name in model.runs}
    assert sorted(said for name, said in ran if name == "act") == sorted(expected)
    succeeds = all(fate == "ok" for fate in vital)
    assert sorted(said for name, said in ran if name == "note") == ["end", "success" if succeeds else "failure"]
    assert not wrong(conn, Flow(started.id))
    if policy == "hold" and not any(model.called_off for model in nodes):
        failing.clear()
        while pgqueue.retry_workflow(conn, started):
            pass
        finish(conn)
        told = [said for name, said in ran if name == "note"]
        assert sorted(told) == (["end", "success"] if succeeds else ["end", "failure", "success"])
        assert {model.name for model in nodes if model.members is None} <= {said for name, said in ran if name == "act"}
        assert not wrong(conn, Flow(started.id))
