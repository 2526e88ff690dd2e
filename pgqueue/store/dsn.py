"""A DSN: what it says to libpq, and what of it may be shown.

A password whose special characters were not encoded falls apart: libpq takes pieces of it for a host, a port or a
database, and names them in its errors. So nothing of a DSN that does not read well is shown, and neither is what
libpq says about it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgqueue.errors import DatabaseUnreachable

SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_URI = re.compile(r"postgres(?:ql)?://")
# What libpq says, without the piece that it quotes; and what that means.
_FAULTS = {
    'missing "="': "a word of it has no = behind it",
    "percent-encoded token": "a % in it begins no code of two digits",
    "forbidden value %00": "%00 stands for no character",
    "unterminated quoted string": "a quote in it is not closed",
    "invalid URI query parameter": "it names a parameter that libpq does not know",
    "invalid connection option": "it names a parameter that libpq does not know",
    'key/value separator "="': "a parameter behind its ? has no value, or two",
    "unexpected spaces": "a blank stands in it",
    "IPv6": "an address in [] does not end well",
    "definition of service": "its service is not defined in the service file",
    "service file": "its service file cannot be read",
}
_CURE = (
    "it reads like postgresql://user:password@host/database, with special characters of the password percent-encoded (@"
    " is %40, / is %2F, : is %3A, ? is %3F, # is %23, % is %25), or like host=... password='...'"
)


def read(dsn: str) -> dict[str, Any]:
    """The parameters that a DSN names. Raises DatabaseUnreachable, which shows nothing of it."""
    if not isinstance(dsn, str):
        raise DatabaseUnreachable(f"the DSN must be a text, got {type(dsn).__name__}")
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error as error:
        raise DatabaseUnreachable(_unreadable(dsn, _fault(str(error)))) from None
    except UnicodeError:
        raise DatabaseUnreachable(_unreadable(dsn, "it holds what is no text in UTF-8")) from None
    if "\0" in dsn:
        raise DatabaseUnreachable(_unreadable(dsn, "it holds a NUL"))
    if fault := _doubt(dsn, given):
        raise DatabaseUnreachable(_unreadable(dsn, fault))
    return given


def with_password(dsn: str) -> str:
    """The DSN with the password of the variable PGPASSWORD, if it names none: for a process without that variable.

    An empty one, which names no database, stays as it is.
    """
    password = os.environ.get("PGPASSWORD")
    return dsn if not dsn or not password or read(dsn).get("password") else make_conninfo(dsn, password=password)


def place_of(given: Mapping[str, Any]) -> str:
    """Where parameters lead, for people: host, port and database."""
    host = given.get("host") or given.get("hostaddr") or "the local socket"
    return f"{host}:{given.get('port', 5432)}/{given.get('dbname', '')}"


def has_secret(dsn: str) -> bool:
    """Whether a secret stands in a DSN; of one that cannot be read it is assumed."""
    if dsn.startswith("embedded:"):
        return False
    try:
        given = read(dsn)
    except DatabaseUnreachable:
        return True
    return any(given.get(name) for name in SECRETS)


def betrays(text: str, given: Mapping[str, Any], secrets: Collection[str]) -> bool:
    """Whether a text holds one of the secrets, beside where it is shown anyhow as a name of something else."""
    shown = {str(value) for name, value in given.items() if name not in SECRETS}
    return any(secret in text and not any(secret in value for value in shown) for secret in secrets)


def _unreadable(dsn: str, fault: str) -> str:
    if dsn.startswith("embedded:"):
        return (
            "the DSN embedded: is understood by pgqueue.connect(), Task.delay(), Worker and the command pgqueue; for"
            " others `with pgqueue.embedded.open(dsn) as database:` has database.dsn"
        )
    if re.match(r"\w+\+\w+://", dsn):
        return "the DSN cannot be read: it begins with a driver of SQLAlchemy's; write postgresql://, without +driver"
    return f"the DSN cannot be read: {fault}; {_CURE}"


def _fault(said: str) -> str:
    return next((fault for part, fault in _FAULTS.items() if part in said), "libpq refuses it")


def _doubt(dsn: str, given: Mapping[str, Any]) -> str | None:
    """Why a DSN that libpq can read was hardly meant so: a piece of its password is taken for something else."""
    named = {name: str(given.get(name, "")) for name in ("host", "hostaddr", "port", "dbname")}
    if any("@" in named[name] for name in ("host", "hostaddr", "port")):
        return "its host holds an @"
    if any("://" in value for value in named.values()):
        return "its host or dbname is a URI; give that alone"
    if not all(port.strip().isdecimal() for port in named["port"].split(",") if port):
        return "its port is no number"
    if uri := _URI.match(dsn):
        return _doubt_of_uri(dsn[uri.end() :])
    return None


def _doubt_of_uri(rest: str) -> str | None:
    # As libpq parts it: the first @ before the first / ends the user's part; / or ? ends the hosts.
    before_path = rest.partition("/")[0]
    if "@" in before_path:
        rest = rest.partition("@")[2]
    hosts = re.split(r"[/?]", rest, maxsplit=1)[0]
    path = rest[len(hosts) :].partition("?")[0]
    if "@" in hosts or "@" in path:
        return "it has an @ more than one expects"
    if any(not re.fullmatch(r"(\[[^]]*\]|[^:[]*)(:[0-9]*)?", host) for host in hosts.split(",")):
        return "a port in it is no number"
    return None
