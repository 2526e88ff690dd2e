"""Which errors lead to which branch: their names, as the database has them of a dead job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgqueue.errors import OptionError
from pgqueue.job import NewJob
from pgqueue.tasks import Task

# What a worker itself says where Python would raise one of these.
_ALSO: dict[type[BaseException], tuple[str, ...]] = {TimeoutError: ("pgqueue.HardTimeout",)}
_ANY = (Exception, BaseException)
# A branch: the names of errors, None for all others, and the job or task that is to run.
Branches = list[tuple[list[str] | None, "NewJob | Task[..., Any]"]]


def branches_of(said: Any, default: Any = None) -> Branches:
    """What `on_error` says: one job or task for any error, or a mapping of errors to them. Raises OptionError."""
    if isinstance(said, NewJob | Task):
        said = {Exception: said}
    if not isinstance(said, Mapping):
        raise OptionError(
            f"on_error must be a job, a task, or a mapping of errors to them, got {said!r:.80}; write"
            " on_error={TimeoutError: slow_path.job(42)}"
        )
    if default is not None:
        said = {**said, Exception: default}
    seen: set[str] = set()
    found: Branches = []
    rest: NewJob | Task[..., Any] | None = None
    for kinds, job in said.items():
        if not isinstance(job, NewJob | Task):
            raise OptionError(f"on_error leads to a job or a task, got {job!r:.80}; write task.job(...)")
        names: list[str] = []
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            if kind in _ANY:
                rest = job
            else:
                names += [name for name in _names(kind) if name not in seen]
                seen.update(names)
        if names:
            found.append((sorted(set(names)), job))
    return found if rest is None else [*found, (None, rest)]


def _names(kind: Any) -> list[str]:
    """An error by its name, and those that are kinds of it, as far as this process has imported them."""
    if isinstance(kind, str):
        return [kind]
    if not isinstance(kind, type) or not issubclass(kind, BaseException):
        raise OptionError(f"on_error is by types of exceptions, or their names, got {kind!r:.80}")
    kinds, found = [kind], []
    while kinds:
        each = kinds.pop()
        module, name = each.__module__, each.__qualname__
        found.append(name if module == "builtins" else f"{module}.{name}")
        found += _ALSO.get(each, ())
        kinds += each.__subclasses__()
    return found
