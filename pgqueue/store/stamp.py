"""The stamp: what the comment of schema pgqueue says of its functions (docs/design/functions-are-stamped.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgqueue.store.statement import Statement
from pgqueue.version import numbers


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose functions these are, their checksum, and the oldest code that they serve, by the newest revision which that
    code knows. All of it empty where the comment does not say so.
    """

    serves: str = ""
    release: str = ""
    checksum: str = ""

    def is_older_than(self, release: str) -> bool:
        """Whether these are the functions of an earlier release than this one."""
        return bool(self.release) and numbers(self.release) < numbers(release)

    def written(self) -> str:
        """The statement that writes it."""
        said = f"serves code from {self.serves}; functions of {self.release}, {self.checksum}"
        return f"comment on schema pgqueue is 'pgqueue, a job queue; {said}'"


def read_stamp(comment: str | None) -> Stamp:
    """What a comment says."""
    serves = re.search(r"serves code from (\w+)", comment or "")
    functions = re.search(r"functions of (\d+\.\d+\.\d+), ([0-9a-f]{16})$", comment or "")
    release, checksum = functions.groups() if functions else ("", "")
    return Stamp(serves[1] if serves else "", release, checksum)


def stamp_there() -> Statement[Stamp]:
    """The stamp of this database."""
    return Statement(
        "select pg_catalog.obj_description(oid, 'pg_namespace')"
        " from pg_catalog.pg_namespace where nspname operator(pg_catalog.=) 'pgqueue'",
        (),
        lambda rows: read_stamp(rows[0][0] if rows else None),
    )
