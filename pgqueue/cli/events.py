"""`pgqueue events`: attempts as they end, whoever ends them; or those that ended last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.cli.brief import moment
from pgqueue.cli.database import connected, served
from pgqueue.cli.ears import Ears
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY, Words, now, query_of
from pgqueue.cli.options import Dsn, Json, Most, Queue, Target, listing
from pgqueue.cli.output import WORDS, Columns, paint, print_list, written
from pgqueue.cli.spans import brief_seconds
from pgqueue.encryption import shown_value
from pgqueue.jsonable import jsonable
from pgqueue.printable import as_json as printable_json
from pgqueue.printable import in_one_line
from pgqueue.search import Matcher, Query
from pgqueue.store import Statement, ends, execute, secrecy
from pgqueue.store.ends import Ended
from pgqueue.store.looking import LONGER, look

if TYPE_CHECKING:
    import psycopg

COLUMNS: Columns[Ended] = {
    "AT": lambda row: row.finished_at,
    "OUTCOME": lambda row: row.outcome,
    "TOOK": lambda row: brief_seconds(row.elapsed),
    "QUEUE": lambda row: row.queue,
    "TARGET": lambda row: row.target,
    "ATTEMPT": lambda row: row.attempt,
    "ID": lambda row: row.id,
    "WORKER": lambda row: row.worker,
    "ERROR": lambda row: _error(row),
}
# Attempts that are known to have been told; and seconds of a wait for more.
MOST_TOLD, TURN = 200_000, 1.0
# Digits of an id on a terminal: as many as tell the moment. Characters of an error.
ID_DIGITS, WIDEST = 13, 200
# A transaction may have begun so long before it committed; what ended before is not told again with a later attempt.
LATEST = timedelta(seconds=1)


@listing
def events(
    words: Words = None,
    dsn: Dsn = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each attempt as it ends, until ^C.")
    ] = False,
    queue: Queue = None,
    target: Target = None,
    limit: Most = 50,
    as_json: Json = False,
) -> None:
    """Show the attempts that ended last; with -f, all that end from now on: all, or those that a query asks for.

    Without -f, among the newest 20,000 by their jobs' ids. With -f, whoever ends an attempt tells it while somebody
    follows, and at no cost while nobody does. --json gives a line of JSON for each.
    """
    with served(dsn) as address, connected(address) as conn:
        asked = query_of(words or [], now(conn), queue=queue, task=target)
        if follow:
            _follow(address, conn, asked, as_json=as_json)
            return
        is_meant = _meant(conn, asked)
        found = look(conn, lambda conn: execute(conn, ends.lately(ends.BUDGET)), LONGER)
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    wanted = [each for each in found if is_meant(each)][-limit:]
    if as_json:
        for each in wanted:
            typer.echo(line_of(each))
    else:
        print_list(wanted, COLUMNS, as_json=False, empty="No attempt has ended.")


def line_of(row: Ended) -> str:
    """An attempt as a line of JSON, by the names that events have: what it took and waited in seconds."""
    return printable_json(shown_value(jsonable(_values(row))))


def _values(row: Ended) -> Mapping[str, object]:
    values: dict[str, object] = {
        "at": row.finished_at,
        "id": row.id,
        "claim": row.claim,
        "attempt": row.attempt,
        "queue": row.queue,
        "target": row.target,
        "outcome": row.outcome,
        "state": row.state,
        "elapsed": row.elapsed,
        "waited": row.waited,
        "worker": row.worker,
        "host": row.host,
    }
    more = {
        "degraded": row.degraded or None,
        "error_type": row.error_type,
        "error": row.error,
        "cause": row.cause,
        "reason": row.reason,
    }
    return {**values, **{name: value for name, value in more.items() if value is not None}}


def _follow(dsn: str, conn: psycopg.Connection[Any], asked: Query, *, as_json: bool) -> None:
    ears = Ears(dsn)
    told: OrderedDict[tuple[object, ...], None] = OrderedDict()
    if not as_json:
        say(f"attempts that end from {written(ears.since)[11:]} on; ^C ends this")
    try:
        while True:
            heard, dropped, gaps = ears.taken(TURN)
            if dropped:
                say(f"{dropped:,} jobs of which attempts ended are not told: they ended faster than this could print")
            for gap in gaps:
                say(f"the database was away; what ended from {written(gap.since)} to {written(gap.until)} is not told")
            for start in range(0, len(heard), ends.MOST_JOBS):
                some = heard[start : start + ends.MOST_JOBS]
                rows = look(conn, _asking(ends.of(some, ears.since - LATEST)), LONGER)
                if rows is None:
                    say(f"what ended of {len(some)} jobs could not be read in time, and is not told")
                # Anew each time: a task that was met meanwhile may have said what is nobody's business.
                is_meant = _meant(conn, asked)
                for row in _new(rows or (), told):
                    if is_meant(row):
                        typer.echo(line_of(row) if as_json else _line(row))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.FINE) from None
    finally:
        ears.stop()


def _meant(conn: psycopg.Connection[Any], asked: Query) -> Callable[[Ended], bool]:
    """Whether a query asks for an attempt; it finds none by what is hidden."""
    matcher, shown = Matcher(asked), secrecy.searching_by(conn, asked)
    return lambda row: matcher.matches(row.candidate if shown is None else shown(row.candidate))


def _asking(statement: Statement[list[Ended]]) -> Callable[[psycopg.Connection[Any]], list[Ended]]:
    return lambda conn: execute(conn, statement)


def _new(rows: Iterable[Ended], told: OrderedDict[tuple[object, ...], None]) -> Iterator[Ended]:
    """Those that were not told before: of a job whose attempts end one after the other, each once."""
    for row in rows:
        key = (row.id, row.claim, row.outcome)
        if key in told:
            continue
        told[key] = None
        if len(told) > MOST_TOLD:
            told.popitem(last=False)
        yield row


def _line(row: Ended) -> str:
    also = "dead" if row.state == "dead" else "degraded" if row.degraded else None
    outcome = row.outcome if also is None else f"{row.outcome}, {also}"
    head = paint(outcome.ljust(15), WORDS.get("dead" if row.state == "dead" else row.outcome, ""))
    at = moment(row.finished_at, datetime.now().astimezone())
    took = (brief_seconds(row.elapsed) or "").rjust(7)
    where = in_one_line(f"{str(row.id)[:ID_DIGITS]} {row.target} #{row.attempt} in {row.queue}", WIDEST)
    error = _error(row)
    line = f"{at} {head} {took}  {where}"
    return f"{line}  {in_one_line(error, WIDEST)}" if error else line


def _error(row: Ended) -> str | None:
    return ": ".join(filter(None, (row.error_type, row.error))) or None
