"""How a log line looks: text for people or JSON for machines, in one line of at most 8 KB, and nothing that steers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pgqueue.printable import as_json, cut, harmless_json, in_one_line

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# In bytes, with its end: what collectors of logs take as one line.
LINE_LIMIT = 8 * 1024
# Characters of one text; where a line is too long with the first it is made with the next.
TEXT_LIMITS = (2_000, 400, 80)
# What is kept of a line that is too long whatever its texts are cut to.
_TELLING = ("job", "target", "queue", "attempt", "outcome", "role")
# Of an attempt people see these by the words in front, and on the lines of the worker.
_FOR_MACHINES = ("outcome", "worker")
_IS_BARE = re.compile(r'[^ "=]+').fullmatch
_ENCODE = json.JSONEncoder(ensure_ascii=False, default=str).encode

Fields = dict[str, Any]


class LineStyle:
    """`text` or `json`; makes lines of that."""

    def __init__(self, style: str) -> None:
        self._write: Callable[[str, str, str, Fields], str] = _as_json if style == "json" else _as_text

    def line(self, time: str, level: str, message: str, fields: Mapping[str, Any]) -> str:
        """One line; what is too long is cut, and says so."""
        for limit in TEXT_LIMITS:
            line = self._write(time, level, cut(message, limit), _cut_all(fields, limit))
            if _fits(line):
                return line
        kept = {name: cut(str(fields[name]), TEXT_LIMITS[-1]) for name in _TELLING if name in fields}
        return self._write(time, level, cut(message, TEXT_LIMITS[-1]), kept)

    def dropped(self, lines: int) -> str:
        """The line about lines that nobody took."""
        return self.line(written(), "warning", "log lines dropped", {"lines": lines, "hint": "nobody took them"})


def written(at: float | None = None) -> str:
    """A time as lines have it: seconds since 1970, or now."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return moment.astimezone().isoformat(timespec="milliseconds")


def _cut_all(fields: Mapping[str, Any], limit: int) -> Fields:
    return {name: cut(value, limit) if isinstance(value, str) else value for name, value in fields.items()}


def _fits(line: str) -> bool:
    # No character takes more than four bytes.
    return len(line) <= LINE_LIMIT // 4 or len(line.encode("utf-8", "backslashreplace")) <= LINE_LIMIT


def _as_text(time: str, level: str, message: str, fields: Fields) -> str:
    if "attempt" in fields:
        fields = {name: value for name, value in fields.items() if name not in _FOR_MACHINES}
    rest = " ".join([f"{in_one_line(name)}={_quoted(str(value))}" for name, value in fields.items()])
    return f"{time} {level.upper():7} {in_one_line(message)}  {rest}\n"


def _quoted(text: str) -> str:
    return text if _IS_BARE(text) and text.isprintable() else as_json(text)


def _as_json(time: str, level: str, message: str, fields: Fields) -> str:
    return harmless_json(_ENCODE({"time": time, "level": level, "event": message, **fields})) + "\n"
