"""Other times: how it was at a moment, and how long a queue would take to empty."""

from __future__ import annotations

from pgqueue.dashboard.api.parameters import Parameter, name
from pgqueue.dashboard.api.problems import wrong
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import at
from pgqueue.dashboard.pages.page import Asked, Missing
from pgqueue.dashboard.pages.whatif import forecast
from pgqueue.errors import OptionError
from pgqueue.forecast import Change, change_of, course
from pgqueue.moment_answers import ForecastAnswer, MomentAnswer, forecast_answer, moment_answer


def then(conn: Conn, asked: Asked) -> MomentAnswer:
    """How it was."""
    told = at.load(conn, asked)
    if told["wrong"] is not None:
        raise wrong(told["wrong"], "send when as that")
    known = told["known"]
    return moment_answer(known.then, known.week_before, known.now, known.ran, known.acts)


def whatif(conn: Conn, asked: Asked) -> ForecastAnswer:
    """How a queue goes, and would go."""
    queue = asked.query["name"]
    if not asked.user.sees(queue):
        raise Missing(f"no queue {queue}")
    try:
        change = change_of(*(asked.query.get(each) for each in ("slots", "pause", "rate", "in")))
    except OptionError as error:
        raise wrong(str(error), "send it as that, or leave it out") from None
    found = forecast(conn, asked, queue)
    return forecast_answer(queue, found, course(found, Change()), course(found, change))


_CHANGES = (
    Parameter("slots", "+8 more, -2 fewer, or 20 in all"),
    Parameter("pause", "begin only after so long: 10m"),
    Parameter("rate", "at most so many: 50/s, 600/m"),
    Parameter("in", "so many come in: 50/s, 600/m"),
)
_WHEN = Parameter("when", "a moment: 03:12, 2h ago, yesterday 03:12, 2031-05-01T03:12Z; without a zone it is UTC")
ROUTES = (
    Route("at", "/at", "How it was at a moment, a week before, and is now", then, MomentAnswer, (_WHEN,), page="/at"),
    Route(
        "whatif",
        "/queue/whatif",
        "How long until no job of a queue waits: arithmetics on the last hour, not a promise",
        whatif,
        ForecastAnswer,
        (name("the queue"), *_CHANGES),
        page="/queue",
    ),
)
