"""Who looks, and what they may: users, roles, permissions."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from pgqueue import globs
from pgqueue.errors import UsageError
from pgqueue.store.tenants import is_tenant


class Role(StrEnum):
    """What a user is trusted with; each may what the one before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_OPERATING = frozenset(
    {
        *("view_args", "view_results", "retry", "cancel", "edit", "run_again", "enqueue", "pause"),
        *("worker_quiet", "export"),
    }
)
PERMISSIONS = {
    Role.VIEWER: frozenset[str](),
    Role.OPERATOR: _OPERATING,
    Role.ADMIN: _OPERATING | {"limit", "schedule", "purge", "worker_evict"},
}
ALL = PERMISSIONS[Role.ADMIN]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who looks, and as what; `queues` are globs of those queues that exist for them, None is all.

    `scopes` add permissions to those of the role, or take some away: `["+purge", "-view_args"]`.
    `via` is the door by which they come, as the audit names it. `tenant` is whose jobs alone exist for them, where
    tenants are on; None is what the role of the dashboard's DSN sees.
    """

    name: str
    role: Role | str = Role.VIEWER
    queues: Sequence[str] | None = None
    scopes: Sequence[str] = ()
    via: str = "dashboard"
    tenant: str | None = None

    def __post_init__(self) -> None:
        if self.role not in list(Role):
            raise UsageError(f"a role is viewer, operator or admin, got {self.role!r}")
        if self.tenant is not None and not is_tenant(self.tenant):
            raise UsageError(f"a tenant is a name of 1 to 63 letters, digits, _ . @ or -, got {self.tenant!r:.80}")
        if isinstance(self.queues, str):
            raise UsageError(f"queues are several globs, such as ['mail.*'], got {self.queues!r}")
        if isinstance(self.scopes, str) or not all(each[:1] in "+-" and each[1:] in ALL for each in self.scopes):
            raise UsageError(f"scopes are several of + or - and {', '.join(sorted(ALL))}, got {self.scopes!r}")
        object.__setattr__(self, "role", Role(self.role))
        object.__setattr__(self, "scopes", tuple(self.scopes))
        object.__setattr__(self, "queues", None if self.queues is None else tuple(self.queues))

    def may(self, permission: str) -> bool:
        """Whether the role has this permission, or a scope adds it, and none takes it away."""
        has = permission in PERMISSIONS[Role(self.role)] or f"+{permission}" in self.scopes
        return has and f"-{permission}" not in self.scopes

    def sees(self, queue: str | None) -> bool:
        """Whether the queue exists for them; what belongs to no queue does for those alone who see all."""
        return self.queues is None or (queue is not None and globs.serves(self.queues, queue))


# Who stands at the machine itself, where nobody is asked who they are.
LOCAL = User("local", Role.ADMIN)
Answer: TypeAlias = "User | Response | None"
Auth: TypeAlias = "Callable[[Request], Answer | Awaitable[Answer]]"


async def user_of(auth: Auth, request: Request) -> User | Response | None:
    """Whom a request is from; None if that is not known, or the response that asks for it."""
    answer = auth(request)
    if inspect.isawaitable(answer):
        answer = await answer
    if answer is None or isinstance(answer, User | Response):
        return answer
    raise UsageError(f"auth must answer a User, a response, or None; got {type(answer).__qualname__}")
