"""Which addresses of the network may be connected to: public ones, and private ones that are allowed by name."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
# Of IPv6 with an IPv4 address in it: NAT64.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_permitted(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is public, or in one of these networks."""
    meant = _meant(ip_address(address.partition("%")[0]))
    if any(meant.version == network.version and meant in network for network in networks):
        return True
    if isinstance(meant, IPv6Address) and meant.is_site_local:
        # What was private before there was fc00::/7; Python calls it global.
        return False
    return meant.is_global and not meant.is_multicast and not meant.is_reserved


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that one of IPv6 stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
