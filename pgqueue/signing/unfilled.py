"""Arguments as they were signed, out of those that the database has filled in: results of other jobs, or the ended job.

All else stays the text that it was, as the database leaves it (filled_args.sql, follow_up.sql).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

_read_value = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")
# The argument that is put in front of those by place (filled_args.sql).
_FIRST = "+"
ENDED = "ended"


def without_filled(args: str, filled: Collection[str]) -> str | None:
    """The text of the arguments before results were filled in; None if these cannot have been filled in so."""
    try:
        if args.startswith("["):
            values = [text for _, text in _members(args)]
            if _FIRST in filled:
                values = values[1:]
                if not values and len(filled) == 1:
                    return "{}"
            places = {int(name) for name in filled if name != _FIRST}
            return f"[{','.join('null' if place in places else text for place, text in enumerate(values))}]"
        kept = [text for key, text in _members(args) if key not in filled]
        return f"{{{','.join(kept)}}}"
    except (ValueError, IndexError, RecursionError):
        return None


def without_ended(args: str) -> str | None:
    """The text of a follow-up's arguments without the ended job, which stands in front of the others."""
    try:
        members = list(_members(args))
    except (ValueError, IndexError, RecursionError):
        return None
    if not members or members[0][0] != ENDED:
        return None
    return f"{{{','.join(text for _, text in members[1:])}}}"


def _members(text: str) -> Iterator[tuple[str, str]]:
    """The members of an object, or of an array, as keys and texts. Raises ValueError, IndexError, RecursionError."""
    is_object = text[0] == "{"
    place = _behind_space(text, 1)
    while text[place] not in "]}":
        start, key = place, ""
        if is_object:
            key, place = _read_value(text, place)
            place = _behind_space(text, place)
            if not isinstance(key, str) or text[place] != ":":
                raise ValueError("no object")
            place = _behind_space(text, place + 1)
        _, place = _read_value(text, place)
        yield key, text[start:place]
        place = _behind_space(text, place)
        if text[place] == ",":
            place = _behind_space(text, place + 1)


def _behind_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()
