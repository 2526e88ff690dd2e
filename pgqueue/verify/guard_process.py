"""The process behind the guard: ends what the verifier has left, when it was killed without a word.

Standard input names workers, `+pid` and `-pid`, and says `.` once nothing is left to end. It ends with
the verifier.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from pgqueue.embedded import Server
from pgqueue.verify.guard import SERVER


def main(folder: Path, keep: bool) -> None:
    """Wait for the end of standard input; then, unless all was in order, end everything."""
    watched: set[int] = set()
    for line in sys.stdin:
        match line[0]:
            case "+":
                watched.add(int(line[1:]))
            case "-":
                watched.discard(int(line[1:]))
            case _:
                return
    for pid in watched:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server = Server(folder / SERVER)
    if server.initialised:
        server.stop("immediate")
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "keep" in sys.argv[2:])
