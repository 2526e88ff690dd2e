"""The manifests and adapters of other queues: complete, pinned, and true to the protocol."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[2] / "bench" / "peers"
MANIFESTS = sorted(PEERS.glob("*.toml"))
FAKE = """
import asyncio
from adapter.serve import serve

class Fake:
    package = "pip"
    async def create(self, store): print("noise")
    async def open(self, store): pass
    async def enqueue(self, task, number): pass
    def prepared(self, numbers): return list(numbers)
    async def enqueue_all(self, prepared): raise ValueError("too many")
    async def close(self): pass

asyncio.run(serve(Fake()))
"""


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_pins_its_packages_and_names_a_program(manifest: Path) -> None:
    words = tomllib.loads(manifest.read_text())
    assert (PEERS / words["program"]).exists()
    assert all(re.fullmatch(r"[\w\-\[\],]+(==|@)[\d.]+", package) for package in words["packages"])
    assert set(words["does"]) >= {"enqueue_bulk", "drain", "pickup"}
    assert "enqueue_one" in words["does"] or words["kind"] == "ours"
    assert words["context"] == (words["store"] == "redis")
    assert words["settings"]


def test_an_adapter_answers_each_request_in_one_line_and_survives_an_error() -> None:
    requests = [{"do": "setup", "dsn": "x"}, {"do": "enqueue_bulk", "count": 2}, {"do": "enqueue_one", "seconds": 0}]
    done = subprocess.run(
        [sys.executable, "-c", FAKE],
        input="".join(json.dumps(request) + "\n" for request in requests),
        cwd=PEERS,
        capture_output=True,
        text=True,
        timeout=60,
    )
    setup, failed, enqueued = map(json.loads, done.stdout.splitlines())
    assert setup["runtime"].startswith("Python")
    assert failed == {"error": "ValueError: too many"}
    assert enqueued["count"] == 0
