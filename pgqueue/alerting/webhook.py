"""A webhook: one POST over HTTPS, signed, to where the name leads now; no redirect is followed."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pgqueue.alerting.addresses import permitted
from pgqueue.alerting.environment import allowed_networks, said
from pgqueue.alerting.errors import NotSentError
from pgqueue.alerting.message import Message
from pgqueue.alerting.templates import body_of
from pgqueue.version import __version__
from pgqueue.webhook_signatures import signed

# Seconds for each wait; bytes of an answer that are read, which says nothing that is wanted.
TIMEOUT, ANSWER = 10.0, 4_096
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"


@dataclass(frozen=True, slots=True)
class Webhook:
    """How the channel is set: `url`, or by which variable workers know it; those of the secret and the routing key."""

    template: str = "generic"
    url: str | None = None
    url_env: str | None = None
    secret_env: str | None = None
    key_env: str | None = None

    def deliver(self, message: Message) -> None:
        """Send it. Raises NotSentError, OptionError."""
        url = said(self.url_env) if self.url_env else self.url or (PAGERDUTY if self.template == "pagerduty" else "")
        key = said(self.key_env) if self.key_env else ""
        body = body_of(self.template, message, key)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"pgqueue/{__version__}",
            "Idempotency-Key": message.id,
        }
        if self.secret_env:
            headers |= signed(said(self.secret_env), message.id, int(time.time()), body)
        post(split(url), headers, body)


def split(url: str) -> SplitResult:
    """The parts of an address that may be posted to. Raises NotSentError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotSentError("the address cannot be read") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise NotSentError("the address must begin with https:// (or http://) and name a host")
    if parts.username is not None or any(sign <= " " or sign >= "\x7f" for sign in url):
        raise NotSentError("the address must be of plain letters, and hold no user or password")
    return parts


def post(parts: SplitResult, headers: Mapping[str, str], body: bytes) -> None:
    """One POST, to an address that is permitted now. Raises NotSentError unless it is answered by 2xx."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = permitted(host, port, allowed_networks())
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    conn = _connection(parts.scheme, host, port, addresses)
    try:
        conn.request("POST", target, body, dict(headers))
        answer = conn.getresponse()
        answer.read(ANSWER)
    except ssl.SSLError as error:
        raise NotSentError(f"TLS failed: {error.reason or type(error).__name__}") from None
    except (OSError, http.client.HTTPException) as error:
        raise NotSentError(f"no answer: {type(error).__name__}") from None
    finally:
        conn.close()
    if 300 <= answer.status < 400:
        raise NotSentError(f"answered {answer.status}, a redirect, which is not followed")
    if not 200 <= answer.status < 300:
        raise NotSentError(f"answered {answer.status}")


def _connection(scheme: str, host: str, port: int, addresses: list[str]) -> http.client.HTTPConnection:
    def connect(*_: Any, **__: Any) -> socket.socket:
        # Not by the name: it could lead elsewhere by now.
        failed: OSError | None = None
        for address in addresses:
            try:
                return socket.create_connection((address, port), TIMEOUT)
            except OSError as error:
                failed = error
        raise failed or OSError("no address")

    conn: http.client.HTTPConnection
    if scheme == "https":
        conn = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
    else:
        conn = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    # What opens its socket; for HTTPS the name is what the certificate must be of.
    conn._create_connection = connect  # type: ignore[attr-defined]
    return conn
