"""A server that asks for the password, refuses it, and repeats it: what a misconfigured or a hostile one may do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SSL, _GSS = 80877103, 80877104


@contextmanager
def echoing_server() -> Iterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        # Wakes accept().
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        with client:
            try:
                _refuse(client)
            except (OSError, struct.error):
                continue


def _refuse(client: socket.socket) -> None:
    while _begin(client) in (_SSL, _GSS):
        client.sendall(b"N")
    # In clear text.
    client.sendall(b"R" + struct.pack("!ii", 8, 3))
    _kind, length = struct.unpack("!ci", _exactly(client, 5))
    password = _exactly(client, length - 4).rstrip(b"\0")
    said = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed: " + password + b"\0Dit was " + password + b"\0\0"
    client.sendall(b"E" + struct.pack("!i", len(said) + 4) + said)


def _begin(client: socket.socket) -> int:
    (length,) = struct.unpack("!i", _exactly(client, 4))
    return int(struct.unpack("!i", _exactly(client, length - 4)[:4])[0])


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            raise OSError("the client has left")
        data += more
    return data
