"""A worker as a process of its own: `python -m tests.worker.program '{"dsn": ..., "executor": ...}'`. Logs JSON."""

from __future__ import annotations

import json
import sys

from pgqueue.worker import Worker
from pgqueue.worker.log import LogObserver

if __name__ == "__main__":
    sys.exit(Worker(**json.loads(sys.argv[1]), observers=[LogObserver("json")]).run())
