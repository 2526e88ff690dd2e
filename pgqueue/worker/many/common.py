"""What an executor answers all databases alike: its tasks are the same for each."""

from __future__ import annotations

from collections.abc import Mapping

from pgqueue.company import Batching
from pgqueue.judge import Fallback, Terms
from pgqueue.worker.executors.base import Executor


class Common:
    """Answers for the tasks of an executor that several databases share."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def terms(self, target: str) -> Terms | None:
        """What a task says about the ends of its attempts."""
        return self._executor.terms(target)

    def targets(self) -> frozenset[str]:
        """The targets of the tasks known here."""
        return self._executor.targets()

    def at_most_once(self) -> frozenset[str]:
        """The targets that may run at most once."""
        return self._executor.at_most_once()

    def batching(self) -> Mapping[str, Batching]:
        """How the tasks known here run jobs together."""
        return self._executor.batching()

    def rules(self) -> frozenset[str]:
        """What the tasks declare of schedules and limits."""
        return self._executor.rules()

    def secrecies(self) -> frozenset[tuple[str, str]]:
        """What the tasks call sensitive."""
        return self._executor.secrecies()

    def follows(self) -> frozenset[tuple[str, str]]:
        """Which jobs follow those of the tasks."""
        return self._executor.follows()

    def fallbacks(self) -> dict[str, Fallback]:
        """What follows the tasks where they are lost."""
        return self._executor.fallbacks()

    def hooked(self) -> frozenset[tuple[str, str]]:
        """Which hooks there are."""
        return self._executor.hooked()

    def is_watched(self) -> bool:
        """Whether something looks on where jobs run."""
        return self._executor.is_watched()

    def pids(self) -> list[int]:
        """The processes that run jobs, of all databases."""
        return self._executor.pids()
