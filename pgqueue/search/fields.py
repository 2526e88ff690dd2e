"""What a query may ask of a job: the fields, and how each is compared."""

from __future__ import annotations

from enum import Enum, auto


class Kind(Enum):
    """How the values of a field are read and compared."""

    NAME = auto()  # text: `:` with globs, `=` as it is
    TEXT = auto()  # text: `:` is found anywhere in it, whatever the case
    STATE = auto()
    ID = auto()  # `:` with the first digits
    NUMBER = auto()
    MOMENT = auto()  # compared by < and >
    SINCE = auto()  # `:` alone
    LABEL = auto()  # with a path
    ARGS = auto()  # with a path


FIELDS = {
    "id": Kind.ID,
    "state": Kind.STATE,
    "queue": Kind.NAME,
    "task": Kind.NAME,
    "worker": Kind.NAME,
    "key": Kind.NAME,
    "limit": Kind.NAME,
    "reason": Kind.NAME,
    "type": Kind.NAME,
    "error": Kind.TEXT,
    "cause": Kind.ID,
    "attempt": Kind.NUMBER,
    "priority": Kind.NUMBER,
    "since": Kind.SINCE,
    "before": Kind.SINCE,
    "due": Kind.MOMENT,
    "started": Kind.MOMENT,
    "ended": Kind.MOMENT,
    "label": Kind.LABEL,
    "args": Kind.ARGS,
}
# What people say instead.
OTHER_NAMES = {
    "target": "task",
    "unique_key": "key",
    "limit_key": "limit",
    "labels": "label",
    "arg": "args",
    "after": "since",
    "until": "before",
    "attempts": "attempt",
    "run_at": "due",
    "last_error": "error",
    "status": "state",
}
