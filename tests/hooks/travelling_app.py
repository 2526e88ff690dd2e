"""The app of workers that are processes of their own: as travelling.py, with the variable named."""

from __future__ import annotations

import pgqueue
from tests.hooks.travelling import user, who, who_async

pgqueue.travels(user, read=int)

__all__ = ["who", "who_async"]
