"""The selection: which queues a worker serves, by name or by glob, which it leaves out, and what share each has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pgqueue.errors import OptionError
from pgqueue.globs import EXCEPT, is_glob, matches
from pgqueue.options import check_integer, check_name

MOST_WEIGHT = 1000


@dataclass(frozen=True, slots=True)
class Selection:
    """Queues by name or glob, None for all of them, without those of `excluded`.

    `weights` are one for each; with them each has its share of the claims, whatever the priorities of the others.
    """

    queues: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    weights: tuple[int, ...] | None = None
    _groups: dict[str, int] = field(init=False, repr=False, compare=False)
    _globs: list[tuple[int, str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_groups", {name: n for n, name in enumerate(self.queues or ())})
        object.__setattr__(self, "_globs", [each for each in enumerate(self.queues or ()) if is_glob(each[1])])

    @property
    def names(self) -> list[str] | None:
        """All queues that are meant, if each is named in full; else None: new ones may come."""
        if self.queues is None or self.excluded or any(map(is_glob, self.queues)):
            return None
        return list(self.queues)

    @property
    def is_all(self) -> bool:
        """Whether every queue is meant."""
        return self.queues is None and not self.excluded

    @property
    def said(self) -> list[str] | None:
        """As the worker's row tells others; None is all."""
        if self.is_all:
            return None
        return [*(("*",) if self.queues is None else self.queues), *(EXCEPT + each for each in self.excluded)]

    def serves(self, queue: str) -> bool:
        """Whether this queue is meant."""
        return self.group_of(queue) is not None and not any(matches(each, queue) for each in self.excluded)

    def group_of(self, queue: str) -> int | None:
        """Which of `queues` means it: its own name, else the first glob. None if none does; 0 if all are meant."""
        if self.queues is None:
            return 0
        group = self._groups.get(queue)
        if group is None:
            group = next((n for n, pattern in self._globs if matches(pattern, queue)), None)
        return group


ALL = Selection()


def select(queues: Sequence[str] | Mapping[str, int] | None, exclude: Sequence[str] = ()) -> Selection:
    """The selection that options mean: names or globs, or a mapping of them to weights. Raises OptionError."""
    for option, given in (("queues", queues), ("exclude", exclude)):
        if isinstance(given, str):
            raise OptionError(f"{option} must be a list of names, got {given!r}; write [{given!r}]")
    for queue in (*(queues or ()), *exclude):
        check_name("a queue", queue)
        if queue.startswith(EXCEPT):
            raise OptionError(f"a queue to leave out is named by exclude, got {queue!r}; write exclude=[{queue[1:]!r}]")
    if queues is None:
        return Selection(excluded=tuple(dict.fromkeys(exclude)))
    if isinstance(queues, Mapping):
        for queue, weight in queues.items():
            if weight is None:
                raise OptionError(f"the weight of queue {queue!r} must be a whole number, got None; 1 is usual")
            check_integer(f"the weight of queue {queue!r}", weight, 1, MOST_WEIGHT)
    if not queues:
        raise OptionError(f"queues must name at least one queue, got {queues!r}; None serves all of them")
    kept = [queue for queue in dict.fromkeys(queues) if not any(matches(each, queue) for each in exclude)]
    if not kept:
        raise OptionError(f"exclude leaves out all of queues, got {list(queues)!r} and {list(exclude)!r}")
    left_out = tuple(dict.fromkeys(exclude)) if any(map(is_glob, kept)) else ()
    weights = tuple(queues[queue] for queue in kept) if isinstance(queues, Mapping) else None
    return Selection(tuple(kept), left_out, weights)
