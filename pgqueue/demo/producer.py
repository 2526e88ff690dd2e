"""The producer: a thread that adds the documents, one transaction each, while the workers already count."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pgqueue.demo.example import producer
from pgqueue.errors import PgqueueError
from pgqueue.store.connection import open_connection


class Producer:
    """Adds `files` from its start until all are there, or the block ends."""

    def __init__(self, dsn: str, files: Sequence[Path]) -> None:
        self.added = 0
        self._dsn = dsn
        self._files = files
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-producer", daemon=True)

    def done(self) -> bool:
        """Whether all documents are added. Raises PgqueueError if that failed."""
        if self._error is not None:
            raise PgqueueError(f"adding a document failed: {self._error}") from self._error
        return self.added == len(self._files)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        try:
            add_document = producer()
            with open_connection(self._dsn, "demo") as conn:
                for path in self._files:
                    if self._stopping.is_set():
                        return
                    add_document(conn, path)
                    self.added += 1
        except Exception as error:  # Whatever it is, the main thread reports it.
            self._error = error
