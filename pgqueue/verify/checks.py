"""The checks: rules that must find nothing, each a query over the ledger and pgqueue's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg

Conn = psycopg.Connection[Any]

# In the order of what hurts most.
NAMES = (
    "lost",
    "phantom",
    "unended",
    "twice",
    "doubled",
    "missing",
    "stray",
    "followed",
    "effect",
    "step",
    "joined",
    "early",
    "once",
    "overlap",
    "lease",
    "after_end",
    "numbering",
    "foreign",
    "outcome",
    "unique",
    "window",
    "start",
    "ticks",
    "limit",
    "rate",
    "share",
    "lane",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What must not be: its name, the sentence that tells of it, and the query that finds it."""

    name: str
    meaning: str
    query: str


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule found: the job (None: it is not about one), and what is wrong with it."""

    rule: str
    job_id: UUID | None
    detail: str


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, its sentence the first line of its file."""
    folder = files("pgqueue.verify") / "rules"
    texts = {name: (folder / f"{name}.sql").read_text() for name in NAMES}
    return tuple(Rule(name, text.partition("\n")[0].removeprefix("-- "), text) for name, text in texts.items())


def check(conn: Conn) -> list[Violation]:
    """Every violation there is, in the transaction open on `conn`."""
    # Tables without statistics look large, and to compile takes longer than to look.
    conn.execute("set jit = off")
    return [
        Violation(rule.name, job_id, detail)
        for rule in rules()
        for job_id, detail in conn.execute(rule.query.encode()).fetchall()
    ]


def write_known(conn: Conn, known: Sequence[tuple[UUID, bool]]) -> None:
    """Enter what the producers know of their own transactions."""
    with conn.cursor() as cursor, cursor.copy("copy verify.told (job_id, committed) from stdin") as copy:
        for row in known:
            copy.write_row(row)
