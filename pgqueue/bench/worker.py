"""The worker that is measured: `python -m pgqueue.bench.worker WORDS...` is `pgqueue worker WORDS...`.

But it stops when its standard input ends, so that it outlives nobody who measures.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _stop_at_end() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.argv[1:1] = ["worker"]
    threading.Thread(target=_stop_at_end, name="bench-end", daemon=True).start()
    # As people start it: what the command line holds in memory counts.
    runpy.run_module("pgqueue", run_name="__main__")
