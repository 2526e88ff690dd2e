"""Why a message was not sent. No text of these holds an address, a password or what a server answered at length."""

from __future__ import annotations

from pgqueue.errors import PgqueueError


class NotSentError(PgqueueError):
    """A channel did not take a message; it is tried again."""
