"""feed(): from an iterator to jobs, as an ordinary call that returns when the iterator has come to its end."""

from __future__ import annotations

import os
import random
import socket
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Unpack

from pgqueue.codec import encode
from pgqueue.database import dsn_of
from pgqueue.errors import ArgumentError, FeedBusy, FeedFailed, PgqueueError, UsageError
from pgqueue.feeding.basket import Basket
from pgqueue.feeding.feeder import Errand, Feeder
from pgqueue.feeding.new_jobs import Pattern, pattern_of
from pgqueue.feeding.progress import Fed, FeedProgress, Listener
from pgqueue.feeding.source import Source, find_source
from pgqueue.job import Target
from pgqueue.options import check_flag, check_integer, check_name
from pgqueue.printable import cut, in_one_line
from pgqueue.server_details import without_details
from pgqueue.store import execute, feeds
from pgqueue.store.connection import open_connection
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.feeds import Taken
from pgqueue.store.schema import require_schema
from pgqueue.store.session import OwnConnection
from pgqueue.tasks import CallOptions

BUFFER = 10_000
# Jobs in one transaction: more save little, and hold the cursor back.
BATCH = 1000
# A batch is no larger than this share of the buffer: workers go on while it waits for room.
SHARE = 4
# Characters that are kept of why a feed failed.
LONGEST_ERROR = 2000


def feed(
    source: str | Callable[..., Any] | Iterable[Any],
    to: Target,
    *,
    dsn: str | None = None,
    name: str | None = None,
    buffer: int = BUFFER,
    batch: int = BATCH,
    again: bool = False,
    on_progress: Listener | None = None,
    **options: Unpack[CallOptions],
) -> Fed:
    """Enqueue a job of the task `to` for each item of an iterator, and return when it has come to its end.

    `source` is `"module:name"`, a function, or what can be iterated (then give a `name`). A function with a parameter
    is called with the cursor of the last item that was fed, None at first, and yields pairs of cursor (JSON) and
    arguments of what comes behind it. Anything else is iterated anew, and what was fed before is passed by. A list or
    tuple is positional arguments, a mapping those by keyword, a NewJob a job with options of its own, and all else the
    one argument.

    Works on a connection of its own to `dsn`, else PGQUEUE_DSN. A batch of jobs and its cursor are one transaction: the
    same call goes on where it was, whatever ended it, and each item becomes one job. At most `buffer` of its jobs have
    not ended; it waits for them, and while the database is away. Once finished it does nothing more, unless `again`
    starts it over. `options` are those of enqueue(), for all its jobs.

    Raises FeedFailed if the iterator raised, or yielded what no job can be; FeedBusy if another process feeds it;
    UsageError, DatabaseUnreachable, SchemaError. O(log n) a job.
    """
    check_name("name", name)
    check_integer("buffer", buffer, 1, 10_000_000)
    check_integer("batch", batch, 1, 100_000)
    check_flag("again", again)
    found = find_source(source)
    pattern = pattern_of(to, options)
    if name is None and found.name is None:
        raise UsageError(f"what has no name of its own needs one to go on by: name='orders', got {source!r:.80}")
    errand = Errand(dsn_of(dsn, "feed()"), name or f"{found.name}/{pattern.target}", random.getrandbits(62) + 1, buffer)
    with diagnosed():
        conn = open_connection(errand.dsn, "feed")
        try:
            taken = _taken(conn, errand, found, pattern, again=again)
        except BaseException:
            conn.close()
            raise
    if taken.finished_at is not None:
        conn.close()
        return Fed(errand.name, taken.items, 0, taken.cursor, already=True)
    basket = Basket(max(1, min(batch, buffer // SHARE)))
    feeder = Feeder(errand, conn, basket, taken.items, taken.cursor, on_progress or _unheard)
    feeder.start()
    _iterate(found, pattern, basket, feeder, errand.name)
    return Fed(errand.name, feeder.items, feeder.fed, feeder.cursor, already=False)


def _taken(conn: OwnConnection, errand: Errand, found: Source, pattern: Pattern, *, again: bool) -> Taken:
    """Become the feeder, or learn that the feed is finished."""
    require_schema(conn)
    name, source = errand.name, found.name or errand.name
    at = socket.gethostname(), os.getpid()
    taken = execute(
        conn,
        feeds.take(name, source, pattern.target, errand.buffer, errand.feeder, at, pooled=conn.pooled, again=again),
    )
    if taken is None:
        raise FeedBusy(f"feed {name} was removed just now; call again to begin it anew")
    if taken.source != source:
        raise UsageError(f"feed {name} reads {taken.source}, not {source}: give another name, or remove that feed")
    if not taken.taken and taken.finished_at is None:
        by = "another process" if taken.pid is None else f"process {taken.pid} on {taken.host}"
        raise FeedBusy(f"feed {name} is being fed by {by}; wait until that has ended, or end it")
    return taken


def _iterate(found: Source, pattern: Pattern, basket: Basket, feeder: Feeder, name: str) -> None:
    """Put what comes into the basket until the end, and see that it is fed."""
    number = feeder.items
    try:
        with closing(found.behind(feeder.cursor, number)) as pairs:
            for cursor, value in pairs:
                number += 1
                encode(cursor, "cursor")
                basket.put(pattern.item(cursor, value))
        feeder.finish()
    except Exception as error:
        if error is not feeder.failure:
            why = _why(error, found.name or name, number)
            feeder.leave(cut(in_one_line(why), LONGEST_ERROR))
            if feeder.failure is None:
                raise FeedFailed(name, feeder.items, feeder.cursor, why, _theirs(error)) from error
    except BaseException:
        # Ctrl-C, say: what was iterated and not enqueued comes again the next time.
        feeder.leave()
        raise
    if feeder.failure is not None:
        raise feeder.failure


def _why(error: Exception, source: str, number: int) -> str:
    match error:
        case ArgumentError():
            return f"{source}, item {number:,}: {error}"
        case PgqueueError():
            return str(error)
        case _:
            said = "".join(traceback.format_exception_only(error)).strip()
            return f"{source} raised {without_details(said, error)}"


def _theirs(error: Exception) -> str | None:
    """The traceback from the first line that is not ours; None where all are."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    if trace is None:
        return None
    return without_details("".join(traceback.format_exception(type(error), error, trace, chain=False)), error)


_OURS = str(Path(__file__).parents[1]) + os.sep


def _unheard(progress: FeedProgress) -> None:
    return
