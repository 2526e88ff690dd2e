"""A message as a value: what all channels say, each in its own form. Its texts are clean and of bounded length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

RESOLVED, TEST = "resolved", "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What people are told. `what` is opened, again, resolved, digest or test; `facts` are names and short texts.

    `traceback` and `args` are of a sample job; `commands` what to type; `source` is which database says so.
    """

    key: str
    number: int
    kind: str
    what: str
    source: str
    at: datetime
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    args: str | None = None
    traceback: str | None = None
    commands: tuple[str, ...] = ()
    link: str | None = None

    @property
    def id(self) -> str:
        """The same however often it is sent: whoever receives it can drop what comes twice."""
        return f"{quote(self.key, safe='')}.{self.number}@pgqueue"

    @property
    def thread(self) -> str:
        """The same for all messages about one alert."""
        return f"{quote(self.key, safe='')}@pgqueue"

    @property
    def subject(self) -> str:
        """A line that says it all."""
        return f"[pgqueue {self.source}] {'Resolved: ' if self.what == RESOLVED else ''}{self.title}"

    @property
    def is_over(self) -> bool:
        """Whether it says that something is well again."""
        return self.what == RESOLVED


def as_text(message: Message) -> str:
    """For mail, and wherever text is read."""
    parts = [message.subject, "\n".join(f"{name}: {value}" for name, value in message.facts)]
    if message.args:
        parts.append(f"Arguments of one of them:\n{message.args}")
    if message.traceback:
        parts.append(f"Its traceback, the last lines:\n{message.traceback}")
    if message.commands:
        parts.append("What to do:\n" + "\n".join(f"  {command}" for command in message.commands))
    if message.link:
        parts.append(message.link)
    parts.append(f"{message.key} · {message.at:%Y-%m-%d %H:%M:%S %Z}")
    return "\n\n".join(part for part in parts if part) + "\n"
