"""Tasks that tell what they, and what they start, find of the environment of their worker."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pgqueue
from pgqueue.context import home_database
from pgqueue.events import Finished
from pgqueue.store.dsn import read

PROC = Path("/proc/self")


def tell(done: Finished) -> None:
    """A hook: write down where it runs, for the test to look there."""
    Path(os.environ["HOOK_TOLD"]).write_text(json.dumps({"pid": os.getpid(), "environ": dict(os.environ)}))


@pgqueue.task(store_result=True, on_success=tell)
def look() -> dict[str, Any]:
    """Its own environment, that of a program, the kernel's word for it, and where connect() leads."""
    started = subprocess.run(["env", "-0"], capture_output=True, check=True, text=True).stdout
    with pgqueue.connect() as conn:
        database = conn.info.dbname
    return {
        "pid": os.getpid(),
        "own": dict(os.environ),
        "started": dict(pair.split("=", 1) for pair in started.split("\0") if pair),
        "kernel": PROC.joinpath("environ").read_text() + PROC.joinpath("cmdline").read_text(),
        "database": database,
        "password": read(home_database() or "").get("password"),
    }
