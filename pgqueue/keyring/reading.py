"""Keys as a text has them.

# The first key writes, all of them read.
2026-11 = 5vK1...=  made 2026-11-02
2026-05 = m0aW...=  made 2026-05-04  not-after 2027-01-31
signer  = pem
-----BEGIN PRIVATE KEY-----
...
-----END PRIVATE KEY-----
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from pgqueue.errors import KeyringError
from pgqueue.keyring.key import Key, KeyKind
from pgqueue.keyring.keyring import Keyring

# A keyring holds the keys of a few rotations; each one is tried by its id alone.
MOST_KEYS = 100
_LINE = re.compile(r"(?P<id>[^\s=]+)\s*=\s*(?P<value>\S+)(?P<words>(\s+\S+\s+\S+)*)")
_BEGIN = re.compile(r"-----BEGIN ([A-Z ]+)-----")
# All that stands in front of the 32 bytes in DER: RFC 8410, sections 7 and 4.
_DER = {
    "PRIVATE KEY": (KeyKind.PRIVATE, bytes.fromhex("302e020100300506032b657004220420")),
    "PUBLIC KEY": (KeyKind.PUBLIC, bytes.fromhex("302a300506032b6570032100")),
}


def read_keyring(text: str) -> Keyring:
    """The keys of a text. Raises KeyringError, whose message shows nothing of a key; its frames do.

    In a single line, as of a variable, keys are parted by semicolons.
    """
    keys = list(_keys(text))
    if len(keys) > MOST_KEYS:
        raise KeyringError(f"there are {len(keys)} keys, of which {MOST_KEYS} may be; take old ones out")
    if not keys:
        raise KeyringError("there is no key; make one: pgqueue keys new")
    return Keyring(keys)


def _keys(text: str) -> Iterator[Key]:
    lines = iter(enumerate(text.splitlines() if "\n" in text.strip() else text.split(";"), 1))
    for number, line in lines:
        said = line.partition("#")[0].strip()
        if not said:
            continue
        if _BEGIN.match(said):
            raise KeyringError(f"line {number} begins a key whose id is not said; put a line before it: my-key = pem")
        if not (found := _LINE.fullmatch(said)):
            raise KeyringError(f"line {number} must read: id = base64, and may end with: not-after 2027-01-31")
        made, not_after = _moments(found["words"].split(), number)
        if found["value"] == "pem":
            kind, content = _pem(lines, number)
        else:
            kind, content = KeyKind.SECRET, _base64(found["value"], f"line {number}")
        yield Key(found["id"], kind, content, made=made, not_after=not_after)


def _pem(lines: Iterator[tuple[int, str]], number: int) -> tuple[KeyKind, bytes]:
    begin = _BEGIN.fullmatch(next(lines, (0, ""))[1].strip())
    if begin is None or begin[1] not in _DER:
        raise KeyringError(
            f"behind line {number} must come -----BEGIN PRIVATE KEY----- or -----BEGIN PUBLIC KEY-----, of an Ed25519"
            " key without a passphrase: openssl genpkey -algorithm ed25519"
        )
    body = []
    for _, line in lines:
        if line.strip() == f"-----END {begin[1]}-----":
            break
        body.append(line.strip())
    kind, prefix = _DER[begin[1]]
    content = _base64("".join(body), f"the key of line {number}")
    if not content.startswith(prefix):
        raise KeyringError(f"the key of line {number} is none of Ed25519; make one: openssl genpkey -algorithm ed25519")
    return kind, content[len(prefix) :]


def _base64(text: str, which: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyringError(f"{which} holds no base64; make a key: pgqueue keys new") from None


def _moments(words: Sequence[str], number: int) -> tuple[datetime | None, datetime | None]:
    """When it was made, and until when it is used: to the end of that day, in UTC."""
    said = {word: _moment(word, text, number) for word, text in zip(words[::2], words[1::2], strict=True)}
    return said.get("made"), said.get("not-after")


def _moment(word: str, text: str, number: int) -> datetime:
    if word not in ("made", "not-after"):
        raise KeyringError(f"line {number}: behind a key stand made and not-after, got {word!r:.40}")
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = datetime.combine(datetime.fromisoformat(text), time(), UTC)
            return day + timedelta(days=1) if word == "not-after" else day
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise KeyringError(f"line {number}: {word} must be a day, as 2027-01-31, got {text!r:.40}") from None
    if moment.tzinfo is None:
        raise KeyringError(f"line {number}: {word} needs a time zone, got {text!r:.40}; write 2027-01-31T12:00:00Z")
    return moment
