"""The modules that a worker was told of: what is imported at its start, and whose functions jobs may call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Modules:
    """Those of `app` are imported with their module `tasks`, if they have one; those of `include` as they are.

    Jobs may call every @task, and the public functions that one of these modules defines itself; with `tasks_only` no
    function that is no @task.
    """

    app: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    tasks_only: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """All that were named, each once."""
        return tuple(dict.fromkeys((*self.app, *self.include)))

    @property
    def offering(self) -> tuple[str, ...]:
        """Those whose plain functions jobs may call."""
        return () if self.tasks_only else self.named

    def __str__(self) -> str:
        return ", ".join(self.named)
