"""Jobs that a query asks for, newest id first, found by looking at a bounded number of rows for a bounded time.

Each table is walked from the newest id on, whichever has come least far; where the look ends, the next one goes on. A
job has one id whatever becomes of it, so that page after page it is met once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.search import Candidate, Matcher, Narrowing, Query, narrowed
from pgqueue.search.narrowing import HIGHEST
from pgqueue.store import arg_indexes, causes
from pgqueue.store.arg_indexes import usable_paths
from pgqueue.store.direct import Rows
from pgqueue.store.listing import ENDED, LARGEST, LIVE, SMALL_BUDGET, TOO_LARGE
from pgqueue.store.looking import look
from pgqueue.store.reading import read_job
from pgqueue.store.statement import Statement, execute, query

# How far one look goes: rows, and seconds.
BUDGET, SECONDS = 20_000, 0.3
# Rows of one statement: few at first, because nobody knows how wide they are.
FIRST_PIECE, LARGEST_PIECE = 250, 4000
# A piece that takes longer is followed by a smaller one, seconds.
LONG = 0.05
# Queues, or causes, whose dead jobs are walked one beside the other.
MOST_WALKS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates, newest id first, and how far the look for them went.

    `looked` is at how many rows; the next look is the one below the id `next`, None if all was looked at. `unread` had
    arguments or labels too large, or too odd, to be looked into. `heads`: running jobs were looked for at the heads of
    their queues alone, where they are as a rule.
    """

    candidates: list[Candidate]
    looked: int
    next: UUID | None
    unread: int = 0
    heads: bool = False


@dataclass(slots=True)
class _Source:
    """One walk: the ids below `below` are still to be looked at."""

    statement: str
    below: UUID
    more: tuple[Any, ...] = ()
    started: bool = False
    done: bool = False
    piece: int = FIRST_PIECE


# Fields in which secrets of the arguments may stand.
HOLDING = frozenset({"error", "reason", "key", "limit"})
# What somebody is shown of a job: a query is held against that, so that it finds nothing by what is hidden.
Shown = Callable[[Candidate], Candidate]


def page(
    conn: psycopg.Connection[Any],
    asked: Query,
    *,
    before: UUID | None = None,
    limit: int = 50,
    budgets: int = 1,
    shown: Shown | None = None,
) -> tuple[list[Job], Found] | None:
    """A page of jobs, and how far the look for them went; None if the database did not answer in time.

    `conn` is in autocommit mode. `budgets` look as many times further.
    """

    def answer(conn: psycopg.Connection[Any], budget: int, seconds: float) -> tuple[list[Job], Found]:
        found = search(conn, asked, before=before, limit=limit, budget=budget, seconds=seconds, shown=shown)
        return execute(conn, jobs_of([candidate.id for candidate in found.candidates])), found

    found = look(conn, lambda conn: answer(conn, BUDGET * budgets, SECONDS * budgets))
    return found or look(conn, lambda conn: answer(conn, SMALL_BUDGET, SECONDS))


def search(
    conn: psycopg.Connection[Any],
    asked: Query,
    *,
    before: UUID | None = None,
    limit: int = 50,
    budget: int = BUDGET,
    seconds: float = SECONDS,
    shown: Shown | None = None,
) -> Found:
    """The newest `limit` jobs below an id that a query asks for, in the transaction open on `conn`."""
    narrow, matcher = narrowed(asked), Matcher(asked)
    meant = matcher.matches if shown is None else _as_shown(matcher, shown)
    if shown is not None:
        # Secrets in an error, or in a key, are known by the arguments.
        narrow = replace(narrow, args=narrow.args or any(each.field in HOLDING for each in asked.conditions))
    top = min(HIGHEST if before is None else before, _behind(narrow.last))
    ends_at = time.monotonic() + seconds
    sources = _walks(narrow, top, _causes(conn, narrow), _indexed(conn, narrow))
    met, looked, heads = _heads(conn, narrow, sources, top, budget)
    met = [each for each in met if meant(each)]
    while unfinished := [source for source in sources if not source.done]:
        edge = max(source.below for source in unfinished)
        if sum(each.id >= edge for each in met) >= limit:
            break
        # Each is begun, whatever that costs: else nobody could say that there is nothing newer in it.
        source = max(unfinished, key=lambda each: (not each.started, each.below))
        if source.started and (looked >= budget or time.monotonic() >= ends_at):
            break
        candidates, count = _piece(conn, narrow, source, max(1, min(source.piece, budget - looked)))
        looked += count
        met += [each for each in candidates if meant(each)]
    edge_or_none = max((source.below for source in sources if not source.done), default=None)
    settled = [each for each in met if edge_or_none is None or each.id >= edge_or_none]
    settled.sort(key=lambda each: each.id, reverse=True)
    all_said = edge_or_none is None and len(settled) <= limit
    further = None if all_said else settled[limit - 1].id if len(settled) >= limit else edge_or_none
    return Found(settled[:limit], looked, further, matcher.unread, heads)


def _as_shown(matcher: Matcher, shown: Shown) -> Callable[[Candidate], bool]:
    return lambda candidate: matcher.matches(shown(candidate))


def _behind(last: UUID) -> UUID:
    return UUID(int=min(last.int + 1, HIGHEST.int))


def _causes(conn: psycopg.Connection[Any], narrow: Narrowing) -> list[str] | None:
    """The causes that are meant, if they are few; None if any could be, or nobody knows."""
    if narrow.causes is None:
        return None
    found = [cause for digits in narrow.causes for cause in execute(conn, causes.matching(digits, MOST_WALKS + 1))]
    return found if len(found) <= MOST_WALKS else None


def _indexed(conn: psycopg.Connection[Any], narrow: Narrowing) -> tuple[Any, ...] | None:
    """An argument that is asked for and has an index that somebody made; None if there is none."""
    if not narrow.arguments or not narrow.states & (ENDED | {JobState.DEAD}):
        return None
    usable = usable_paths(execute(conn, arg_indexes.listed()))
    return next(((list(path), text) for path, text in narrow.arguments if path in usable), None)


def _walks(narrow: Narrowing, top: UUID, died_of: list[str] | None, indexed: tuple[Any, ...] | None) -> list[_Source]:
    """The walks in which every job that is meant lies."""
    sources = []
    if narrow.states & LIVE:
        name = "search_manual" if narrow.states & LIVE == {JobState.MANUAL} else "search_live"
        by_key = narrow.key is not None
        sources.append(_Source("search_key", top, (narrow.key,)) if by_key else _Source(name, top))
    if JobState.WAITING in narrow.states and narrow.key is None and not narrow.needles and narrow.causes is None:
        sources.append(_Source("search_waiting", top))
    if narrow.states & ENDED and not narrow.needles and narrow.causes is None:
        sources.append(_Source("search_ended", top) if indexed is None else _Source("search_ended_arg", top, indexed))
    if JobState.DEAD in narrow.states:
        if indexed is not None:
            sources.append(_Source("search_dead_arg", top, indexed))
        elif died_of is not None:
            sources += [_Source("search_dead_cause", top, (cause,)) for cause in dict.fromkeys(died_of)]
        elif narrow.queues is not None and len(narrow.queues) <= MOST_WALKS:
            sources += [_Source("search_dead_queue", top, (queue,)) for queue in narrow.queues]
        else:
            sources.append(_Source("search_dead", top))
    return sources


def _heads(
    conn: psycopg.Connection[Any], narrow: Narrowing, sources: list[_Source], top: UUID, budget: int
) -> tuple[list[Candidate], int, bool]:
    """Jobs that have not ended, from the heads of their queues, where that finds all of them that are meant.

    Claims are made at the head: by id the running ones are as a rule the oldest, and a walk would not come to them. So
    if only they are asked for, those at the heads are the answer even where there may be others.
    """
    live = next((source for source in sources if source.statement == "search_live"), None)
    states = narrow.states & LIVE
    few_queues = narrow.queues is not None and len(narrow.queues) <= MOST_WALKS
    if live is None or JobState.MANUAL in states or narrow.ids is not None:
        return [], 0, False
    if not few_queues and JobState.READY in states:
        return [], 0, False
    queues = list(narrow.queues) if few_queues and narrow.queues is not None else None
    rows = execute(conn, _statement(narrow, "search_heads", top, budget, (queues,)))
    looked, more = rows[0][0], rows[0][1] is not None
    if more and states != {JobState.RUNNING}:
        return [], looked, False
    live.done = True
    return _candidates(rows), looked, more


def _piece(conn: psycopg.Connection[Any], narrow: Narrowing, source: _Source, most: int) -> tuple[list[Candidate], int]:
    """The next jobs of a walk, and at how many it looked."""
    began = time.monotonic()
    rows = execute(conn, _statement(narrow, source.statement, source.below, most, source.more))
    took = time.monotonic() - began
    looked, last = rows[0][0], rows[0][1]
    source.started, source.done = True, looked < most
    source.below = last or source.below
    source.piece = max(FIRST_PIECE // 5, source.piece // 2) if took > LONG else min(LARGEST_PIECE, source.piece * 2)
    return _candidates(rows), looked


def _statement(narrow: Narrowing, name: str, below: UUID, most: int, more: tuple[Any, ...]) -> Statement[Rows]:
    params = (
        [str(state) for state in narrow.states],
        _texts(narrow.queue_patterns),
        _texts(narrow.target_patterns),
        _texts(narrow.needles),
        narrow.args,
        narrow.labels,
        narrow.error,
        narrow.host,
        LARGEST,
        narrow.first,
        below,
        most,
        _texts(narrow.not_queue_patterns),
        None if narrow.ids is None else list(narrow.ids),
        *more,
    )
    return Statement(query(name), params, lambda rows: rows)


def _texts(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _candidates(rows: Rows) -> list[Candidate]:
    return [Candidate._make(row[2:]) for row in rows if row[2] is not None]


def jobs_of(ids: Sequence[UUID]) -> Statement[list[Job]]:
    """Jobs by id, newest first, without arguments that are too large for a list. Walks primary keys."""
    return Statement(query("jobs_of"), (list(ids), LARGEST, TOO_LARGE), lambda rows: [read_job(row) for row in rows])
