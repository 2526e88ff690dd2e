"""The loop of an adapter: a request a line from standard input, an answer a line to standard output."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import traceback
from importlib.metadata import version

from adapter import measures
from adapter.peer import Peer
from adapter.settle import emptied


async def serve(peer: Peer) -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # Whatever a library prints goes to standard error; the answers keep the real output.
    os.dup2(2, 1)
    store = ""
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        try:
            if request["do"] in ("setup", "open"):
                store = request.get("redis") if peer.package in REDIS else request["dsn"]
            answer = await _answer(peer, store, request)
        except Exception as error:  # whatever a peer raises stands in the table
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)
    await peer.close()


REDIS = ("celery", "dramatiq", "huey", "rq")


async def _answer(peer: Peer, store: str, request: dict[str, object]) -> dict[str, object]:
    match request:
        case {"do": "setup"}:
            emptied(store)
            await peer.create(store)
            await peer.open(store)
        case {"do": "open"}:
            await peer.open(store)
        case {"do": "enqueue_one", "seconds": float() | int() as seconds}:
            return await measures.enqueue_one(peer, seconds, heard=bool(request.get("heard")))
        case {"do": "enqueue_bulk", "count": int() as count}:
            return await measures.enqueue_bulk(peer, count)
        case {"do": "drain", "count": int() as count, "seconds": float() | int() as seconds}:
            workers = request.get("workers", 1)
            assert isinstance(workers, int)
            filled = bool(request.get("filled"))
            return await measures.drain(peer, store, count, seconds, workers, filled=filled)
        case {"do": "pickup", "gaps": list() as gaps, "seconds": float() | int() as seconds}:
            return await measures.pickup(peer, gaps, seconds)
        case _:
            return {"error": f"no such request: {request}"}
    return {"version": version(peer.package), "runtime": f"Python {platform.python_version()}"}
