"""The partitions of the history, where it has some."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pgqueue.doctor.patient import Patient
from pgqueue.doctor.verdict import Found, listed, ok, warn
from pgqueue.worker.upkeep.pruner import DEAD, HISTORY

CURE = "pgqueue migrate --partition-history"
# Days of attempts, months of dead jobs: fewer ahead than a worker makes, and time left to look.
AHEAD = timedelta(days=3)
# Above it no partition is made: it would be locked for as long as it takes to read (make_spans.sql).
MOST_BESIDE = 64 * 1024 * 1024


def partitions(patient: Patient) -> Found:
    """History that has partitions has them made ahead, and those that have passed dropped."""
    rows = patient.ask("partitions", HISTORY, DEAD)
    if under_way := [row[0] for row in rows if row[2]]:
        text = f"{listed(under_way)} are being copied into partitions: what is written there is written twice"
        return warn(text, f"{CURE} goes on with it; or: select pgqueue.forget_copy('{under_way[0]}');")
    whole = [row[0] for row in rows if not row[1]]
    if len(whole) == len(rows):
        return ok("the history has no partitions: one table each, pruned row by row")
    if whole:
        return warn(f"{listed(whole)} has no partitions, the other has", CURE)
    wrong = [said for name, *told in rows for said in _wrong(name, *told[2:6])]
    if wrong:
        texts, cures = zip(*wrong, strict=True)
        return warn(listed(texts), cures[0])
    count = sum(row[3] for row in rows)
    kept = [name for row in rows for name in row[7] or ()]
    more = f"; too much of {listed(kept)} is kept to drop it" if kept else ""
    return ok(f"{count} partitions, made ahead and dropped in time{more}")


def _wrong(
    table: str, _count: int, made_until: datetime | None, beside: int, overdue: list[str] | None
) -> list[tuple[str, str]]:
    """What is wrong with the partitions of a table, and what to do about it."""
    if beside > MOST_BESIDE:
        size = beside // 2**20
        return [(f"{size} MB of {table} lie beside its partitions, so that none can be made", CURE)]
    found = []
    if made_until is None or made_until < datetime.now(UTC) + AHEAD:
        until = "none is made" if made_until is None else f"they end {made_until:%Y-%m-%d}"
        found.append((f"partitions of {table} are not made ahead: {until}", f"run a worker, which prunes; or: {CURE}"))
    if overdue:
        found.append((f"{listed(overdue)} could have been dropped", "look for long transactions in pg_stat_activity"))
    return found
