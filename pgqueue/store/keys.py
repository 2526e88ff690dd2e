"""What a job says of its unique key: the key itself, and the options that mean something only beside one."""

from __future__ import annotations

import json
from hashlib import sha256
from operator import attrgetter

from pgqueue.codec import args_of
from pgqueue.errors import OptionError
from pgqueue.job import NewJob
from pgqueue.retry import seconds

# How long a job that is asked for again and again may be put off, if nobody says.
DEFAULT_MAX_WAIT = 60.0
# The options that say more of a key, and nothing without one.
ABOUT_KEYS = ("unique_until", "unique_for", "on_conflict", "max_wait")
_SAID = attrgetter(*ABOUT_KEYS)
_NOTHING = (None,) * 4
_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def says_more(new: NewJob) -> bool:
    """Whether the job says more of its unique key than that no other live job may have it."""
    said: bool = _SAID(new) != _NOTHING
    return said


def key_of(new: NewJob, args: str | None = None) -> str | None:
    """The job's unique key, made from its target and arguments if it asks for that; `args` are those as a text.

    As args_key.sql makes it. Raises ArgumentError.
    """
    if new.unique is None:
        return new.unique_key
    text = args_of(new) if args is None else args
    call = f"{new.name}\n{_canonical(json.loads(text))}"
    return f"args:{sha256(call.encode()).hexdigest()}"


def check_key(new: NewJob) -> None:
    """Raise OptionError for options about a unique key that mean nothing for this job, or that exclude each other."""
    if not says_more(new):
        return
    if new.unique_key is None and new.unique is None:
        said = next(name for name in ABOUT_KEYS if getattr(new, name) is not None)
        raise OptionError(f"{said} is about a unique key, and the job has none; say unique_key, or unique='args'")
    if (
        new.on_conflict == "replace"
        and new.max_wait is None
        and new.delay is not None
        and seconds(new.delay) > DEFAULT_MAX_WAIT
    ):
        raise OptionError(
            f"a delay of {new.delay!r} that each call gives anew needs max_wait: how long the job may be put off in"
            " all; 0 if its run_at is never to move"
        )
