"""How content that a codec wrote stands among JSON: `{"$codec": "fernet", "data": "..."}`, its data in base64."""

from __future__ import annotations

from typing import Any

CODEC, DATA = "$codec", "data"
# The argument by which a follow-up is told of the job that has ended: the database adds it beside the others.
ENDED = "ended"
_WHOLE = ({CODEC, DATA}, {CODEC, DATA, ENDED})


def codec_of(value: Any) -> str | None:
    """The name of the codec that wrote it; None if it is JSON like any other."""
    if isinstance(value, dict) and CODEC in value and value.keys() in _WHOLE:
        name = value[CODEC]
        # Numbers read exactly are texts, too; no name is one.
        return str(name) if isinstance(name, str) and isinstance(value[DATA], str) else None
    return None
