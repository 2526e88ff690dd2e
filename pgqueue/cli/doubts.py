"""What may be wrong with a job that nobody could check: does a live worker know its target, and serve its queue?"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pgqueue.store.unknown import LiveTargets

MOST_NAMED = 5


def doubt_about(target: str, queue: str, live: Sequence[LiveTargets]) -> str | None:
    """Why no live worker would run it now, and what may have been meant; None if one would."""
    if not live:
        return f"no worker runs now; the job waits for one that knows {target}"
    knowing = [each for each in live if each.knows(target)]
    if not any(each.names_it(target) for each in knowing):
        known = {name for each in live for name in each.names or () if ":" in name}
        nearest = difflib.get_close_matches(target, known, n=1)
        meant = f"; did you mean {nearest[0]}?" if nearest else "; -A MODULE checks it, and its arguments, beforehand"
        if not knowing:
            return f"no live worker knows {target}: the job waits for one that does{meant}"
        # A worker of the release before names modules, and may call any function of them.
        return f"no live worker has a task {target}: it runs only if it is a plain function of that module{meant}"
    if not any(each.serves(queue) for each in knowing):
        served = sorted({name for each in knowing for name in each.queues or ()})
        named = ", ".join(served[:MOST_NAMED]) + (", ..." if len(served) > MOST_NAMED else "")
        return f"the live workers that know {target} do not serve queue {queue}, but {named}; --queue names another"
    return None
