"""Secrets taken out of what jobs were given, before anything else sees it.

Arguments are JSON text. They are read with numbers as they are written, since a browser is to see those, and written
again with dots in place of what stands under a key that sounds like a secret. Where the text cannot be read here, and
holds such a key, nothing of it is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

HIDDEN = "•••••"
KEYS = r"pass|secret|token|authorization|api[_-]?key|cookie|card|iban|ssn"
# What a secret is called where one is told in words; and how it stands there: `token=...`, `"password": "..."`, a URL.
_TOLD = re.compile(
    r"""((?:(?<![a-z])(?:pass|pwd)|password|passwd|passphrase|secret|token|authorization|api[_-]?key|cookie|iban|ssn)
    ["']?\s*[=:]\s*)((?:bearer|basic)\s+\S+|"[^"]*"|'[^']*'|[^\s,;&)\]}"']+)""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_URL = re.compile(r"(://[^\s/:@]+:)[^\s/@]+(?=@)")
# Deeper values are shown as they were written, if they hold no key that is hidden.
MOST_LEVELS = 200
# A secret of fewer letters is found in errors everywhere.
SHORTEST = 4

Redact = Callable[[str], bool]


class Number(str):
    """A number as it was written: no digit is lost."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Redacted:
    """JSON as it may be shown, and what was taken out of it; `secrets` is None where that is not known."""

    value: Any
    text: str
    secrets: frozenset[str] | None = frozenset()
    is_readable: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing was hidden."""
        return HIDDEN not in self.text


@dataclass(frozen=True, slots=True)
class Redaction:
    """Which keys are secret: those that KEYS finds, and those that `also` says."""

    also: Redact | None = None
    _pattern: re.Pattern[str] = field(default=re.compile(KEYS, re.IGNORECASE), init=False)

    def hides(self, key: str) -> bool:
        """Whether what stands under a key is a secret."""
        return self._pattern.search(key) is not None or (self.also is not None and bool(self.also(key)))

    def of_json(self, text: str) -> Redacted:
        """JSON text as it may be shown."""
        try:
            value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
        except (ValueError, RecursionError):
            return self._unreadable(text)
        if _levels(value) > MOST_LEVELS:
            return self._unreadable(text)
        secrets: set[str] = set()
        cleaned = self._cleaned(value, secrets)
        return Redacted(cleaned, written(cleaned), frozenset(secrets))

    def of_value(self, value: Any) -> Any:
        """Arguments that were read already, as they may be shown."""
        return self._cleaned(value, set())

    def secrets_of(self, value: Any) -> frozenset[str] | None:
        """The secrets among arguments that were read already; None if they could not be, and may hold some."""
        if isinstance(value, str):
            return self._unreadable(value).secrets
        secrets: set[str] = set()
        self._cleaned(value, secrets)
        return frozenset(secrets)

    def in_words(self, text: str) -> str:
        """A text that somebody wrote, without what it calls a secret."""
        return _IN_URL.sub(rf"\1{HIDDEN}", _TOLD.sub(rf"\1{HIDDEN}", text))

    def labels(self, text: str | None) -> list[tuple[str, str]]:
        """Labels, which are a JSON object of texts, as they may be shown; whatever else stands there, as it is."""
        if text is None:
            return []
        cleaned = self.of_json(text)
        if not isinstance(cleaned.value, dict):
            return [("", cleaned.text)]
        return [(key, each if isinstance(each, str) else written(each)) for key, each in cleaned.value.items()]

    def _cleaned(self, value: Any, secrets: set[str]) -> Any:
        if isinstance(value, dict):
            cleaned = {}
            for key, each in value.items():
                if self.hides(key):
                    secrets.update(leaf for leaf in _leaves(each) if len(leaf) >= SHORTEST)
                    cleaned[key] = HIDDEN
                else:
                    cleaned[key] = self._cleaned(each, secrets)
            return cleaned
        if isinstance(value, list):
            return [self._cleaned(each, secrets) for each in value]
        return value

    def _unreadable(self, text: str) -> Redacted:
        # Escapes could hide a key from the pattern: \u0070assword.
        holds_secret = "\\u" in text or any(self.hides(key) for key in re.findall(r'"([^"]*)"\s*:', text))
        return Redacted(None, HIDDEN if holds_secret else text, None if holds_secret else frozenset(), False)


def without(text: str | None, secrets: Iterable[str] | None) -> str | None:
    """A text in which none of the secrets stands any more; nothing of it where they are not known."""
    if text is None or secrets is None:
        return text and HIDDEN
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
        # As repr() and JSON have it, which is how errors say values.
        for escaped in {repr(secret)[1:-1], json.dumps(secret)[1:-1]}:
            text = text.replace(escaped, HIDDEN)
    return text


def laid_out(text: str) -> str:
    """JSON text laid out, its numbers as they were written, and nothing hidden; as it is if it cannot be read."""
    try:
        return written(json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number))
    except (ValueError, RecursionError):
        return text


def written(value: Any, indent: int = 2) -> str:
    """A value as JSON with its numbers as they were written."""
    return "".join(_pieces(value, "\n", " " * indent))


def _pieces(value: Any, newline: str, step: str) -> Iterator[str]:
    if isinstance(value, Number):
        yield str(value)
    elif isinstance(value, dict) and value:
        yield from _within("{", "}", newline, step, [(f"{_text(key)}: ", each) for key, each in value.items()])
    elif isinstance(value, list) and value:
        yield from _within("[", "]", newline, step, [("", each) for each in value])
    else:
        yield _text(value)


def _within(begin: str, end: str, newline: str, step: str, items: Sequence[tuple[str, Any]]) -> Iterator[str]:
    inner = newline + step
    yield begin
    for number, (name, each) in enumerate(items):
        yield f"{',' if number else ''}{inner}{name}"
        yield from _pieces(each, inner, step)
    yield newline + end


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _leaves(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str):
            yield str(each)


def _levels(value: Any) -> int:
    """How deep containers lie in one another; without recursion, which is what it guards."""
    levels, inside = 0, [value]
    while inside and levels <= MOST_LEVELS:
        inside = [each for container in inside for each in _contents(container)]
        levels += 1
    return levels


def _contents(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
