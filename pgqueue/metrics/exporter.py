"""The exporter: a process that only answers Prometheus with what the database says."""

from __future__ import annotations

from pgqueue.metrics import families
from pgqueue.metrics.database import DatabaseNumbers
from pgqueue.small_server import SmallHandler, SmallServer


class Exporter(SmallServer):
    """Answers /metrics. Raises OptionError if the port cannot be had, UsageError without the extra `prometheus`."""

    def __init__(self, dsn: str, host: str, port: int) -> None:
        families.require()
        self._numbers = DatabaseNumbers(dsn)
        handler = type("Handler", (_Handler,), {"numbers": self._numbers})
        super().__init__(host, port, handler, "port")

    def stop(self) -> None:
        """Answer no more, let go of the port, and of the database."""
        super().stop()
        self._numbers.close()


class _Handler(SmallHandler):
    numbers: DatabaseNumbers

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/metrics":
            self.send(200, *families.rendered(self.numbers.collected, self.headers.get("Accept", "")))
        else:
            self.send(404, "text/plain; charset=utf-8", "ask for /metrics\n")
