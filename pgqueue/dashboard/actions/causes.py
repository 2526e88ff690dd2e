"""What is said of one cause: that it is known, mended, or somebody's."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pgqueue.acting import causes
from pgqueue.dashboard.actions.action import Action, Doing, Done, Subject
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import DURATION, Field
from pgqueue.dashboard.pages.page import Missing
from pgqueue.errors import UsageError
from pgqueue.store import causes as store
from pgqueue.store import execute
from pgqueue.store.causes import Cause

NOT_YET = "It was met by dead jobs alone that nobody has looked through yet; try again in a minute."


def _cause(conn: Conn, user: User, key: str) -> Cause:
    found = execute(conn, store.one(key)) if user.queues is None and re.fullmatch(r"[0-9a-f]{12}", key) else None
    if found is None:
        raise Missing(f"no cause {key:.80}")
    return found


CAUSE = Subject(
    "cause",
    find=_cause,
    key=lambda row: row.cause,
    called=lambda row: f"Cause {row.cause}",
    page=lambda key: ("cause", {"cause": key}),
)


def _is_muted(row: Cause) -> bool:
    return row.muted_until is not None and row.muted_until > datetime.now(UTC)


def _said(done: bool, words: str) -> Done:
    return Done(words if done else NOT_YET, done)


def _describe(conn: Conn, doing: Doing) -> Done:
    changed = doing.changed(_SAID)
    if not changed:
        raise UsageError("nothing was changed")
    # An empty text is one, here: it takes back what was said.
    said = {name: value or "" for name, value in changed.items()}
    return _said(causes.describe(conn, doing.actor, doing.thing.cause, **said), "That is known of it now.")


_SAID = (
    Field("title", "Title", hint="what it is called in lists", now=lambda doing: doing.thing.title or ""),
    Field("assignee", "Assigned to", now=lambda doing: doing.thing.assignee or ""),
    Field("note", "Note", now=lambda doing: doing.thing.note or ""),
)
ACTIONS = (
    Action(
        "mute",
        on=CAUSE,
        words="Mute",
        permission="edit",
        about="It is not counted as new until then, and nobody is told of it.",
        fields=(Field("for", "For", DURATION, "90m, 1d, 2w", lambda _doing: "1w", required=True),),
        fits=lambda row: not _is_muted(row),
        act=lambda conn, doing: _said(
            causes.mute(conn, doing.actor, doing.thing.cause, doing.values["for"]), "It is muted."
        ),
    ),
    Action(
        "unmute",
        on=CAUSE,
        words="Unmute",
        permission="edit",
        fits=_is_muted,
        act=lambda conn, doing: _said(causes.mute(conn, doing.actor, doing.thing.cause, None), "It is muted no more."),
    ),
    Action(
        "resolve",
        on=CAUSE,
        words="Resolve",
        permission="edit",
        about="It should not be met any more. If it is, that is a regression.",
        fields=(Field("release", "In release", hint="empty: from now on"),),
        fits=lambda row: row.resolved_at is None,
        act=lambda conn, doing: _said(
            causes.resolve(conn, doing.actor, doing.thing.cause, doing.values["release"]), "It is resolved."
        ),
    ),
    Action(
        "reopen",
        on=CAUSE,
        words="Reopen",
        permission="edit",
        fits=lambda row: row.resolved_at is not None,
        act=lambda conn, doing: _said(causes.reopen(conn, doing.actor, doing.thing.cause), "It is open again."),
    ),
    Action(
        "describe",
        on=CAUSE,
        words="Describe",
        permission="edit",
        fields=_SAID,
        act=_describe,
    ),
)
