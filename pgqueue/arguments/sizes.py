"""How large the arguments of a job are: told from 64 kB on, refused beyond 1 MB unless that is allowed."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

from pgqueue.errors import ArgumentError, SizeWarning

LARGE = 64 * 1024
MOST = 1024 * 1024
# What one may raise it to: the database keeps no value of more than a gigabyte.
MOST_EVER = 512 * 1024 * 1024
_CURE = "keep the content in a table or a file, and pass its id or path"


def check_size(text: str, args: Any, most: float | None) -> None:
    """Warn of arguments, JSON text, that are large; raise ArgumentError if they have more bytes than `most`."""
    if 4 * len(text) < LARGE:
        return
    size = len(text) if text.isascii() else len(text.encode())
    if size < LARGE:
        return
    limit = MOST if most is None else most
    if size > limit:
        raise ArgumentError(
            f"args are {_said(size)}, more than {_said(limit)}{_largest(args)}; {_CURE}, or say max_args={size:_}"
        )
    if most is None:
        warnings.warn(
            f"args are {_said(size)}{_largest(args)}: the database keeps and sends them at every attempt; {_CURE}, or"
            f" say max_args={size:_}",
            SizeWarning,
            stacklevel=_caller(),
        )


def _said(size: float) -> str:
    return f"{size / 1024:.0f} kB" if size < MOST else f"{size / MOST:.1f} MB"


def _largest(args: Any) -> str:
    """Which of several has most of it."""
    items = [(f'["{name}"]', value) for name, value in args.items()] if isinstance(args, dict) else []
    if not items and isinstance(args, list | tuple):
        items = [(f"[{place}]", value) for place, value in enumerate(args)]
    if not 1 <= len(items) <= 100:
        return ""
    try:
        sizes = {name: len(json.dumps(value, default=str)) for name, value in items}
    except (TypeError, ValueError, RecursionError):
        return ""
    name = max(sizes, key=sizes.__getitem__)
    return f" (args{name} alone {_said(sizes[name])})"


def _caller() -> int:
    """The level, for warnings, of the first code that is not ours: each place that enqueues is told of once."""
    frame, level = sys._getframe(2), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "pgqueue":
        frame, level = frame.f_back, level + 1
    return level
