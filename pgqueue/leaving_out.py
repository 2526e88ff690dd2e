"""Secrets taken out of texts, in whatever form they stand there; many of them in about the time of a few."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

HIDDEN = "•••••"
# A secret of fewer letters is found in errors everywhere: it is one as a word of its own alone, as a number is.
SHORTEST = 4
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Forms:
    """How secrets are looked for: `anywhere`, longest first; as whole `words`; and others that are no word's part."""

    anywhere: tuple[str, ...]
    words: frozenset[str]
    apart: re.Pattern[str] | None


def without(text: str | None, secrets: Collection[str] | None) -> str | None:
    """A text in which none of the secrets stands any more; nothing of it where they are not known."""
    if text is None or secrets is None:
        return text and HIDDEN
    if not secrets:
        return text
    forms = _forms_of(frozenset(secrets))
    for each in forms.anywhere:
        text = text.replace(each, HIDDEN)
    if forms.apart is not None:
        text = forms.apart.sub(HIDDEN, text)
    if forms.words:
        text = _WORD.sub(lambda found: HIDDEN if found[0] in forms.words else found[0], text)
    return text


# A job's lines and attempts are cleaned one after the other, of the same secrets.
@lru_cache(maxsize=8)
def _forms_of(secrets: frozenset[str]) -> _Forms:
    anywhere: list[str] = []
    words: set[str] = set()
    apart: list[str] = []
    for secret in sorted(secrets, key=len, reverse=True):
        # As it is, and as repr() and JSON have it, which is how errors say values.
        for said in dict.fromkeys((secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])):
            if len(secret) >= SHORTEST and not secret.isdecimal():
                anywhere.append(said)
            elif _WORD.fullmatch(said):
                words.add(said)
            elif said:
                apart.append(said)
    apart.sort(key=len, reverse=True)
    others = rf"(?<!\w)(?:{'|'.join(map(re.escape, apart))})(?!\w)"
    return _Forms(tuple(anywhere), frozenset(words), re.compile(others) if apart else None)
