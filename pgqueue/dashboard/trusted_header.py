"""Users whom a proxy before the dashboard has asked, and names in a header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

from starlette.requests import Request

from pgqueue.dashboard.auth import Role, User

_ORDER = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]


class TrustedHeader:
    """The user that a header names, where it comes from one of `proxies`; from anywhere else it is nobody's.

    `groups` are roles by the names of groups, which stand with commas in `groups_header`; the highest holds. Who is in
    none of them has `role`, or may not look at all if that is None. `queues` must be said: None lets everybody see
    all of them; a mapping has globs by the names of users, under "*" those of all others, who else may not look.
    """

    challenge: str | None = None

    def __init__(
        self,
        name: str = "X-Forwarded-User",
        *,
        proxies: Sequence[str],
        queues: Mapping[str, Sequence[str]] | None,
        groups: Mapping[str, Role | str] | None = None,
        groups_header: str = "X-Forwarded-Groups",
        role: Role | str | None = Role.VIEWER,
    ) -> None:
        self._header, self._groups_header = name, groups_header
        self._proxies = [ip_network(each) for each in proxies]
        self._groups = {group: Role(said) for group, said in (groups or {}).items()}
        self._role = None if role is None else Role(role)
        self._queues = queues

    def __call__(self, request: Request) -> User | None:
        """The user whom the proxy names."""
        names = request.headers.getlist(self._header)
        # Twice means that somebody else has written one of them.
        if len(names) != 1 or not names[0].strip() or not self._is_trusted(request):
            return None
        name, role = names[0].strip(), self._role_of(request)
        if role is None:
            return None
        if self._queues is None:
            return User(name, role)
        queues = self._queues.get(name, self._queues.get("*"))
        return None if queues is None else User(name, role, queues)

    def _is_trusted(self, request: Request) -> bool:
        if request.client is None:
            return False
        try:
            address = ip_address(request.client.host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def _role_of(self, request: Request) -> Role | None:
        values = request.headers.getlist(self._groups_header)
        named = {group.strip() for group in values[0].split(",")} if len(values) == 1 else set()
        found = [role for group, role in self._groups.items() if group in named]
        return max([*found, *([self._role] if self._role else [])], key=_ORDER.index, default=None)
