"""What nobody is shown, nobody finds jobs by either: arguments, and what stands under keys that sound like a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pgqueue.dashboard.auth import User
from pgqueue.errors import QueryError
from pgqueue.leaving_out import HIDDEN
from pgqueue.redaction import Redaction
from pgqueue.search import Condition, Query, parse_kept, words

# Whatever moment: what a query says of times is not asked here.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def forbidden(text: str, query: Query, user: User, redaction: Redaction) -> QueryError | None:
    """Why a query may not be asked, with the word that asks for too much; None if it may."""
    for word, condition in zip(words(text), query.conditions, strict=True):
        if (why := _why(condition, user, redaction)) is not None:
            return QueryError(why, word.place, len(word.text))
    return None


def filter_shown(text: str | None, user: User, redaction: Redaction) -> str | None:
    """The query that somebody asked once, without what this user could not ask for."""
    if text is None:
        return None
    try:
        found = words(text)
        conditions = parse_kept(text, _EPOCH).conditions
    except QueryError:
        # It is a name, or was written by other hands.
        return HIDDEN if "args" in text and not user.may("view_args") else text
    return " ".join(
        each.text if _why(condition, user, redaction) is None else f"{condition.field}…{each.sign}{HIDDEN}"
        for each, condition in zip(found, conditions, strict=True)
    )


def _why(condition: Condition, user: User, redaction: Redaction) -> str | None:
    if condition.field not in ("args", "label"):
        return None
    if condition.field == "args" and not user.may("view_args"):
        return "arguments are not shown to you, so they cannot be searched either"
    keys = [key for name in condition.path for key in (name, *name.split("."))]
    # A whole object is equal to one alone that has the same keys.
    keys += [key for value in condition.values for key in _keys(value)]
    if (hidden := next((key for key in keys if redaction.hides(key)), None)) is not None:
        return f"what stands under {hidden[:40]!r} is hidden, so it cannot be searched either"
    return None


def _keys(value: str) -> list[str]:
    if not value.lstrip().startswith(("{", "[")):
        return []
    found: list[str] = []
    try:
        json.loads(value, object_pairs_hook=lambda pairs: found.extend(key for key, _ in pairs))
    except (ValueError, RecursionError):
        # It is equal to nothing, then.
        return []
    return found
