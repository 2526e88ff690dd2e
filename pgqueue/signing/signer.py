"""The signer: makes the seals of jobs where they are enqueued."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol, Self
from uuid import UUID

from pgqueue.encryption import unwrapped
from pgqueue.errors import KeyringError
from pgqueue.job import NewJob
from pgqueue.keyring import Key, KeySource
from pgqueue.retry import seconds
from pgqueue.signing.proving import prove
from pgqueue.signing.seal import BOUND, Seal, context_in, headers_in, sealed
from pgqueue.signing.terms import Kind, SignedTerms, about_follow_up, marks, signed_bytes


class Sign(Protocol):
    """Makes the headers of a job from those that it has, with its seal: of `args` as they are stored."""

    def __call__(self, new: NewJob, job_id: UUID, args: str, headers: str | None) -> str | None: ...


class Signer:
    """Signs with the current key of a source; with none that signs, as where all are public, jobs stay unsigned."""

    def __init__(self, source: KeySource, *, tenants: bool = False, tenant: str | None = None) -> None:
        """With `tenants` who signs asks the session for which tenant it acts; `tenant` is what it answered."""
        self.source = source
        self.tenants = tenants
        self._tenant = tenant

    def acting_for(self, tenant: str | None) -> Self:
        """The same, whose jobs are bound to a tenant; None: to none."""
        return type(self)(self.source, tenants=self.tenants, tenant=tenant) if tenant else self

    def job(
        self, new: NewJob, job_id: UUID, args: str, headers: str | None, *, filled: tuple[str, ...] = ()
    ) -> str | None:
        """The headers of one job. As Sign."""
        return self._sealed(new, Kind.JOB, str(job_id), args, headers, filled)

    def follow_up(self, new: NewJob, parent: UUID, awaited: str, args: str) -> str | None:
        """The headers of a job that follows an end of another one, which adds to its arguments how it ended."""
        return self._sealed(new, Kind.FOLLOW_UP, about_follow_up(parent, awaited), args, None, ())

    def schedule(self, said: Mapping[str, Any], args: str) -> str | None:
        """The seal of a schedule, by the names of its columns: of what each of its ticks does. None: nothing signs."""
        if (key := self.source.keyring().current) is None:
            return None
        terms = SignedTerms(
            kind=Kind.TICK,
            about=said["name"],
            target=said["target"],
            args=unwrapped(args),
            queue=said.get("queue"),
            max_attempts=said.get("max_attempts"),
        )
        return self.seal(terms, key).text()

    def again(
        self,
        job_id: UUID,
        target: str,
        args: str,
        queue: str,
        max_attempts: int | None,
        labels: str | None,
        headers: str | None,
    ) -> str:
        """The headers of a job that is there, signed as it stands now, to run from now on. Raises KeyringError."""
        if (key := self.source.keyring().current) is None:
            raise KeyringError("there is no key here that signs: of a pair, it is the private half that does")
        said = headers_in(headers)
        terms = SignedTerms(
            kind=Kind.JOB,
            about=str(job_id),
            target=target,
            args=unwrapped(args),
            queue=queue,
            max_attempts=max_attempts,
            labels=json.loads(labels or "{}"),
            context=context_in(said),
        )
        return sealed(json.dumps(said) if said else None, self.seal(terms, key))

    def seal(self, terms: SignedTerms, key: Key) -> Seal:
        """The seal of these terms, by this key, now."""
        signed_at = time.time_ns() // 1_000_000
        bound = "".join(letter for letter, name in BOUND.items() if getattr(terms, name) is not None)
        parts = terms.parts()
        signature = prove(key, signed_bytes(parts, key.id, signed_at))
        return Seal(terms.kind, key.id, signed_at, terms.not_before, bound, marks(parts), signature, terms.filled)

    def _sealed(
        self, new: NewJob, kind: Kind, about: str, args: str, headers: str | None, filled: tuple[str, ...]
    ) -> str | None:
        if (key := self.source.keyring().current) is None:
            return headers
        terms = SignedTerms(
            kind=kind,
            about=about,
            target=new.name,
            args=unwrapped(args),
            filled=filled,
            queue=new.queue,
            not_before=_not_before(new) if kind is Kind.JOB else None,
            max_attempts=new.max_attempts,
            tenant=self._tenant,
            labels=_labels(new),
            context=context_in(headers_in(headers)) if headers is not None else None,
        )
        return sealed(headers, self.seal(terms, key))


def _labels(new: NewJob) -> Mapping[str, str] | None:
    return None if new.labels is None else dict(new.labels)


def _not_before(new: NewJob) -> int | None:
    """Of a delay, by this machine's clock: the database's is not asked before the job is there."""
    if new.run_at is not None:
        return max(0, int(new.run_at.timestamp() * 1_000))
    delay = 0.0 if new.delay is None else seconds(new.delay)
    return time.time_ns() // 1_000_000 + int(delay * 1_000) if delay > 0 else None
