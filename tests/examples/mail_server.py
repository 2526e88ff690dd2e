"""A mail server as small as the protocol lets it be: it keeps what it was sent, and tells of what it hears."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from email import message_from_bytes
from typing import Self


class MailServer:
    """Takes every mail; `heard` is called with the first word of each command, with "connected" before it answers at
    all, and with "sent" when a mail is kept."""

    def __init__(self, heard: Callable[[str], None] = lambda word: None) -> None:
        self.message_ids: list[str] = []
        self._heard = heard
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(mailbox: MailServer) -> type[socketserver.StreamRequestHandler]:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    mailbox._heard("connected")
                    self._say("220 here")
                    while self._obey(self.rfile.readline().decode().split(maxsplit=1)):
                        pass
                except OSError:
                    # Whoever spoke was killed.
                    pass

            def _obey(self, words: list[str]) -> bool:
                if not words:
                    return False
                verb = words[0].upper()
                mailbox._heard(verb)
                match verb:
                    case "DATA":
                        self._say("354 go on")
                        self._keep()
                        self._say("250 taken")
                    case "QUIT":
                        self._say("221 bye")
                        return False
                    case _:
                        self._say("250 well")
                return True

            def _keep(self) -> None:
                lines: list[bytes] = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                mailbox.message_ids.append(message_from_bytes(b"".join(lines))["Message-ID"])
                mailbox._heard("sent")

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        return Handler
