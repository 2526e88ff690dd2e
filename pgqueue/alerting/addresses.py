"""Where a webhook may go: to what the name stands for at this moment, if that is public or allowed by this worker."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from pgqueue.alerting.errors import NotSentError

# Of IPv6 with an IPv4 address in it: NAT64.
_NAT64 = IPv6Network("64:ff9b::/96")


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


def is_permitted(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether an address is public, or in one of these networks."""
    meant = _meant(ip_address(address.partition("%")[0]))
    if isinstance(meant, IPv6Address) and meant.is_site_local:
        # What was private before there was fc00::/7; Python calls it global.
        return any(network.version == 6 and meant in network for network in networks)
    return any(meant.version == network.version and meant in network for network in networks) or (
        meant.is_global and not meant.is_multicast and not meant.is_reserved
    )


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that one of IPv6 stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
