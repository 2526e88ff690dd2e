"""Whether a job is what somebody with a key has signed: pure, so that what is refused, and why, is easy to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pgqueue.keyring import Key
from pgqueue.signing.proving import is_proven
from pgqueue.signing.seal import BOUND, Seal
from pgqueue.signing.terms import SignedTerms

# Seconds that the clocks of who signs and of the database may differ.
TOLERANCE = 300.0

# The job is what was signed: None. Else why not, or how long until its time.
FindKey = Callable[[str], Key | None]


@dataclass(frozen=True, slots=True)
class Untrusted:
    """The job is not to run; `why` is for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Early:
    """The job was signed for later: in so many seconds."""

    seconds: float


Verdict = Untrusted | Early | None

UNSIGNED = Untrusted(
    "it is not signed, and this worker runs only what is: whoever enqueues it needs keys, see PGQUEUE_SIGNING_KEYS"
)
UNREADABLE = Untrusted("what stands in place of its signature is none")


def check(terms: SignedTerms, seal: Seal, find_key: FindKey, now: datetime) -> Verdict:
    """What is to be thought of a job with these terms, all of them as its row has them, and this seal.

    Raises KeyringError if the keys cannot be read.
    """
    if (key := find_key(seal.key_id)) is None:
        return Untrusted(f"it is signed with the key {seal.key_id}, which this worker does not know")
    if key.expired():
        assert key.not_after is not None, "it has expired"
        return Untrusted(
            f"it is signed with the key {key.id}, which is not used any more since {key.not_after:%F %H:%M} UTC"
        )
    if not is_proven(key, terms.signed_bytes(key.id, seal.signed_at), seal.signature):
        if changed := terms.changed_since(seal.marks):
            return Untrusted(f"{' and '.join(changed)} changed since it was signed")
        return Untrusted(f"its signature is none of the key {key.id}: it is forged, or of another key of that name")
    if seal.signed_at > now.timestamp() * 1_000 + TOLERANCE * 1_000:
        return Untrusted(f"it was signed at {_moment(seal.signed_at)}, which is still to come: compare the clocks")
    if seal.not_before is not None:
        early = seal.not_before / 1_000 - now.timestamp()
        # What is that little too early is a matter of two clocks.
        if early > TOLERANCE:
            return Early(early)
    return None


def bound(seal: Seal, name: str, value: str | None) -> str | None:
    """A value of the row, if the seal binds it: one that was not said when it was signed may be anything."""
    letter = next(letter for letter, each in BOUND.items() if each == name)
    return value if letter in seal.bound else None


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1_000, UTC):%F %H:%M} UTC"
