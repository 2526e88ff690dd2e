"""Keys that are no secret."""

from __future__ import annotations

import base64


def secret_line(key_id: str, more: str = "") -> str:
    """A line of a file of keys: a key made of its id, always the same."""
    content = (key_id.encode() * 32)[:32]
    return f"{key_id} = {base64.b64encode(content).decode()} {more}\n"
