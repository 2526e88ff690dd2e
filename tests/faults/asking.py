"""Asking a worker whether it is ready, as a supervisor does."""

from __future__ import annotations

import http.client
import socket


def free_port() -> int:
    """A port for a health door."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def ready(port: int) -> tuple[int, str]:
    """What /ready answers: its status and its reasons; 0 where nobody answers yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionError:
        return 0, ""
    finally:
        connection.close()
