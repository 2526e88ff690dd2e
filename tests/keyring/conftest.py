"""Files of keys, and keys that are no secret."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


def secret(letter: str) -> str:
    """32 bytes in base64, always the same ones."""
    return base64.b64encode(letter.encode() * 32).decode()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of keys: `write("a = ...")`."""

    def write(text: str, mode: int = 0o600, name: str = "keys") -> Path:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return path

    return write
