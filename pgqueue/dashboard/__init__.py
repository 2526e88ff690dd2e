"""The dashboard: pages that show queues, jobs and workers; an ASGI application that also stands within another one.

    app = pgqueue.dashboard.create_app("postgresql://...", auth=...)

It reads, and changes nothing unless it is given `actions=True`. Needs the extra:
pip install 'pgqueue-postgres[dashboard]'.
"""

from __future__ import annotations

from importlib.util import find_spec

if missing := [name for name in ("starlette", "jinja2") if find_spec(name) is None]:
    raise ImportError(
        f"the dashboard needs {' and '.join(missing)}; install it: pip install 'pgqueue-postgres[dashboard]'"
    )

from pgqueue.dashboard.api import Tokens, hash_token, new_token
from pgqueue.dashboard.app import Dashboard, create_app
from pgqueue.dashboard.auth import Role, User
from pgqueue.dashboard.basic import Basic, hash_password
from pgqueue.dashboard.trusted_header import TrustedHeader

__all__ = [
    "Basic",
    "Dashboard",
    "Role",
    "Tokens",
    "TrustedHeader",
    "User",
    "create_app",
    "hash_password",
    "hash_token",
    "new_token",
]
