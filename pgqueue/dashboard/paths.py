"""Where below its place a dashboard is asked."""

from __future__ import annotations

from starlette.types import Scope


def route_of(scope: Scope) -> str:
    """The path below the place where the dashboard is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path
