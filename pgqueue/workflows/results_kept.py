"""Whose results are used: found out before any row is made, since a job says at its beginning that it stores one."""

from __future__ import annotations

from pgqueue.job import NewJob
from pgqueue.workflows.arguments import placeholders_of
from pgqueue.workflows.placeholders import NodeResult, previous, results
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Given, Spot


def keep_results(plan: Plan) -> None:
    """Mark the nodes whose results are used; of what an iterator yields, all that it might use."""
    for spot in plan.spots:
        if spot.job is None:
            _keep_all(plan, spot)
            continue
        for stands_for in placeholders_of(spot.job.args):
            match stands_for:
                case NodeResult(node=node) if node in plan.exits:
                    _keep(plan.exits[node].given)
                case _ if stands_for is previous:
                    _keep(spot.bound.previous)
                case _ if stands_for is results:
                    _keep(spot.bound.results)


def _keep_all(plan: Plan, spot: Spot) -> None:
    members = spot.members
    if isinstance(members, list | tuple):
        for new in members:
            for stands_for in placeholders_of(new.args) if isinstance(new, NewJob) else ():
                if isinstance(stands_for, NodeResult) and stands_for.node in plan.exits:
                    _keep(plan.exits[stands_for.node].given)
                elif stands_for in (previous, results):
                    _keep(spot.bound.previous if stands_for is previous else spot.bound.results)
        return
    needed = {need.of for need in spot.needs}
    for exit_ in plan.exits.values():
        if needed & {event.of for event in exit_.success + exit_.end}:
            _keep(exit_.given)
    for given in spot.bound:
        _keep(given)


def _keep(given: Given | None) -> None:
    if given is not None:
        for source in given.spots():
            source.is_kept = True
