"""Results of groups: what became of several jobs, in Celery's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pgqueue.compat.celery.exceptions import ChordError
from pgqueue.compat.celery.result import NOT_IN_RESULTS, AsyncResult, waited_for
from pgqueue.elsewhere import missing_attribute
from pgqueue.errors import JobFailed
from pgqueue.job import JobState
from pgqueue.options import Duration
from pgqueue.waiting import Waited


class GroupResult:
    """What became of the jobs of a group, in order."""

    def __init__(
        self, results: Sequence[AsyncResult | GroupResult], parent: AsyncResult | GroupResult | None = None
    ) -> None:
        self.results = list(results)
        self.parent = parent

    def __repr__(self) -> str:
        return f"<GroupResult: [{', '.join(map(str, self.results))}]>"

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[AsyncResult | GroupResult]:
        return iter(self.results)

    def __getitem__(self, place: int) -> AsyncResult | GroupResult:
        return self.results[place]

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("result", name, NOT_IN_RESULTS)

    @property
    def children(self) -> list[AsyncResult | GroupResult]:
        """Its members."""
        return self.results

    def get(
        self,
        timeout: Duration | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        follow_parents: bool = True,
        disable_sync_subtasks: bool = True,
    ) -> list[Any]:
        """What its tasks returned, in order, waiting for all of them. Raises, or answers, as that of one does."""
        leaves = self.leaves()
        waited = waited_for(leaves, timeout, not disable_sync_subtasks)
        return self._answered(iter(waited), propagate, follow_parents)

    join = join_native = wait = get

    def collect(self, intermediate: bool = False, **get: Any) -> Iterator[tuple[AsyncResult | GroupResult, Any]]:
        """This one and those behind its members, each with what it returned."""
        yield self, self.get(**get)
        for each in self.results:
            yield from each.collect(intermediate, **get)

    def ready(self) -> bool:
        """Whether all have ended."""
        return all(each.ended for each in self._standing())

    def successful(self) -> bool:
        """Whether all have succeeded."""
        return all(each.state is JobState.SUCCEEDED for each in self._standing())

    def failed(self) -> bool:
        """Whether any is dead."""
        return any(each.state is JobState.DEAD for each in self._standing())

    def waiting(self) -> bool:
        """Whether any has not ended."""
        return not self.ready()

    def completed_count(self) -> int:
        """How many have succeeded."""
        return sum(each.state is JobState.SUCCEEDED for each in self._standing())

    def revoke(self, **how: Any) -> None:
        """Cancel all of them."""
        for each in self.results:
            each.revoke(**how)

    def forget(self) -> None:
        """Nothing: see that of one."""

    def leaves(self) -> list[AsyncResult]:
        """The jobs of it, and of groups in it, in order."""
        found: list[AsyncResult] = []
        for each in self.results:
            found += [each] if isinstance(each, AsyncResult) else each.leaves()
        return found

    def failure(self) -> BaseException | None:
        """That a member failed, and of what; None if none did."""
        leaves = self.leaves()
        for each, waited in zip(leaves, self._standing(), strict=True):
            if isinstance(waited.error, JobFailed):
                error = each.answer(waited, propagate=False)
                return ChordError(f"Dependency {each.id} raised {error!r:.500}")
        return None if self.parent is None else self.parent.failure()

    def _standing(self) -> list[Waited]:
        return waited_for(self.leaves(), 0, inside_job=True)

    def _answered(self, waited: Iterator[Waited], propagate: bool, follow_parents: bool) -> list[Any]:
        return [
            each.answer(next(waited), propagate, follow_parents)
            if isinstance(each, AsyncResult)
            else each._answered(waited, propagate, follow_parents)
            for each in self.results
        ]
