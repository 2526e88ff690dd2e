"""The hooks that a task declares: functions that are told what became of its attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgqueue.errors import OptionError
from pgqueue.hooks import OF_JOBS, Hook, Hooks, checked
from pgqueue.job import NewJob
from pgqueue.tasks.bounds import ON_TIMEOUT
from pgqueue.tasks.following import several

# What else these options may say, in a word, is not a hook: on_timeout="bury", on_dead="stop".
SHARED = ("on_timeout", "on_dead")
_WORDS = {"on_timeout": ON_TIMEOUT}


def taken(given: dict[str, Any]) -> Hooks:
    """Take the hooks out of the options of a task; what two of them say in a word is left. Raises OptionError."""
    found: dict[str, tuple[Hook, ...]] = {}
    for name, hooks in _more(given.pop("hooks", None)).items():
        if name not in OF_JOBS:
            raise OptionError(f"hooks takes {', '.join(OF_JOBS)}, got {name!r:.80}")
        found[name] = checked(f"hooks[{name!r}]", hooks)
    for name in OF_JOBS:
        said = given.get(name)
        if said is None or (name in SHARED and isinstance(said, str)):
            if name not in SHARED:
                given.pop(name, None)
            continue
        if any(isinstance(each, NewJob) or hasattr(each, "target") for each in several(said)):
            raise OptionError(
                f"{name} tells a function, and enqueues nothing, got {said!r:.80}; for a job that follows say"
                " on_success, on_failure or on_end"
            )
        found[name] = found.get(name, ()) + checked(name, given.pop(name), _WORDS.get(name, ()))
    return found


def _more(hooks: Any) -> Mapping[str, Any]:
    if hooks is None:
        return {}
    if not isinstance(hooks, Mapping):
        raise OptionError(f"hooks must be a mapping, as {{'on_dead': tell}}, got {hooks!r:.80}")
    return hooks
