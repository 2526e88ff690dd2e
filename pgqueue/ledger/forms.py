"""The two ways in which a key is held while its block runs: within a transaction, and outside of any."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import Protocol, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.errors import DatabaseUnreachable, LeaseLost, UsageError
from pgqueue.ledger.terms import Terms
from pgqueue.store import effects
from pgqueue.store.connection import AsyncDriver, Driver, driver, driver_async, is_async
from pgqueue.store.drivers import errors_of
from pgqueue.store.effects import Holder, Met
from pgqueue.store.line import Line
from pgqueue.store.outages import is_outage
from pgqueue.store.statement import Statement

T = TypeVar("T")

# Seconds for which a connection that is lost is tried again: what happened is known here, and must be written down.
INSIST = 10.0
FIRST_PAUSE, LAST_PAUSE = 0.01, 1.0
# Seconds that one statement waits for an open transaction, where others of the process need the connection.
LONGEST_WAIT = 0.2


class Form(Protocol):
    """How a key is held while the block runs, and what is written when it ends."""

    line: Line

    async def enter(self, wait: float, again: bool) -> Met:
        """Enter the key; an open transaction that is at it is waited for, at most so many seconds."""

    async def done(self, value: str | None) -> None:
        """The block has done it."""

    async def undone(self, error: BaseException, unknown: bool) -> None:
        """The block raised: it did nothing, or it may have done it. Raises nothing."""


class Within:
    """In the transaction that the caller has open: the row is done as soon as that is."""

    def __init__(self, line: Line, terms: Terms, holder: Holder) -> None:
        self.line = line
        self._terms = terms
        self._holder = holder

    async def enter(self, wait: float, again: bool) -> Met:
        """Enter the key."""
        raw = await self._raw()
        if raw.autocommit and raw.info.transaction_status == TransactionStatus.IDLE:
            raise UsageError("once() needs an open transaction; write `with conn.transaction():` round it")
        terms = self._terms
        return await self.line.run_within(
            effects.enter(terms.scope, terms.key, "done", terms.kept, wait, again, self._holder)
        )

    async def done(self, value: str | None) -> None:
        """Nothing more is to be written, unless something came of it."""
        if value is not None:
            await self.line.run_within(effects.keep_value(self._terms.scope, self._terms.key, value))

    async def undone(self, error: BaseException, unknown: bool) -> None:
        """Take it back, for who catches the error and commits all the same; what was aborted took it back already."""
        terms = self._terms
        raw = await self._raw()
        with suppress(*errors_of(raw)):
            if raw.info.transaction_status == TransactionStatus.INTRANS:
                await self.line.run_within(effects.leave(terms.scope, terms.key, unknown, self._holder))

    async def _raw(self) -> Driver | AsyncDriver:
        conn = self.line.transaction
        assert conn is not None
        return await driver_async(conn) if is_async(conn) else driver(conn)


class Outside:
    """By statements of their own before and behind the block: what it does is no part of any transaction."""

    def __init__(self, line: Line, terms: Terms, holder: Holder, entered: set[tuple[str, str]]) -> None:
        self.line = line
        self._terms = terms
        self._name = terms.scope, terms.key
        self._holder = holder
        # Of the same attempt, whose token would let it in twice.
        self._entered = entered

    async def enter(self, wait: float, again: bool) -> Met:
        """Reserve the key. Its attempt shows its token, so that one that is late begins nothing."""
        if self._name in self._entered:
            raise UsageError(f"{self._terms.key!r} is entered inside its own block")
        terms = self._terms
        wait = min(wait, LONGEST_WAIT)
        entry = effects.enter(terms.scope, terms.key, "reserved", terms.kept, wait, again, self._holder)
        try:
            met, tries = await self._insist(entry)
        except (psycopg.Error, DatabaseUnreachable):
            raise
        except BaseException as error:
            # Interrupted, perhaps behind the commit: nothing has begun, and nobody need wonder.
            await self.undone(error, again)
            raise
        if met.standing == "first" and again and tries > 1:
            # The lost reply may have been that it is unknown.
            met = met._replace(standing="unknown")
        if met.standing == "first" or (met.standing == "unknown" and again):
            self._entered.add(self._name)
        return met

    async def done(self, value: str | None) -> None:
        """Write that it is done, at once: every moment until then is one in which a crash leaves it unknown."""
        self._entered.discard(self._name)
        terms = self._terms
        kept, _ = await self._insist(effects.confirm(terms.scope, terms.key, terms.kept, value, self._holder))
        if not kept:
            raise LeaseLost(f"this attempt is late: another one found {terms.key!r} unknown while its block ran")

    async def undone(self, error: BaseException, unknown: bool) -> None:
        """Set the key free, or have the next one told."""
        self._entered.discard(self._name)
        try:
            await self.line.run(effects.leave(*self._name, unknown, self._holder))
        except (psycopg.Error, DatabaseUnreachable) as trouble:
            error.add_note(f"{self._terms.key!r} stays reserved, and is unknown to the next attempt: {trouble}")

    async def _insist(self, statement: Statement[T]) -> tuple[T, int]:
        """Run a statement that may be said twice, again and again while the database is away; and how often."""
        until, pause, tries = time.monotonic() + INSIST, FIRST_PAUSE, 0
        while True:
            tries += 1
            try:
                return await self.line.run(statement), tries
            except (psycopg.OperationalError, DatabaseUnreachable) as error:
                if not _may_pass(error) or time.monotonic() > until:
                    raise
            await self.line.pause(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LAST_PAUSE)


def _may_pass(error: Exception) -> bool:
    """Whether the connection is lost, or the server refuses for a while whatever anybody asks."""
    return not isinstance(error, psycopg.Error) or error.sqlstate is None or is_outage(error)
