"""What executors answer whose tasks run in this very process: what is registered here."""

from __future__ import annotations

from pgqueue import instruments
from pgqueue.judge import Terms
from pgqueue.worker.executors.judging import once_targets, registered_rules, registered_secrecies, registered_terms


class InProcess:
    """Answers for the tasks of this process."""

    def terms(self, target: str) -> Terms | None:
        """What a task says about the ends of its attempts; None if it is not registered here."""
        return registered_terms(target)

    def at_most_once(self) -> frozenset[str]:
        """The targets registered here that may run at most once."""
        return once_targets()

    def rules(self) -> frozenset[str]:
        """What the tasks registered here declare of schedules and limits."""
        return registered_rules()

    def secrecies(self) -> frozenset[tuple[str, str]]:
        """What the tasks registered here call sensitive."""
        return registered_secrecies()

    def is_watched(self) -> bool:
        """Whether something in this process looks on."""
        return bool(instruments.installed)
