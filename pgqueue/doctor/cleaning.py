"""Rows of ended jobs: who keeps them, whether claims walk them, and whether they are cleaned away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.doctor.patient import NoAnswerError, Patient, asked, first
from pgqueue.doctor.verdict import Found, Status, fail, lasting, listed, ok, unknown, warn, worst

QUEUES_LOOKED_AT = 20


def horizon(patient: Patient) -> Found:
    """No transaction, slot or standby keeps rows of ended jobs from being cleaned away."""
    rows = patient.ask("horizon", patient.bounds.horizon, patient.bounds.behind)
    may_see, _, grant = first(patient.ask("may_see"))
    if not rows:
        if not may_see:
            return unknown("this role may not see the transactions of others; its own hold nothing", sql=[grant])
        return ok(f"nothing holds it for longer than {lasting(patient.bounds.horizon.total_seconds())}")
    text = listed([f"{what}, {_age(seconds, behind)}" for what, seconds, behind, _ in rows], 2)
    fails = patient.bounds.horizon_fails
    long = any(timedelta(seconds=seconds) > fails for _, seconds, _, _ in rows if seconds is not None)
    cures = tuple(cure for _, _, _, cure in rows)
    return Found(Status.FAIL if long else Status.WARN, text, cures[0], tuple(_runnable(cure) for cure in cures))


def head(patient: Patient) -> Found:
    """A look at the first jobs of the queues walks few rows of ended ones."""
    try:
        walked, found = patient.look(_walked)
    except NoAnswerError:
        walked, found = patient.bounds.walked_fails + 1, 0
    dead = max(0, walked - found)
    if dead <= patient.bounds.walked:
        return ok(f"{dead:,} dead entries lie before the first jobs of the first {QUEUES_LOOKED_AT} queues")
    text = f"{dead:,} entries of ended jobs lie before the first jobs of the first {QUEUES_LOOKED_AT} queues"
    cure, sql = "pgqueue doctor --only horizon; then: vacuum pgqueue.jobs;", ["vacuum pgqueue.jobs;"]
    if dead > patient.bounds.walked_fails:
        return fail(f"{text}, or more: each look of a worker walks them", cure, sql)
    return warn(f"{text}: each look of a worker without a bound walks them", cure, sql)


def autovacuum(patient: Patient) -> Found:
    """Autovacuum is on, and keeps up."""
    rows = patient.ask("autovacuum", patient.bounds.dead_rows, patient.bounds.row_age)
    if not rows:
        return ok("on, and keeps up")
    cures = tuple(cure for _, _, cure in rows)
    return Found(worst([row[1] for row in rows]), listed([row[0] for row in rows]), cures[0], cures)


def bloat(patient: Patient) -> Found:
    """Tables and the indexes of jobs are about as large as what is in them."""
    rows = patient.ask("bloat", patient.bounds.bloat_bytes)
    if not rows:
        return ok("no table or index is far larger than what is in it, as far as statistics tell")
    text = listed(
        [f"{kind} {name} has {_size(size)}, and needs {_size(needed)}" for kind, name, size, needed, _ in rows]
    )
    cures = tuple(cure for *_, cure in rows)
    locks = any(cure.startswith("vacuum (full") for cure in cures)
    return warn(text, f"{cures[0]}{'  -- locks it meanwhile: stop the workers first' if locks else ''}", cures)


def _walked(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    """How many entries a look at the heads walks, and how many jobs it finds."""
    (names,) = [[row[0] for row in asked(conn, "first_queues", QUEUES_LOOKED_AT)]]
    # What nobody needs any more is marked by the first walk, and passed by in the second.
    asked(conn, "heads", names)
    before = first(asked(conn, "walked"))[0]
    found = first(asked(conn, "heads", names))[0]
    return first(asked(conn, "walked"))[0] - before, found


def _age(seconds: float | None, behind: int | None) -> str:
    return f"for {lasting(seconds)}" if seconds is not None else f"{behind or 0:,} transactions behind"


def _runnable(cure: str) -> str:
    """What is to be done elsewhere is a comment in a script for here."""
    return f"-- {cure}" if cure.startswith("on the standby") else cure


def _size(size: int) -> str:
    return f"{size / 1024 / 1024:,.1f} MB"
