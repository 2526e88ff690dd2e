"""Actions in the description of the API: their fields as what a program sends."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.actions.action import Action
from pgqueue.dashboard.api.acts import is_needed
from pgqueue.dashboard.fields import REASON, Field


def body_of(action: Action) -> dict[str, Any]:
    """The body of an action's request."""
    fields = [*action.fields, REASON]
    required = [field.name for field in fields if is_needed(field)]
    schema = {"type": "object", "properties": {field.name: _schema(field) for field in fields}}
    said = {**schema, "required": required} if required else schema
    return {"required": bool(required), "content": {"application/json": {"schema": said}}}


def _schema(field: Field) -> dict[str, Any]:
    hint = ": ".join(filter(None, (field.label, field.hint)))
    if field.kind == "json":
        return {"type": ["array", "object", "null"], "description": hint}
    if field.kind == "many":
        return {"type": "array", "items": {"type": "string"}, "description": hint}
    if field.choices:
        return {"enum": [value for value, _ in field.choices], "description": hint}
    return {"type": ["string", "number", "boolean", "null"], "description": hint}
