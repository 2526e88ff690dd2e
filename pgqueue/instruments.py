"""Who looks on where jobs are enqueued and where they run: tracing, and reports of errors. None costs nothing.

An instrument is a guest: what it does wrong changes nothing about a job.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol
from uuid import UUID

from pgqueue.context import JobContext
from pgqueue.events import Finished
from pgqueue.job import Claim, NewJob
from pgqueue.outcome import Move

# What travels with a job, by name: who caused it.
Headers = Mapping[str, str]
# Of the headers of a job as a text; what would make it longer is left out.
LONGEST = 8_192


class Sending(Protocol):
    """One call that enqueues, while it runs."""

    @property
    def headers(self) -> Sequence[Headers]:
        """What is to travel with each of its jobs."""

    def ended(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """The call ended: with these ids, or raised."""


class Running(Protocol):
    """One attempt, while it runs."""

    def ended(self, done: Finished, error: BaseException | None) -> Headers | None:
        """The attempt ended: what is to be written of it, and what its task raised, if it did.

        Answers what the next attempt is to find among its headers.
        """


class Instrument(Protocol):
    """Looks on; called in the thread, and the context, of the call or the attempt itself."""

    def sending(self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> Sending | None:
        """A call that enqueues begins."""

    def running(self, job: JobContext, claim: Claim, headers: Headers) -> Running | None:
        """An attempt begins; `headers` are those that came with the job."""


class RoundTrip(NamedTuple):
    """A statement of a worker that settled and claimed: seconds since 1970 when it was sent, and how many it took."""

    sent_at: float
    seconds: float
    settled: Sequence[Finished]
    claimed: Sequence[Claim]
    server: tuple[str, int]


installed: list[Instrument] = []
# Who hears of each round trip of the workers of this process; none costs a look at an empty list.
on_round_trip: list[Callable[[RoundTrip], None]] = []


def install(instrument: Instrument) -> None:
    """Have it look on from now on, in this process."""
    if instrument not in installed:
        installed.append(instrument)


def remove(instrument: Instrument) -> None:
    """Have it look on no more."""
    with suppress(ValueError):
        installed.remove(instrument)


def tell_round_trip(trip: RoundTrip) -> None:
    """Tell who hears of round trips."""
    for hear in tuple(on_round_trip):
        with suppress(Exception):
            hear(trip)


class SendingWatch:
    """All instruments round one call that enqueues."""

    def __init__(
        self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None, headers: Sequence[Headers] = ()
    ) -> None:
        self._given = headers
        self._all: list[Sending] = []
        for instrument in tuple(installed):
            with suppress(Exception):
                if (sending := instrument.sending(new_jobs, server)) is not None:
                    self._all.append(sending)
        self.headers = [_as_text(self._merged(number)) for number in range(len(new_jobs))]

    def ended(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """Tell them how it ended."""
        for sending in reversed(self._all):
            with suppress(Exception):
                sending.ended(ids, error)

    def _merged(self, number: int) -> Headers:
        merged: dict[str, str] = dict(self._given[number]) if self._given else {}
        for sending in self._all:
            with suppress(Exception):
                found = sending.headers[number]
                both = ",".join(text for each in (merged, found) if (text := each.get("baggage")))
                merged |= found
                # A list, to which each may add.
                merged |= {"baggage": both} if both else {}
        return merged


class RunningWatch:
    """All instruments round one attempt; made and ended in the attempt's own context."""

    def __init__(self, job: JobContext, claim: Claim) -> None:
        self._headers = headers = _read(claim.headers)
        self._all: list[Running] = []
        for instrument in tuple(installed):
            with suppress(Exception):
                if (running := instrument.running(job, claim, headers)) is not None:
                    self._all.append(running)

    def ended(self, done: Finished, error: BaseException | None) -> Finished:
        """Tell them how it ended; answers the same, with what the next attempt is to find among its headers."""
        noted = dict(self._headers)
        for running in reversed(self._all):
            with suppress(Exception):
                noted |= running.ended(done, error) or {}
        if done.settlement.move not in (Move.RETRY, Move.FALL_BACK) or noted == self._headers:
            return done
        return done._replace(settlement=done.settlement._replace(headers=_as_text(noted)))


def _as_text(headers: Headers) -> str | None:
    if not headers:
        return None
    text = json.dumps(dict(headers))
    if len(text) > LONGEST:
        # Baggage is anybody's, and may be long; who caused the job is short.
        text = json.dumps({name: value for name, value in headers.items() if name != "baggage"})
    return text if len(text) <= LONGEST else None


def _read(text: str | None) -> Headers:
    """The headers of a job; whatever is written in the database, they are texts by name."""
    if text is None or len(text) > LONGEST:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    named = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in named if isinstance(value, str)}
