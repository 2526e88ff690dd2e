"""What came of the checks, for people and for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one check; `found` is what was seen instead of the promise, None where it was kept."""

    check: str
    promise: str
    found: str | None
    cure: str
    printed: str

    @property
    def passed(self) -> bool:
        """Whether the promise was kept."""
        return self.found is None


def lines(all_found: Sequence[Found]) -> Iterator[str]:
    """A line for each, and what to do below those that failed."""
    for each in all_found:
        yield f"  {'passed' if each.passed else 'FAILED'}   {each.check:<9} {each.promise}"
        if each.found is not None:
            yield f"           {each.found}"
            yield f"           to do: {each.cure}"
            yield from (f"           | {line}" for line in each.printed.splitlines())
    failed = sum(not each.passed for each in all_found)
    kept = f"{len(all_found) - failed} of {len(all_found)} promises kept"
    yield ""
    yield f"{kept}: {'the worker conforms' if not failed else 'the worker does not conform'}"
