"""Arguments in a form, or in an editor: secrets stand there as dots, and what is left as dots stays what it was."""

from __future__ import annotations

import json
from typing import Any

from pgqueue.errors import UsageError
from pgqueue.leaving_out import HIDDEN
from pgqueue.redaction import Redaction
from pgqueue.typed import arguments

Args = list[Any] | dict[str, Any]


def unmasked(typed: Args, original: str, target: str, redaction: Redaction) -> Args:
    """What was typed, with the secrets of the original where dots stand for them. Raises UsageError."""
    if HIDDEN not in _text(typed):
        return typed
    shown = redaction.of_args(target, original)
    if not shown.is_readable:
        raise UsageError(f"{HIDDEN} stands for nothing here: write the arguments whole")
    whole: Args = _filled(typed, json.loads(shown.text), arguments(original), "args")
    return whole


def _filled(typed: Any, shown: Any, original: Any, path: str) -> Any:
    if _text(typed) == _text(shown):
        return original
    if typed == HIDDEN:
        raise UsageError(f"{path}: {HIDDEN} stands for a secret that is not there; write the value")
    if isinstance(typed, dict):
        known, was = (shown, original) if isinstance(shown, dict) else ({}, {})
        return {key: _filled(each, known.get(key), was.get(key), f"{path}.{key}") for key, each in typed.items()}
    if isinstance(typed, list) and HIDDEN in _text(typed):
        # Which of them a secret belonged to cannot be told once they have moved.
        raise UsageError(
            f"{path}: a list that was changed cannot hold {HIDDEN}; write its secrets, or leave it as it was"
        )
    return typed


def _text(value: Any) -> str:
    # As text, since for Python True is 1.
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
