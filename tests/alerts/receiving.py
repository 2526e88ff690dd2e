"""Servers of HTTP and SMTP that take messages, and do as a test says with them."""

from __future__ import annotations

import email.policy
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult


@dataclass(frozen=True, slots=True)
class Taken:
    """A request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Hook:
    """A server of HTTP: `answers` are the statuses of the first requests, then 200; `on_request` sees each first."""

    taken: list[Taken] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str | None = None
    on_request: Callable[[Taken], None] = lambda _: None
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> Hook:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                taken = Taken(self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])))
                hook.taken.append(taken)
                hook.on_request(taken)
                self._answer(hook.answers.pop(0) if hook.answers else 200)

            def do_GET(self) -> None:
                hook.taken.append(Taken(self.path, dict(self.headers), b""))
                self._answer(hook.answers.pop(0) if hook.answers else 200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                if hook.location is not None:
                    self.send_header("Location", hook.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"


@dataclass
class Mailbox:
    """A server of SMTP with STARTTLS. `refuse` answers recipients with 550; `users` may log in."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refuse: bool = False
    users: dict[bytes, bytes] = field(default_factory=dict)
    authority: trustme.CA = field(default_factory=trustme.CA)
    port: int = 0

    async def handle_RCPT(self, server: Server, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuse:
            return "550 not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.content)
        mail = message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def _authenticate(self, server: Server, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=self.users.get(data.login) == data.password, handled=False)

    def __enter__(self) -> Mailbox:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._controller = Controller(
            self,
            "127.0.0.1",
            self.port,
            tls_context=context,
            authenticator=self._authenticate,
            auth_required=False,
        )
        self._controller.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._controller.stop()
