"""Names under which a secret stands: those that sound like one, and those that PGQUEUE_REDACT adds.

The variable holds patterns, by commas: `email, *phone*`, with `*` for any letters and `?` for one, whatever the case.
`none` among them leaves out our own.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache

from pgqueue.globs import matches
from pgqueue.leaving_out import HIDDEN

VARIABLE = "PGQUEUE_REDACT"
NONE = "none"
_OURS = re.compile(r"pass|secret|token|authorization|api[_-]?key|cookie|card|iban|ssn", re.IGNORECASE)
_VALUE = r"""(?:bearer|basic)\s+\S+|"[^"]*"|'[^']*'|[^\s,;&)\]}"']+"""
_IS = r"""["']?\s*[=:]\s*"""
# What a secret is called where one is told in words; and how it stands there: `token=...`, `"password": "..."`.
_OURS_TOLD = re.compile(
    rf"""((?:(?<![a-z])(?:pass|pwd)|password|passwd|passphrase|secret|token|authorization|api[_-]?key|cookie|iban|ssn)
    {_IS})({_VALUE})""",
    re.IGNORECASE | re.VERBOSE,
)
# Whatever is told in words, by its name.
_TOLD = re.compile(rf"(?<![\w-])([\w-]{{1,100}})({_IS})({_VALUE})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SecretNames:
    """Which names are those of secrets: ours, if they are not left out, and those that patterns mean."""

    ours: bool
    patterns: tuple[str, ...]

    def mean(self, name: str) -> bool:
        """Whether a secret stands under this name."""
        return (self.ours and _OURS.search(name) is not None) or self._said(name)

    def left_out(self, text: str) -> str:
        """A text without what it tells under the name of a secret."""
        if self.ours:
            text = _OURS_TOLD.sub(_without, text)
        if self.patterns:
            text = _TOLD.sub(self._without, text)
        return text

    def _said(self, name: str) -> bool:
        return bool(self.patterns) and any(matches(pattern, name.lower()) for pattern in self.patterns)

    def _without(self, told: re.Match[str]) -> str:
        return f"{told[1]}{told[2]}{HIDDEN}" if self._said(told[1]) and HIDDEN not in told[3] else told[0]


def _without(told: re.Match[str]) -> str:
    # What is hidden already stays as it stands, as in JSON.
    return told[0] if HIDDEN in told[2] else f"{told[1]}{HIDDEN}"


def secret_names() -> SecretNames:
    """The names of this moment, as the environment has them."""
    return _read(os.environ.get(VARIABLE, ""))


@lru_cache(maxsize=8)
def _read(said: str) -> SecretNames:
    words = [word for word in re.split(r"[\s,;]+", said.lower()) if word]
    patterns = tuple(dict.fromkeys(word for word in words if word != NONE))
    return SecretNames(NONE not in words, patterns)
