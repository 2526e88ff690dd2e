"""Where in a text something is wrong, for people: the text, and below it what is meant."""

from __future__ import annotations

# Letters on either side that are shown; a phone is about so wide.
BEFORE, AFTER = 24, 36


def caret(text: str, place: int, length: int) -> str | None:
    """Two lines: the text round the place, and ^ below it; None if nothing in it is meant."""
    if not length or not text:
        return None
    line = "".join(" " if letter.isspace() else letter for letter in text)
    begin = max(0, place - BEFORE)
    end = min(len(line), max(place + min(length, AFTER), begin + BEFORE + AFTER))
    before, behind = "…" if begin else "", "…" if end < len(line) else ""
    marks = "^" * max(1, min(length, end - place))
    return f"{before}{line[begin:end]}{behind}\n{' ' * (len(before) + place - begin)}{marks}"
