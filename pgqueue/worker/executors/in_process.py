"""What executors answer whose tasks run in this very process: what is registered here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pgqueue import instruments
from pgqueue.company import Batching
from pgqueue.job import Claim
from pgqueue.judge import Fallback, Terms
from pgqueue.tasks import registered_batching
from pgqueue.worker.allotment import Allotment
from pgqueue.worker.executors.judging import (
    once_targets,
    registered_fallbacks,
    registered_follows,
    registered_hooks,
    registered_rules,
    registered_secrecies,
    registered_terms,
)


class InProcess:
    """Answers for the tasks of this process."""

    allotment: Allotment | None = None
    # Told of each attempt that begins, once somebody wants to know.
    _begun: Callable[[Claim], None] | None = None

    def terms(self, target: str) -> Terms | None:
        """What a task says about the ends of its attempts; None if it is not registered here."""
        return registered_terms(target)

    def at_most_once(self) -> frozenset[str]:
        """The targets registered here that may run at most once."""
        return once_targets()

    def batching(self) -> Mapping[str, Batching]:
        """How the tasks registered here run jobs together."""
        return registered_batching()

    def rules(self) -> frozenset[str]:
        """What the tasks registered here declare of schedules and limits."""
        return registered_rules()

    def secrecies(self) -> frozenset[tuple[str, str]]:
        """What the tasks registered here call sensitive."""
        return registered_secrecies()

    def follows(self) -> frozenset[tuple[str, str]]:
        """Which jobs follow those of the tasks registered here."""
        return registered_follows()

    def fallbacks(self) -> dict[str, Fallback]:
        """What follows the tasks registered here where they are lost."""
        return registered_fallbacks()

    def hooked(self) -> frozenset[tuple[str, str]]:
        """Which hooks there are in this process."""
        return registered_hooks()

    def watch_starts(self, begun: Callable[[Claim], None]) -> None:
        """Tell of each attempt that it has begun."""
        self._begun = begun

    def is_watched(self) -> bool:
        """Whether something in this process looks on."""
        return bool(instruments.installed)
