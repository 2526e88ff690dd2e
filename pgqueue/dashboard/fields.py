"""Fields of a form: what stands in them at first, and how what was typed becomes a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgqueue import typed
from pgqueue.errors import UsageError

# So long may a text be that is no JSON; the whole form is bounded besides.
LONGEST_TEXT = 2_000


def text(said: str) -> str:
    """A text as it was typed, of one line."""
    if len(said) > LONGEST_TEXT or "\0" in said:
        raise UsageError(f"a text of at most {LONGEST_TEXT:,} characters without NUL, got {len(said):,}")
    return said.strip()


def whole(said: str) -> int:
    """A whole number."""
    try:
        return int(said) if len(said) <= 20 else int("too long")
    except ValueError:
        raise UsageError(f"a whole number, got {said[:40]!r}") from None


def number_or_none(said: str) -> int:
    """A whole number; `none` is 0, which lifts what it is of."""
    return 0 if said == "none" else whole(said)


def moment(said: str) -> datetime:
    """A moment with its zone: whose clock a page means is not known here."""
    found = typed.moment(said)
    if datetime.fromisoformat(said).tzinfo is None:
        raise UsageError(f"a moment with its zone, such as {said[:16]}+02:00, got {said[:40]!r}")
    return found


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `read` makes a value of what was typed, or raises UsageError; what is left empty is None.

    `now` is what stands there at first, of the Doing that the form is for. `kind` is text, json, choice, hidden or
    many: of many, which may be ticked, the value is a list.
    """

    name: str
    label: str
    read: Callable[[str], Any] = text
    hint: str = ""
    now: Callable[[Any], str] = lambda _doing: ""
    kind: str = "text"
    choices: Sequence[tuple[str, str]] = ()
    required: bool = False

    def value(self, said: Sequence[str]) -> Any:
        """The value of what was sent. Raises UsageError."""
        if self.kind == "many":
            return [self.read(each) for each in said]
        given = said[0] if said else ""
        if not given.strip():
            if self.required:
                raise UsageError(f"{self.label}: this must be filled in")
            return None
        if self.choices and given not in [value for value, _ in self.choices]:
            raise UsageError(
                f"{self.label}: one of {', '.join(value for value, _ in self.choices)}, got {given[:40]!r}"
            )
        try:
            return self.read(given.strip())
        except UsageError as error:
            raise UsageError(f"{self.label}: {error}") from None


DURATION = typed.duration
REASON = Field("reason", "Reason", hint="for the audit")
