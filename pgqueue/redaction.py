"""Secrets taken out of what jobs were given, before anything else sees it: the one place that decides what is shown.

Arguments are JSON text. They are read with numbers as they are written, since a browser is to see those, and written
again with dots in place of what stands under a key that sounds like a secret, and of what the task of the job calls
sensitive (secrecy.py). Of what a codec wrote its name is shown (sealed.py). Where the text cannot be read here, and may
hold a secret, nothing of it is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pgqueue import encryption
from pgqueue.exact_json import Number, read, written
from pgqueue.leaving_out import HIDDEN, SHORTEST
from pgqueue.sealed import CODEC, DATA, codec_of
from pgqueue.secrecy import NOWHERE, Paths, Secrecy, into
from pgqueue.secret_names import secret_names

_IN_URL = re.compile(r"(://[^\s/:@]+:)[^\s/@]+(?=@)")
# Before a line of code in a traceback; in that of a group behind a bar.
_FRAME = re.compile(r"[\s|]*File \"")
# Deeper values are shown as they were written, if they hold no key that is hidden.
MOST_LEVELS = 200
# A task that names a shorter secret than SHORTEST means it.
SHORTEST_NAMED = 2
# In a text so many are looked for; of one with more nothing is shown.
MOST_SECRETS = 1_000

Redact = Callable[[str], bool]


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


# What tasks call sensitive, by target; several where code of several ages has said so.
Declared = Mapping[str, tuple[Secrecy, ...]]


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is secret: what stands under names of secrets, or where `also` says so, and what tasks have `declared`.

    Without `by_name` it is what tasks have declared alone.
    """

    also: Redact | None = None
    by_name: bool = True
    declared: Declared = field(default_factory=dict)

    def knowing(self, declared: Declared) -> Self:
        """The same, with what tasks have declared."""
        return replace(self, declared=declared)

    def hides(self, key: str) -> bool:
        """Whether what stands under a key is a secret."""
        if not self.by_name:
            return False
        return secret_names().mean(key) or (self.also is not None and bool(self.also(key)))

    def of_json(self, text: str) -> Redacted:
        """JSON text as it may be shown."""
        return self._of_text(text, ())

    def of_args(self, target: str, text: str) -> Redacted:
        """The arguments of a job, JSON text, as they may be shown."""
        return self._of_text(text, self.declared.get(target, ()))

    def of_value(self, target: str, value: Any) -> tuple[Any, frozenset[str] | None]:
        """Arguments that were read already, as they may be shown, and the secrets among them.

        None if they could not be read, and may hold some.
        """
        told = self.declared.get(target, ())
        if isinstance(value, str):
            found = _NOTHING_KNOWN if told else self._unreadable(value)
            return found.text, found.secrets
        if (name := codec_of(value)) is not None:
            return _dotted(name), None if told else frozenset()
        secrets: set[str] = set()
        cleaned = self._args(value, secrets, told)
        return cleaned, _known(secrets)

    def _of_text(self, text: str, told: tuple[Secrecy, ...]) -> Redacted:
        try:
            value = read(text)
        except (ValueError, RecursionError):
            return _NOTHING_KNOWN if told else self._unreadable(text)
        if _levels(value) > MOST_LEVELS:
            return _NOTHING_KNOWN if told else self._unreadable(text)
        if (name := codec_of(value)) is not None:
            # What its task calls sensitive is in there, and cannot be told from the rest.
            return Redacted(_dotted(name), written(_dotted(name)), None if told else frozenset())
        secrets: set[str] = set()
        cleaned = self._args(value, secrets, told)
        return Redacted(cleaned, written(cleaned), _known(secrets))

    def in_words(self, text: str) -> str:
        """A text that somebody wrote, without what it calls a secret."""
        return _IN_URL.sub(rf"\1{HIDDEN}", secret_names().left_out(encryption.in_words(text)))

    def in_report(self, text: str) -> str:
        """The report of an error, as in_words(): but of its lines of code, which tell names and no values."""
        shown, is_code = [], False
        for line in text.split("\n"):
            shown.append(line if is_code else self.in_words(line))
            is_code = _FRAME.match(line) is not None
        return "\n".join(shown)

    def labels(self, text: str | None) -> list[tuple[str, str]]:
        """Labels, which are a JSON object of texts, as they may be shown; whatever else stands there, as it is."""
        if text is None:
            return []
        cleaned = self.of_json(text)
        if not isinstance(cleaned.value, dict):
            return [("", cleaned.text)]
        return [(key, each if isinstance(each, str) else written(each)) for key, each in cleaned.value.items()]

    def _args(self, value: Any, secrets: set[str], told: tuple[Secrecy, ...]) -> Any:
        if not told or value is None or value == {} or value == []:
            return self._cleaned(value, secrets)
        hidden = any(() in each.paths for each in told)
        if not hidden and isinstance(value, dict):
            return {name: self._under(name, each, secrets, told) for name, each in value.items()}
        if not hidden and isinstance(value, list):
            places = enumerate(value)
            return [self._cleaned(each, secrets, _all(one.at_place(place) for one in told)) for place, each in places]
        return _hidden(value, secrets)

    def _under(self, name: str, value: Any, secrets: set[str], told: tuple[Secrecy, ...]) -> Any:
        paths = _all(one.at_name(name) for one in told)
        return self._cleaned({name: value}, secrets)[name] if self.hides(name) else self._cleaned(value, secrets, paths)

    def _cleaned(self, value: Any, secrets: set[str], paths: Paths = NOWHERE) -> Any:
        if () in paths:
            return _hidden(value, secrets)
        if isinstance(value, dict):
            if (name := codec_of(value)) is not None:
                return _dotted(name)
            cleaned = {}
            for key, each in value.items():
                if self.hides(key):
                    secrets.update(leaf for leaf in _leaves(each) if len(leaf) >= SHORTEST)
                    cleaned[key] = HIDDEN
                else:
                    cleaned[key] = self._cleaned(each, secrets, into(paths, key) if paths else paths)
            return cleaned
        if isinstance(value, list):
            if not paths:
                return [self._cleaned(each, secrets) for each in value]
            return [self._cleaned(each, secrets, into(paths, str(place))) for place, each in enumerate(value)]
        return value

    def _unreadable(self, text: str) -> Redacted:
        # Escapes could hide a key from the pattern: \u0070assword.
        holds_secret = self.by_name and (
            "\\u" in text or any(self.hides(key) for key in re.findall(r'"([^"]*)"\s*:', text))
        )
        return Redacted(None, HIDDEN if holds_secret else text, None if holds_secret else frozenset(), False)


def secrets_of(secrecy: Secrecy, text: str) -> frozenset[str] | None:
    """What a task calls sensitive among arguments, JSON text; None if that cannot be known, or is too much."""
    return Redaction(by_name=False, declared={"": (secrecy,)}).of_args("", text).secrets


def _dotted(codec: str) -> dict[str, str]:
    """What is shown of content that a codec wrote, and nothing of what stands beside it."""
    return {CODEC: codec, DATA: HIDDEN}


_NOTHING_KNOWN = Redacted(None, HIDDEN, None, is_readable=False)


def echoing(value: Any, hide: Callable[[str], str | None], leaving_out: Collection[str] = ()) -> Any:
    """A value, as of a result, with whatever is hidden in its texts, and without what stands under some keys."""
    match value:
        case None | bool():
            return value
        case Mapping():
            kept = [(name, each) for name, each in value.items() if name not in leaving_out]
            return {hide(str(name)): echoing(each, hide, leaving_out) for name, each in kept}
        case list() | tuple():
            return [echoing(each, hide, leaving_out) for each in value]
        case str() | int() | float():
            text = str(value)
            return value if (clean := hide(text)) == text else clean
        case _:
            return value


def _hidden(value: Any, secrets: set[str]) -> str:
    secrets.update(leaf for leaf in _leaves(value, keys=True) if len(leaf) >= SHORTEST_NAMED)
    return HIDDEN


def _known(secrets: set[str]) -> frozenset[str] | None:
    return frozenset(secrets) if len(secrets) <= MOST_SECRETS else None


def _all(found: Iterable[Paths]) -> Paths:
    return NOWHERE.union(*found)


def _leaves(value: Any, *, keys: bool = False) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.values()
            if keys:
                yield from each
        elif isinstance(each, list):
            waiting += each
        elif each is not None and not isinstance(each, bool):
            yield str(each)
            if keys and isinstance(each, Number):
                # As Python reads it, too: 1.50 is 1.5 there.
                yield str(json.loads(each))


def _levels(value: Any) -> int:
    """How deep containers lie in one another; without recursion, which is what it guards."""
    levels, inside = 0, [value]
    while inside and levels <= MOST_LEVELS:
        inside = [each for container in inside for each in _contents(container)]
        levels += 1
    return levels


def _contents(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
