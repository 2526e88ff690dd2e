"""What a call of once() says: which key, for how long, and what is to be done if nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pgqueue.encryption import Kind, Place, effect_owner
from pgqueue.errors import OptionError, UsageError
from pgqueue.options import Duration, check_choice, check_duration, check_name
from pgqueue.retry import seconds

OnUnknown = Literal["run", "skip", "bury", "raise"]

SCOPE = "default"
KEEP = timedelta(days=30)
# Seconds that another one who is at it is waited for.
WAIT = 10.0
# Bytes of a scope and a key together: what fits into an index.
LONGEST = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a key means, and what is done about its being taken. Raises OptionError."""

    key: str
    scope: str = SCOPE
    keep: Duration = KEEP
    wait: Duration = WAIT
    on_unknown: OnUnknown = "bury"
    # Exceptions after which it may have happened; what comes from outside of the block's code is always such a one.
    unsure: tuple[type[BaseException], ...] = ()
    # Whether what comes of it is.
    encrypted: bool = False

    def __post_init__(self) -> None:
        if self.key is None or self.scope is None:
            raise UsageError("once() needs a key and a scope, got None")
        check_effect(self.key, self.scope)
        check_duration("keep", self.keep, zero=False, infinite=False)
        check_duration("wait", self.wait, zero=True, infinite=False)
        check_choice("on_unknown", self.on_unknown, ("run", "skip", "bury", "raise"))

    @property
    def kept(self) -> timedelta:
        """For how long it is remembered."""
        return timedelta(seconds=seconds(self.keep))

    @property
    def place(self) -> Place:
        """Where its value stands."""
        return place_of(self.key, self.scope)


def place_of(key: str, scope: str) -> Place:
    """Where the value of an effect stands."""
    return Place(Kind.EFFECT, effect_owner(scope, key))


def check_effect(key: str, scope: str) -> None:
    """A key and its scope. Raises OptionError."""
    check_name("key", key)
    check_name("scope", scope)
    if len(scope.encode()) + len(key.encode()) > LONGEST:
        raise OptionError(
            f"key and scope must be {LONGEST:,} bytes at most together; make the key a hash of {key!r:.80}"
        )
