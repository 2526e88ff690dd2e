"""`pgqueue at`: how it was at a moment, beside a week before and now; what ran then, and what was done about then."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.cli.at_page import print_moment
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.options import Dsn, Json, listing
from pgqueue.cli.output import print_json
from pgqueue.search import parse, past_moment
from pgqueue.store import execute, moments, reports, searching
from pgqueue.store.audit import Act
from pgqueue.store.looking import LONGER, look
from pgqueue.store.moments import RanThen, Then

if TYPE_CHECKING:
    import psycopg

    from pgqueue.record import Job
WEEK = timedelta(days=7)
# Jobs that ran then and run still, as many are told.
MOST_STILL = 50


@dataclass(frozen=True, slots=True)
class Moment:
    """How it was: beside a week before, and now; None is what the database did not say in time.

    `still` are jobs that ran then and run now, `ran` attempts that have ended since.
    """

    then: Then
    week_before: Then
    now: Then
    ran: RanThen | None
    still: list[Job]
    acts: list[Act]


@listing
def at(
    when: Annotated[
        list[str],
        typer.Argument(metavar="MOMENT", help="03:12, '2h ago', 'yesterday 03:12', 2031-05-01T03:12+02:00."),
    ],
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show how it was at a moment: how full queues were, what came in and ended, what ran, releases, what was done.

    Beside it how it was a week before, and is now. Looks at 60,000 attempts and what was noted, minute by minute for
    two days, then hour by hour. Local time, unless a zone is said: `'03:12 UTC'`, `'03:12 Europe/Vienna'`.
    """
    with connected(dsn) as conn:
        now = execute(conn, reports.now())
        moment = past_moment(" ".join(when), now)

        def question(conn: psycopg.Connection[Any]) -> tuple[Then, Then, Then, list[Act]]:
            known = [moments.then(conn, each, now) for each in (moment, moment - WEEK, now)]
            return known[0], known[1], known[2], execute(conn, moments.acts_about(moment))

        known = look(conn, question, LONGER)
        if known is None:
            say_error(BUSY)
            raise typer.Exit(Exit.FAILED)
        ran = look(conn, lambda conn: moments.ran_at(conn, moment), LONGER) or look(
            conn, lambda conn: moments.ran_at(conn, moment, moments.SMALL_BUDGET)
        )
        still = searching.page(conn, parse(f"state:running started<={moment.isoformat()}", now), limit=MOST_STILL)
    found = Moment(*known[:3], ran, still[0] if still is not None else [], known[3])
    if as_json:
        print_json(_as_values(found))
    else:
        print_moment(found, now)
    if ran is None or still is None:
        say("what ran then could not be looked at in time")


def _as_values(found: Moment) -> dict[str, object]:
    ran = found.ran
    return {
        **{name: _values(getattr(found, name)) for name in ("then", "week_before", "now")},
        "ran": None if ran is None else {**asdict(ran), "attempts": [each._asdict() for each in ran.attempts]},
        "still": found.still,
        "acts": found.acts,
    }


def _values(then: Then) -> dict[str, object]:
    """How it was, with its sums."""
    sums = ("ready", "later", "running", "dead", "oldest", "in_per_min", "out_per_min", "failed_per_min", "exact")
    return {**{name: getattr(then, name) for name in ("at", "noted", "span", *sums)}, "queues": _queues(then)}


def _queues(then: Then) -> list[dict[str, object]]:
    ended = {each.queue: each for each in then.ended}
    names = dict.fromkeys([*(each.queue for each in then.depths), *ended])
    depths = {each.queue: each for each in then.depths}
    rows: list[dict[str, object]] = []
    for name in names:
        depth, speed = depths.get(name), ended.get(name)
        rows.append(
            {
                "queue": name,
                "ready": depth and depth.ready,
                "later": depth and depth.later,
                "running": depth and depth.running,
                "dead": depth and depth.dead,
                "oldest": depth and depth.oldest,
                "out_per_min": speed.out_per_min if speed else 0.0,
                "failed_per_min": speed.failed_per_min if speed else 0.0,
            }
        )
    return rows
