"""Where a webhook may go: to what the name stands for at this moment, if that is public or allowed by this worker."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from pgqueue.addresses import is_permitted
from pgqueue.alerting.errors import NotSentError


def permitted(host: str, port: int, networks: Sequence[IPv4Network | IPv6Network]) -> list[str]:
    """The addresses of a host, all of which are permitted: connect to one of these, and never ask for the name again.

    Raises NotSentError: a name with one private address may lead there.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSentError(f"the host of the address is not found: {type(error).__name__}") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if not is_permitted(address, networks):
            raise NotSentError(
                f"the host of the address is {address}, which is private; workers that may go there say so by the"
                " variable PGQUEUE_ALERT_ALLOW_PRIVATE (networks, such as 10.0.0.0/8)"
            )
    return addresses
