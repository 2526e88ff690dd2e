"""The table at the end: what was done, what the kills cost, and the proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from pgqueue.demo.example import QUEUE, TARGET, Conn
from pgqueue.demo.proof import Proof

OUTCOMES = """
select outcome, count(*) from pgqueue.attempts where job_id > %s and queue = %s and target = %s group by outcome
"""
SPAN = """
select coalesce(extract(epoch from max(finished_at) - min(started_at))::float8, 0)
from pgqueue.attempts where job_id > %s and queue = %s and target = %s
"""
DEAD = """
select document.path, dead.traceback
from pgqueue.dead_jobs as dead join documents as document on document.id = (dead.args ->> 0)::bigint
where dead.id > %s and dead.queue = %s and dead.target = %s
order by dead.id
"""
# How many are shown one by one.
MOST_SHOWN = 10


def summary(conn: Conn, proof: Proof, first: UUID, root: Path) -> Iterator[str]:
    """The lines of the table; files are named as seen from `root`."""
    mine = [first, QUEUE, TARGET]
    outcomes = dict(conn.execute(OUTCOMES, mine).fetchall())
    (span,) = conn.execute(SPAN, mine).fetchone() or (0.0,)
    crashed, lost, late = (outcomes.get(outcome, 0) for outcome in ("crashed", "lost", "late"))
    parts = f"{crashed} with the child, {lost} with the worker" + (f"; {late} came late" if late else "")
    rate = (proof.succeeded + proof.dead) / span if span else 0
    yield ""
    yield _row("documents", proof.documents)
    yield _row("succeeded", proof.succeeded)
    yield _row("dead", proof.dead, "not UTF-8; see below" if proof.dead else "")
    yield _row("attempts lost to the kills", crashed + lost, parts)
    yield _row("jobs per second", round(rate), f"over {span:.1f} s, kills and recovery included")
    yield ""
    yield "The proof: each file counted again, directly, and compared with the rows that its job wrote"
    yield _row("lost", len(proof.lost), _named(proof.lost, root))
    yield _row("doubled", len(proof.doubled), _named(proof.doubled, root))
    dead = conn.execute(DEAD, mine).fetchall()
    if dead:
        yield from _dead_lines(dead, root)


def _row(name: str, number: int, remark: str = "") -> str:
    return f"  {name:<27}{number:>7,}  {remark}".rstrip()


def _named(paths: Sequence[Path], root: Path) -> str:
    shown = [_relative(path, root) for path in paths[:3]]
    return ", ".join([*shown, "..."] if len(paths) > len(shown) else shown)


def _dead_lines(dead: Sequence[tuple[str, str | None]], root: Path) -> Iterator[str]:
    yield ""
    yield "The dead jobs, each with the last line of its traceback"
    for path, traceback in dead[:MOST_SHOWN]:
        yield f"  {_relative(Path(path), root)}"
        yield f"    {(traceback or 'no traceback').strip().splitlines()[-1]}"
    if len(dead) > MOST_SHOWN:
        yield f"  and {len(dead) - MOST_SHOWN} more"


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
