"""What the database says of queues, as of the last look: told to the claims that are taken from them."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence

from pgqueue.globs import matches
from pgqueue.job import Claim, QueueTerms, Token
from pgqueue.store import execute, queues, tenants
from pgqueue.store.connection import SyncConnection

# Seconds between two looks at whether there is a reason to ask; it costs nothing.
LOOK_EVERY = 1.0


class QueueSettings:
    """Looked at by the chores every `poll` seconds, and when somebody has changed them; read by the claim loop."""

    def __init__(self, poll: float) -> None:
        self._poll = poll
        self._ask_at = 0.0
        self._terms: Mapping[str, QueueTerms] = {}
        self._ageing: Mapping[str, float] = {}
        self._has_tenants = False
        self._allow: Mapping[str, Sequence[str]] = {}

    def ageing(self, queue: str) -> float | None:
        """How many seconds of waiting a level of priority is worth in this queue, if that is said."""
        return self._ageing.get(queue)

    def told(self, claims: list[Claim]) -> list[Claim]:
        """The claims with what their queues say."""
        terms = self._terms
        return [claim._replace(terms=terms.get(claim.queue)) for claim in claims] if terms else claims

    def with_tenants(self, conn: SyncConnection, claims: list[Claim]) -> list[Claim]:
        """The claims with whose they are, where tenants are on; none, if that cannot be had: then none may run."""
        if not self._has_tenants or not claims:
            return claims
        try:
            found = execute(conn, tenants.tenants_of([claim.id for claim in claims]))
        except Exception:  # They are held, and go back: the next step finds out what is wrong.
            return []
        return [claim._replace(tenant=found.get(claim.id)) for claim in claims]

    def refused(self, claims: Sequence[Claim]) -> Mapping[Token, str]:
        """Why claims must not run in their queues, by token: those whose target theirs does not take."""
        allow = self._allow
        if not allow:
            return {}
        return {
            claim.token: f"{claim.target} must not run in queue {claim.queue!r}: it allows {', '.join(patterns[:5])}"
            for claim in claims
            if (patterns := allow.get(claim.queue)) and not any(matches(each, claim.target) for each in patterns)
        }

    def changed(self) -> None:
        """Something was set: ask at the next look; from any thread."""
        self._ask_at = 0.0

    def begin(self, conn: SyncConnection) -> None:
        """Ask now."""
        # What is changed from now on is asked for anew.
        self._ask_at = time.monotonic() + self._poll * random.uniform(0.8, 1.0)
        found = execute(conn, queues.settings())
        self._terms = {
            each.queue: QueueTerms(each.timeout, each.max_attempts)
            for each in found
            if each.timeout is not None or each.max_attempts is not None
        }
        self._ageing = {each.queue: each.ageing for each in found if each.ageing is not None}
        self._has_tenants = execute(conn, tenants.are_on())
        self._allow = {each.queue: each.allow for each in found if each.allow is not None}

    def look(self, conn: SyncConnection) -> float:
        """One look; answers the seconds until the next."""
        if time.monotonic() >= self._ask_at:
            self.begin(conn)
        return LOOK_EVERY
