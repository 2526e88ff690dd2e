"""When idle workers are told of a new job, as an option."""

from __future__ import annotations

from enum import StrEnum


class Telling(StrEnum):
    """When a NOTIFY is sent."""

    ALWAYS = "always"
    IDLE = "idle"
    OFF = "off"
