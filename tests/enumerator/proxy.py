"""A proxy before PostgreSQL that counts requests and lets one thing happen to some of them, at an exact place.

One thread runs all connections of a proxy. What it reads is grouped into requests; each is numbered by role and kind,
looked up in the plan, and forwarded whole. Answers are forwarded as they come, but those that the plan holds back.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.enumerator import protocol
from tests.enumerator.actions import Action
from tests.enumerator.protocol import Message, Startup
from tests.enumerator.requests import CONNECT, Numbering, Request, kind_of, role_of

HOST = "127.0.0.1"
# A client that has gone: so long the server may take for what it had asked before.
LAST_ANSWER_SECONDS = 20.0
_GONE = (asyncio.IncompleteReadError, OSError)

Signal = Callable[[signal.Signals], None]


@dataclass(slots=True)
class _Pending:
    """A request on its way: its action, and the part of its answer that is held back."""

    request: Request
    action: Action | None
    held: list[bytes] = field(default_factory=list)
    replaced: bool = False


class Proxy:
    """Listens on `port` until close(). `begun` is set when the action of the request `watched` begins, `over` when it
    has ended.

    `absent` is how many seconds stalls and stops last; `send_signal` reaches the process that is a victim of the plan.
    """

    def __init__(
        self,
        server_port: int,
        plan: Mapping[Request, Action],
        watched: Request | None = None,
        *,
        absent: float,
        send_signal: Signal | None = None,
    ) -> None:
        self.numbering = Numbering()
        self.begun = threading.Event()
        self.over = threading.Event()
        self._server_port = server_port
        self._plan = plan
        self._watched = watched
        self._absent = absent
        self._send_signal = send_signal or (lambda _number: None)
        self._listener = socket.create_server((HOST, 0))
        # asyncio does it only for sockets that it made itself; 40 ms an answer without.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
            self._loop.close()

    async def _run(self) -> None:
        serving: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            serving.add(task)
            try:
                await _Link(self, reader, writer).serve()
            except (asyncio.CancelledError, *_GONE):
                writer.transport.abort()
            finally:
                serving.discard(task)

        listening = await asyncio.start_server(serve, sock=self._listener)
        await self._ended.wait()
        listening.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def take(self, role: str, kind: str) -> _Pending:
        """Number a request, and say what is to befall it."""
        request = self.numbering.next(role, kind)
        if request == self._watched:
            self.begun.set()
        return _Pending(request, self._plan.get(request))

    def end(self, pending: _Pending) -> None:
        """A request was answered, or its connection has ended."""
        if pending.request == self._watched:
            self.over.set()

    async def flowing(self) -> None:
        """Return when nothing is frozen."""
        await self._flowing.wait()

    async def be_absent(self, action: Action) -> None:
        """Let pass the time for which this action makes somebody absent."""
        match action:
            case Action.FREEZE_BEFORE | Action.FREEZE_AFTER:
                self._flowing.clear()
                await asyncio.sleep(self._absent)
                self._flowing.set()
            case Action.STOP_BEFORE | Action.STOP_AFTER:
                self._send_signal(signal.SIGSTOP)
                await asyncio.sleep(self._absent)
                self._send_signal(signal.SIGCONT)
            case Action.STALL_BEFORE | Action.STALL_AFTER:
                await asyncio.sleep(self._absent)
            case Action.KILL_BEFORE | Action.KILL_AFTER:
                self._send_signal(signal.SIGKILL)

    async def reach_server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self._server_port)


class _Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._from_client, self._to_client = reader, writer
        self._to_server: asyncio.StreamWriter | None = None
        self._role = ""
        self._statements: dict[bytes, str] = {}
        self._pending: deque[_Pending] = deque()
        self._taken: list[_Pending] = []
        self._idle = asyncio.Event()
        self._idle.set()

    async def serve(self) -> None:
        startup = await self._startup()
        from_server, self._to_server = await self._proxy.reach_server()
        try:
            if startup.code == protocol.CANCEL_REQUEST:
                self._to_server.write(startup.raw)
                await self._to_server.drain()
                return
            self._role = role_of(startup.application_name)
            answers = asyncio.create_task(self._pass_answers(from_server))
            try:
                if await self._pass_request(CONNECT, startup.raw):
                    await self._pass_requests(startup)
            finally:
                answers.cancel()
                with contextlib.suppress(asyncio.CancelledError, *_GONE):
                    await answers
        finally:
            for pending in self._taken[-1:]:
                self._proxy.end(pending)
            self._to_server.close()
            self._to_client.close()

    async def _startup(self) -> Startup:
        startup = await protocol.read_startup(self._from_client)
        while startup.code in (protocol.SSL_REQUEST, protocol.GSS_REQUEST):
            self._to_client.write(b"N")
            startup = await protocol.read_startup(self._from_client)
        return startup

    async def _pass_requests(self, startup: Startup) -> None:
        """Until the client leaves; the server still answers what it had asked, as if that were on its way."""
        messages: list[Message] = []
        with contextlib.suppress(*_GONE):
            while (message := await protocol.read_message(self._from_client)).letter != protocol.TERMINATE:
                if self._to_client.is_closing():
                    return
                messages.append(message)
                if message.letter in protocol.END_OF_REQUEST:
                    kind = kind_of(messages, self._statements)
                    if not await self._pass_request(kind, b"".join(each.raw for each in messages)):
                        return
                    messages = []
                elif not self._idle.is_set():
                    # The answer to a question of the server: a password, the data of a COPY.
                    self._say(message.raw)
                    messages = []
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), LAST_ANSWER_SECONDS)

    async def _pass_request(self, kind: str, raw: bytes) -> bool:
        """Forward one request, or let happen to it what is planned; whether the connection goes on."""
        await self._proxy.flowing()
        pending = self._proxy.take(self._role, kind)
        self._taken.append(pending)
        action = pending.action
        if action is not None and action.sqlstate is not None:
            if action is Action.ADMIN_SHUTDOWN or kind == CONNECT:
                self._to_client.write(protocol.fatal(action.sqlstate))
                await self._to_client.drain()
                return False
            raw = protocol.failing(action.sqlstate, roll_back=kind == "commit")
            pending.replaced = True
        elif action is not None and not action.is_after:
            await self._proxy.be_absent(action)
            if action in (Action.CUT_BEFORE, Action.KILL_BEFORE):
                self._reset()
                return False
        self._pending.append(pending)
        self._idle.clear()
        self._say(raw)
        return True

    def _answer(self, raw: bytes) -> None:
        # The client may have left, while the server still tells what it has done.
        if not self._to_client.is_closing():
            self._to_client.write(raw)

    def _say(self, raw: bytes) -> None:
        assert self._to_server is not None
        self._to_server.write(raw)

    async def _pass_answers(self, from_server: asyncio.StreamReader) -> None:
        try:
            while True:
                message = await protocol.read_message(from_server)
                await self._proxy.flowing()
                if not self._pending or message.letter in protocol.UNASKED:
                    self._answer(message.raw)
                    continue
                if not await self._pass_answer(self._pending[0], message):
                    return
        except _GONE:
            # The server has ended it, or refused it: so the client hears, after what was said before.
            self._to_client.close()
        finally:
            self._idle.set()

    async def _pass_answer(self, pending: _Pending, message: Message) -> bool:
        """Forward or hold one message of an answer; whether the connection goes on."""
        ready = message.letter == protocol.READY
        if not pending.replaced or ready or message.letter == protocol.ERROR:
            pending.held.append(message.raw)
        action = pending.action
        if action is not None and action.is_after:
            if not ready:
                return True
            await self._proxy.be_absent(action)
            if action in (Action.CUT_AFTER, Action.KILL_AFTER):
                self._reset()
                return False
        self._answer(b"".join(pending.held))
        pending.held.clear()
        if ready:
            self._proxy.end(self._pending.popleft())
            if not self._pending:
                self._idle.set()
        return True

    def _reset(self) -> None:
        """End the client's connection as a broken link does: at once, and without a word."""
        client = self._to_client.get_extra_info("socket")
        with contextlib.suppress(OSError):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._to_client.transport.abort()
