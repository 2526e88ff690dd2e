"""What only the worker says, by its environment: passwords, secret addresses, commands, and networks of its own.

A channel is a row of a table, and names these by variables that begin with PGQUEUE_ALERT_: whoever may write the table
can neither have a worker run a command, nor have it send another secret of its environment somewhere.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from pgqueue.errors import OptionError

PREFIX = "PGQUEUE_ALERT_"
# Networks, by commas, to which webhooks may go although they are private.
ALLOWED = "PGQUEUE_ALERT_ALLOW_PRIVATE"
_NAME = re.compile(rf"{PREFIX}[A-Z0-9_]{{1,80}}\Z")


def check_name(option: str, name: str) -> str:
    """The name of such a variable. Raises OptionError for any other."""
    if not _NAME.match(name) or name == ALLOWED:
        raise OptionError(
            f"{option} must name a variable that begins with {PREFIX}, in capital letters, got {name!r}; workers have"
            " its value, and the database never does"
        )
    return name


def said(name: str) -> str:
    """The value of such a variable. Raises OptionError if it may not be asked for, or this worker has none."""
    value = os.environ.get(check_name("a channel", name), "")
    if not value.strip():
        raise OptionError(f"this worker has no variable {name}; set it where workers run that serve pgqueue.alerts")
    return value.strip()


def allowed_networks() -> list[IPv4Network | IPv6Network]:
    """The private networks to which webhooks may go. Raises OptionError if one cannot be read."""
    try:
        return [ip_network(part.strip()) for part in os.environ.get(ALLOWED, "").split(",") if part.strip()]
    except ValueError as error:
        raise OptionError(f"{ALLOWED} must be networks such as 10.0.0.0/8, by commas: {error}") from None
