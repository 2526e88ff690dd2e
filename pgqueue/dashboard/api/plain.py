"""What a job was given, returned and labelled, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pgqueue.leaving_out import without
from pgqueue.redaction import Redacted, Redaction


def shown(told: Redacted) -> Any:
    """A value without its secrets; the text of one that cannot be read here."""
    return told.value if told.is_readable else told.text


def labels(said: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Labels without their secrets; what is no object stands under an empty name."""
    return dict(said)


def cleaned(value: Any, secrets: frozenset[str] | None) -> Any:
    """A value in whose texts none of the secrets stands; nothing of them where those are not known."""
    if isinstance(value, str):
        return without(value, secrets)
    if isinstance(value, dict):
        return {key: cleaned(each, secrets) for key, each in value.items()}
    return [cleaned(each, secrets) for each in value] if isinstance(value, list) else value


def labels_of(redaction: Redaction, said: Any) -> dict[str, str] | None:
    """Labels that were read already, without their secrets."""
    if said is None:
        return None
    return labels(redaction.labels(said if isinstance(said, str) else json.dumps(said)))
