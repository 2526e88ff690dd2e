"""Doubts about what a worker was told, said when it starts: what nobody uses is likely a slip of the pen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence

from pgqueue.globs import is_glob, matches
from pgqueue.tasks.modules import Modules

# What other queues' options look like: weights, sets of letters, several in one word.
_ODD = re.compile(r"[=\[\]{},;|\s]")


def doubts(queues: Sequence[str] | None, used: Collection[str], modules: Modules, callables: int) -> Iterator[str]:
    """What may be wrong, in words: `used` are the queues that have jobs, `callables` how many functions may run."""
    for queue in queues or ():
        if any(matches(queue, each) for each in used) or is_glob(queue):
            continue
        if odd := _ODD.search(queue):
            yield f"no job waits in a queue {queue!r}: {odd[0]!r} has no meaning here, each queue is named in full"
        elif near := difflib.get_close_matches(queue, used, n=1, cutoff=0.7):
            yield f"no job waits in a queue {queue!r}; did you mean {near[0]!r}?"
    if not callables:
        plain = "" if modules.tasks_only else ", and no public function is defined there"
        yield (
            f"jobs can call nothing here: no task is declared in {modules or 'no module (-A names them)'}{plain}; name"
            " the module that has them: -A shop.tasks"
        )
