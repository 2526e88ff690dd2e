"""Channels: from what a row says to what delivers; and what must be right about it before it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pgqueue.alerting.command import Command
from pgqueue.alerting.environment import check_name
from pgqueue.alerting.errors import NotSentError
from pgqueue.alerting.mail import Mail, address
from pgqueue.alerting.message import Message
from pgqueue.alerting.templates import TEMPLATES
from pgqueue.alerting.webhook import Webhook, split
from pgqueue.errors import OptionError

KINDS = ("smtp", "webhook", "command")
TLS = ("starttls", "tls", "none")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}\Z")
_TEXTS = (
    "template", "url", "url_env", "secret_env", "key_env", "host", "sender", "tls", "user", "password_env",
    "command_env", "link",
)  # fmt: skip


class Channel(Protocol):
    """What carries a message to people."""

    def deliver(self, message: Message) -> None:
        """Send it. Raises NotSentError, OptionError."""


def channel_of(kind: str, settings: Mapping[str, Any]) -> Channel:
    """The channel of a row, which may have been written by any hand. Raises OptionError."""
    check_settings(kind, settings)
    given = {name: value for name, value in settings.items() if name != "link"}
    try:
        if kind == "smtp":
            return Mail(**given)
        return Webhook(**given) if kind == "webhook" else Command(**given)
    except TypeError as error:
        raise OptionError(f"a channel of kind {kind} is not set so: {error}") from None


def check_channel(name: str, kind: str, settings: Mapping[str, Any]) -> None:
    """Raise OptionError unless a channel may be written so."""
    if not _NAME.match(name):
        raise OptionError(f"a channel's name is of letters, digits, '_', '.' and '-', 60 at most, got {name!r}")
    channel_of(kind, settings)


def check_settings(kind: str, settings: Mapping[str, Any]) -> None:
    """Raise OptionError unless a channel of this kind can be set so."""
    if kind not in KINDS:
        raise OptionError(f"a channel is one of {', '.join(KINDS)}, got {kind!r}")
    for name, value in settings.items():
        if name in _TEXTS and not (value is None or isinstance(value, str)):
            raise OptionError(f"{name} must be a text, got {value!r}")
        if name.endswith("_env") and value is not None:
            check_name(name, value)
    link = settings.get("link")
    if link is not None and not link.startswith(("https://", "http://")):
        raise OptionError(f"a link begins with https:// or http://, got {link!r}")
    {"smtp": _check_smtp, "webhook": _check_webhook, "command": _check_command}[kind](settings)


def _check_smtp(settings: Mapping[str, Any]) -> None:
    to = settings.get("to")
    if not isinstance(to, Sequence) or isinstance(to, str) or not to:
        raise OptionError("mail needs at least one address that it goes to (--to)")
    for each in (settings.get("sender"), *to):
        try:
            address(str(each))
        except (ValueError, IndexError):
            raise OptionError(f"{each!r} is no address of mail, such as ann@example.com") from None
    port = settings.get("port", 587)
    if not settings.get("host") or not isinstance(port, int) or not 0 < port < 65536:
        raise OptionError("mail needs a server: --host, and a --port from 1 to 65535")
    if settings.get("tls", "starttls") not in TLS:
        raise OptionError(f"tls is one of {', '.join(TLS)}, got {settings['tls']!r}")


def _check_webhook(settings: Mapping[str, Any]) -> None:
    template = settings.get("template", "generic")
    if template not in TEMPLATES:
        raise OptionError(f"a template is one of {', '.join(TEMPLATES)}, got {template!r}")
    url, url_env = settings.get("url"), settings.get("url_env")
    if url and url_env:
        raise OptionError("give a webhook --url or --url-env, not both")
    if template == "pagerduty" and not settings.get("key_env"):
        raise OptionError("PagerDuty needs its routing key: --key-env names the variable that has it")
    if not url and not url_env and template != "pagerduty":
        raise OptionError("a webhook needs --url, or --url-env, which names the variable that has it")
    if url:
        try:
            split(url)
        except NotSentError as error:
            raise OptionError(str(error)) from None


def _check_command(settings: Mapping[str, Any]) -> None:
    if not settings.get("command_env"):
        raise OptionError("a command needs --command-env, which names the variable that has it")
