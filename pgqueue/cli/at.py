"""`pgqueue at`: how it was at a moment, beside a week before and now; what ran then, and what was done about then."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.cli.at_page import print_moment
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.options import Dsn, Json, listing
from pgqueue.cli.output import print_json
from pgqueue.moment_answers import moment_answer
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
        answer = moment_answer(found.then, found.week_before, found.now, ran, found.acts)
        print_json({**{each.name: getattr(answer, each.name) for each in fields(answer)}, "still": found.still})
    else:
        print_moment(found, now)
    if ran is None or still is None:
        say("what ran then could not be looked at in time")
