"""What each role may do, as functions.txt and relations.txt say it. How they are written stands at their heads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PARTS = ("producer", "worker", "job", "operator", "reader", "admin", "migrator")
# What stands in the place of roles where none is meant.
NO_ROLES = frozenset({"admin", "owner", "trigger"})
PRIVILEGES = frozenset({"select", "insert", "update", "delete", "usage"})


@dataclass(frozen=True, slots=True)
class FunctionRight:
    """Who may call a function, and whether it runs with the rights of its owner.

    `roles` are parts; or one word alone: `admin`, `owner`, or `trigger` for what PostgreSQL fires.
    """

    name: str
    roles: tuple[str, ...]
    definer: bool


@dataclass(frozen=True, slots=True)
class RelationRight:
    """One right of a role on a table, view or sequence: on all of it, on `columns`, or on all columns `but` some.

    Without a role it only says that the relation is known; then its name may be a pattern.
    """

    name: str
    role: str | None = None
    privilege: str | None = None
    columns: tuple[str, ...] | None = None
    but: tuple[str, ...] | None = None


@cache
def function_rights() -> tuple[FunctionRight, ...]:
    """A right for every function of the schema."""
    return tuple(_function(line) for line in _lines("functions.txt"))


@cache
def relation_rights() -> tuple[RelationRight, ...]:
    """The rights on every table, view and sequence of the schema."""
    return tuple(right for line in _lines("relations.txt") for right in _relations(line))


def texts() -> str:
    """Both tables as they are written."""
    return "".join((_FOLDER / name).read_text() for name in ("functions.txt", "relations.txt"))


def _function(line: str) -> FunctionRight:
    name, _, said = line.partition(":")
    words = said.split()
    definer = words[-1:] == ["definer"]
    roles = tuple(words[:-1] if definer else words)
    if not roles or not (set(roles) <= set(PARTS) or (len(roles) == 1 and roles[0] in NO_ROLES)):
        raise ValueError(
            f"functions.txt: {line!r} must read 'name: roles', of {', '.join(PARTS)}, or admin, owner, trigger"
        )
    return FunctionRight(name.strip(), roles, definer)


def _relations(line: str) -> Iterator[RelationRight]:
    names, _, said = line.partition(":")
    for name in names.split(","):
        if said.strip() == "nobody":
            yield RelationRight(name.strip())
            continue
        found = _RIGHT.fullmatch(said.strip())
        if found is None or found["role"] not in PARTS or not PRIVILEGES.issuperset(found["rights"].split()):
            raise ValueError(f"relations.txt: {line!r} must read 'names: role rights', then maybe '(columns)'")
        columns = tuple(each.strip() for each in found["columns"].split(",")) if found["columns"] else None
        for privilege in found["rights"].split():
            listed, but = (None, columns) if found["but"] else (columns, None)
            yield RelationRight(name.strip(), found["role"], privilege, listed, but)


_RIGHT = re.compile(r"(?P<role>\w+)\s+(?P<rights>\w+(?: (?!but\b)\w+)*)(?P<but> but)?(?: \((?P<columns>[\w, ]+)\))?")


def _lines(name: str) -> list[str]:
    lines = (line.strip() for line in (_FOLDER / name).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


_FOLDER = files("pgqueue.store") / "rights"
