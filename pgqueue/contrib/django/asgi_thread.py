"""An ASGI application behind a view of Django's, whichever way Django itself is served: in a thread with an event loop.

One a process, begun with the first request, and anew in a process that was forked since.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

# Messages of an answer that wait for whoever reads it, and seconds until the next of them comes or never does.
MOST_WAITING, PATIENCE = 8, 60.0


class AsgiThread:
    """`make` makes the application, in the process that uses it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        # Guards the beginning.
        self._lock = threading.Lock()
        self._pid: int | None = None

    def answer(self, request: HttpRequest, path: str, besides: Mapping[str, Any]) -> HttpResponseBase:
        """What the application answers to a request, where it is asked for `path` below its place."""
        loop, app = self._begun()
        answer = _Answer()
        scope = {**_scope_of(request, path), **besides}
        running = asyncio.run_coroutine_threadsafe(app(scope, _body_of(request), answer.send), loop)
        running.add_done_callback(lambda done: answer.end(None if done.cancelled() else done.exception()))
        try:
            return answer.response()
        except BaseException:
            running.cancel()
            raise

    def close(self) -> None:
        """Close the application; it is made anew if it is asked again."""
        with self._lock:
            if self._pid == os.getpid():
                asyncio.run_coroutine_threadsafe(self._app.aclose(), self._loop).result(PATIENCE)
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(PATIENCE)
                self._loop.close()
                self._pid = None

    def _begun(self) -> tuple[asyncio.AbstractEventLoop, Any]:
        with self._lock:
            if self._pid != os.getpid():
                self._app, self._loop = self._make(), asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="pgqueue-dashboard", daemon=True)
                self._thread.start()
                self._pid = os.getpid()
            return self._loop, self._app


class _Answer:
    """The messages of one answer, from the loop to the thread that waits for it."""

    def __init__(self) -> None:
        self._messages: SimpleQueue[Any] = SimpleQueue()
        self._left = False

    async def send(self, message: Mapping[str, Any]) -> None:
        """Take a message; waits for whoever reads more slowly, and ends with them."""
        while self._messages.qsize() >= MOST_WAITING and not self._left:
            await asyncio.sleep(0.01)
        if self._left:
            raise asyncio.CancelledError
        self._messages.put(message)

    def end(self, error: BaseException | None) -> None:
        """There comes nothing more."""
        self._messages.put(error or EOFError("the application ended without an answer"))

    def response(self) -> HttpResponseBase:
        """As Django has it: whole, or what there is of it, and more as it comes."""
        begin, first = self._next(), self._next()
        response: HttpResponseBase = (
            StreamingHttpResponse(self._chunks(first)) if first.get("more_body") else HttpResponse(first.get("body"))
        )
        response.status_code = begin["status"]
        del response.headers["Content-Type"]
        for name, value in begin["headers"]:
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
        return response

    def _chunks(self, message: Mapping[str, Any]) -> Iterator[bytes]:
        try:
            while message.get("more_body"):
                yield message.get("body", b"")
                message = self._next()
            yield message.get("body", b"")
        finally:
            self._left = True

    def _next(self) -> Mapping[str, Any]:
        try:
            message = self._messages.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError(f"the dashboard has not answered within {PATIENCE:g} s") from None
        if isinstance(message, BaseException):
            raise message
        found: Mapping[str, Any] = message
        return found


def _scope_of(request: HttpRequest, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "root_path": request.path[: len(request.path) - len(path)].rstrip("/"),
        "query_string": request.META.get("QUERY_STRING", "").encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.items()],
        "client": (request.META.get("REMOTE_ADDR", ""), 0),
        "server": (request.META.get("SERVER_NAME", ""), int(request.META.get("SERVER_PORT") or 0)),
        # Each answer holds a thread: pages are not told of changes, they ask.
        "wsgi_environ": request.META,
    }


def _body_of(request: HttpRequest) -> Any:
    messages = iter([{"type": "http.request", "body": request.body, "more_body": False}])

    async def receive() -> Mapping[str, Any]:
        message = next(messages, None)
        if message is None:
            # It would be told of a browser that went away; nobody knows that here.
            await asyncio.Event().wait()
        assert message is not None
        return message

    return receive
