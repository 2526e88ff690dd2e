"""How long who guessed wrong waits for the answer."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from starlette.requests import Request

FREE_FAILURES = 5
LONGEST_DELAY = 8.0
# Who failed, or was right: old ones make room.
MOST_REMEMBERED = 1_000
# Tries that wait at once: in all, and from one address.
MOST_WAITING, MOST_OF_ONE = 50, 5


def delay(failures: int) -> float:
    """Seconds to wait after so many failures."""
    return 0.0 if failures < FREE_FAILURES else min(LONGEST_DELAY, 0.5 * 2.0 ** min(failures - FREE_FAILURES, 10))


def origin_of(request: Request) -> str:
    """Whom guesses are counted against: an address, or the network of 64 bits that one household has of IPv6."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"{int(address) >> 64:x}::/64" if isinstance(address, IPv6Address) else host
