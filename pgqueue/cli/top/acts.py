"""What `top` changes, each in a transaction of its own that the audit has, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgqueue.acting import jobs, queues
from pgqueue.cli.acting import actor
from pgqueue.cli.top.rows import Row, job_id_of
from pgqueue.errors import PgqueueError
from pgqueue.printable import in_one_line

if TYPE_CHECKING:
    import psycopg

REASON = "top"


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do to rows: the question that is asked before, and what does it to one of them."""

    question: str
    rows: Sequence[Row]
    do: Callable[[psycopg.Connection[Any], Row], bool]

    def done(self, conn: psycopg.Connection[Any]) -> str:
        """Do it to each, whatever becomes of the others; answers what came of it."""
        done, wrong = 0, ""
        for row in self.rows:
            try:
                done += self.do(conn, row)
            except PgqueueError as error:
                wrong = in_one_line(str(error), 200)
        stay = len(self.rows) - done
        more = f"; {stay} stay as they were" if stay else ""
        return f"{done} done{more}{f' ({wrong})' if wrong else ''}"


def act_of(key: str, tab: str, rows: Sequence[Row]) -> Act | str:
    """What a key does to rows of a tab; or why it does nothing."""
    if not rows:
        return "nothing is chosen"
    many = f"{len(rows)} jobs" if len(rows) > 1 else f"job {rows[0].cells[0]}"
    match key, tab:
        case "R", "dead":
            return Act(f"Revive {many}, with fresh attempts?", rows, _retry)
        case "C", "running":
            return Act(f"Cancel {many}? What runs is told to end.", rows, _cancel)
        case "P", "queues":
            names = ", ".join(in_one_line(row.key, 40) for row in rows[:3]) + (", ..." if len(rows) > 3 else "")
            if all(row.of.paused for row in rows):
                return Act(f"Resume {names}?", rows, _resume)
            return Act(f"Pause {names}? What runs goes on.", rows, _pause)
    return {
        "R": "R revives dead jobs: see 5",
        "C": "C cancels jobs that run: see 2",
        "P": "P pauses queues: see 1",
    }[key]


def _retry(conn: psycopg.Connection[Any], row: Row) -> bool:
    return jobs.retry(conn, actor(REASON), job_id_of(row)).done


def _cancel(conn: psycopg.Connection[Any], row: Row) -> bool:
    return jobs.cancel(conn, actor(REASON), job_id_of(row)).done


def _pause(conn: psycopg.Connection[Any], row: Row) -> bool:
    queues.pause(conn, actor(REASON), row.key)
    return True


def _resume(conn: psycopg.Connection[Any], row: Row) -> bool:
    queues.resume(conn, actor(REASON), row.key)
    return True
