"""The answers to a supervisor's probes over HTTP: /live, /ready, / for all that there is to say; and /metrics.

200 or 503, with the reasons: as text, or as JSON to who accepts that. Restart a worker that does not live; one that is
not ready only takes no work now.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pgqueue.small_server import SmallHandler, SmallServer
from pgqueue.worker.supervision.health import Health, not_live, not_ready

_TEXT, _JSON = "text/plain; charset=utf-8", "application/json; charset=utf-8"
# What /metrics answers to who accepts that: a content type and a body.
Told = Callable[[str], tuple[str, bytes]]


class Probes(SmallServer):
    """An HTTP server in a thread of its own. Raises OptionError if the port cannot be had.

    `metrics` None: there are none, because the extra is not installed.
    """

    def __init__(self, host: str, port: int, health: Callable[[], Health], metrics: Told | None = None) -> None:
        told = staticmethod(metrics) if metrics is not None else None
        handler = type("Handler", (_Handler,), {"health": staticmethod(health), "metrics": told})
        super().__init__(host, port, handler, "health_port")


class _Handler(SmallHandler):
    health: Callable[[], Health]
    metrics: Told | None

    def do_GET(self) -> None:
        health = self.health()
        match self.path.partition("?")[0]:
            case "/live":
                self._answer(not_live(health), "live")
            case "/ready":
                self._answer(not_ready(health), "ready")
            case "/metrics" if self.metrics is not None:
                self.send(200, *self.metrics(self.headers.get("Accept", "")))
            case "/metrics":
                self.send(501, _TEXT, "metrics need `pip install 'pgqueue-postgres[prometheus]'`\n")
            case "/":
                reasons = not_live(health)
                told = {"live": not reasons, "ready": not not_ready(health), "reasons": not_ready(health)}
                self.send(503 if reasons else 200, _JSON, _json(told | asdict(health)))
            case path:
                self.send(404, _TEXT, f"no {path[:80]} here; ask for /live, /ready, /metrics or /\n")

    def _answer(self, reasons: list[str], what: str) -> None:
        status = 503 if reasons else 200
        if "application/json" in self.headers.get("Accept", ""):
            self.send(status, _JSON, _json({what: not reasons, "reasons": reasons}))
        else:
            lines = [f"not {what}", *reasons] if reasons else [what]
            self.send(status, _TEXT, "".join(f"{line}\n" for line in lines))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
