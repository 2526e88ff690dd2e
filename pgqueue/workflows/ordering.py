"""Nodes in an order in which each stands behind those that it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from pgqueue.errors import UsageError


class Named(Protocol):
    """What has a name."""

    name: str


N = TypeVar("N", bound=Named)


def in_order(flow: str, waits: Mapping[N, tuple[N, ...]]) -> list[N]:
    """Each behind those that it waits for; those that wait for the same, as the same tuple, are looked at as one.

    Raises UsageError for a circle.
    """
    alike: dict[int, list[N]] = {}
    for node, found in waits.items():
        alike.setdefault(id(found), []).append(node)
    left = {key: len(waits[nodes[0]]) for key, nodes in alike.items()}
    behind: dict[N, list[int]] = {}
    for key, nodes in alike.items():
        for each in waits[nodes[0]]:
            behind.setdefault(each, []).append(key)
    ordered = [node for key, nodes in alike.items() if not left[key] for node in nodes]
    for node in ordered:
        for key in behind.get(node, ()):
            left[key] -= 1
            if not left[key]:
                ordered += alike[key]
    if len(ordered) < len(waits):
        stuck = {
            node: [each for each in found if left[id(waits[each])]] for node, found in waits.items() if left[id(found)]
        }
        circle = " -> ".join(_circle(stuck))
        raise UsageError(f"workflow {flow!r} has nodes that wait for each other: {circle}; leave one out")
    return ordered


def _circle(waits: Mapping[N, list[N]]) -> list[str]:
    """Names along one circle of nodes that all wait for others of them."""
    path = [next(iter(waits))]
    while (in_front := waits[path[-1]][0]) not in path:
        path.append(in_front)
    return [each.name for each in (*path[path.index(in_front) :], in_front)]
