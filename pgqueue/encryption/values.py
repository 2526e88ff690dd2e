"""Values as they stand in the database: among JSON as what a codec wrote, `{"$codec": "encrypted:KEY", "data": ...}`.

In columns that are plain texts, as an error's, stands the text of that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

from pgqueue.encryption.envelope import WRAPPED_END, Envelope, Fault, opened, sealed, taken_apart, wrapped_anew
from pgqueue.encryption.places import Owner, Place
from pgqueue.encryption.settings import key_of, writing_key
from pgqueue.errors import EncryptionError
from pgqueue.sealed import CODEC, DATA, codec_of

PREFIX = "encrypted:"
_START = f'{{"{CODEC}":"{PREFIX}'
_WRONG = "another key than the {!r:.60} that is here has encrypted it, or it was changed; mend the keys"
# Of JSON, or of JSON in a text that is in JSON.
_QUOTE = r'\\{0,7}"'
# As it stands among JSON, where PostgreSQL may have put spaces.
_IN_JSON = re.compile(
    rf"(?P<start>{_QUOTE}\{CODEC}{_QUOTE}: ?{_QUOTE}{PREFIX})(?P<key>[\w.-]{{1,40}})"
    rf"(?P<middle>{_QUOTE}, ?{_QUOTE}{DATA}{_QUOTE}: ?{_QUOTE})(?P<data>[A-Za-z0-9+/=]*)(?P<end>{_QUOTE})"
)
# As it may stand in the middle of a text, whatever was cut off.
_IN_TEXT = re.compile(
    rf"\{{\s*{_QUOTE}\{CODEC}{_QUOTE}:\s*{_QUOTE}{PREFIX}([\w.-]{{1,40}}){_QUOTE}"
    rf'(?:,\s*{_QUOTE}{DATA}{_QUOTE}:\s*{_QUOTE}[^"\\]*)?(?:{_QUOTE})?(?:\s*\}})?'
)


def encrypted(text: str, place: Place) -> str:
    """A text as it stands in the database. Raises EncryptionError, KeyringError."""
    key = writing_key()
    data = sealed(key, text.encode(errors="surrogatepass"), place)
    return f'{_START}{key.id}","{DATA}":"{base64.b64encode(data).decode()}"}}'


def key_id_of(value: Any) -> str | None:
    """The id of the key that encrypted a JSON value; None if it is not encrypted."""
    name = codec_of(value)
    return name.removeprefix(PREFIX) if name is not None and name.startswith(PREFIX) else None


def is_encrypted_text(text: str | None) -> bool:
    """Whether a plain text is one that was encrypted."""
    return text is not None and text.startswith(_START)


def owner_of(value: Any) -> Owner:
    """Whose an encrypted value says it is; decrypted() tells whether that is true. Raises EncryptionError."""
    return _envelope(value, key_id_of(value) or "").owner


def decrypted(value: Any, place: Place) -> Any:
    """A JSON value as it was before it was encrypted; itself if it was not. Raises EncryptionError."""
    if key_id_of(value) is None:
        return value
    text = decrypted_json(value, place)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise EncryptionError("what was encrypted is no JSON", lasting=True) from None


def decrypted_json(value: Any, place: Place) -> str:
    """The text that an encrypted JSON value was. Raises EncryptionError."""
    key_id = key_id_of(value) or ""
    envelope = _envelope(value, key_id)
    if envelope.owner != place.owner:
        was, here = _named(envelope.owner), _named(place.owner)
        raise EncryptionError(f"it was encrypted for {was}, and stands at {here}: it was moved", key_id, lasting=True)
    plain = opened(key_of(key_id), envelope, place)
    if plain is Fault.WRONG_KEY:
        raise EncryptionError(_WRONG.format(key_id), key_id)
    if isinstance(plain, Fault):
        raise EncryptionError(
            f"it is not what was encrypted there as {place.kind}: it was changed, or moved there", key_id, lasting=True
        )
    return plain.decode(errors="surrogatepass")


def decrypted_text(text: str | None, place: Place) -> str | None:
    """A text as it was before it was encrypted, with what stands in front of it; itself if it was not.

    Raises EncryptionError.
    """
    start = -1 if text is None else text.find(_START)
    if text is None or start < 0:
        return text
    try:
        value = json.loads(text[start:])
    except ValueError:
        return text
    return text if key_id_of(value) is None else text[:start] + decrypted_json(value, place)


def rewrapped(text: str, old: Collection[str]) -> str:
    """A text in which what is encrypted with old keys is wrapped by the one that writes now; all else stays as it was.

    Nothing of it is decrypted. What no key has written, or was changed, stays as it is. Raises EncryptionError for want
    of a key.
    """
    key = writing_key()

    def anew(found: re.Match[str]) -> str:
        key_id = found["key"]
        if key_id not in old:
            return found[0]
        old_key = key_of(key_id)
        try:
            new = wrapped_anew(_bytes(found["data"], key_id), old_key, key)
        except EncryptionError:
            return found[0]
        if isinstance(new, Fault):
            return found[0]
        data = base64.b64encode(new).decode()
        return f"{found['start']}{key.id}{found['middle']}{data}{found['end']}"

    return _IN_JSON.sub(anew, text)


def unwrapped(text: str) -> str:
    """A text as it is whatever keys have come and gone: without what rewrapped() changes. For whoever signs it."""

    def bare(found: re.Match[str]) -> str:
        try:
            content = base64.b64encode(_bytes(found["data"], found["key"])[WRAPPED_END:]).decode()
        except EncryptionError:
            return found[0]
        return f"{found['start']}{found['middle']}{content}{found['end']}"

    return _IN_JSON.sub(bare, text) if PREFIX in text else text


def readable(text: str | None, place: Place) -> str | None:
    """As decrypted_text(); where that cannot be, as people are shown it."""
    try:
        return decrypted_text(text, place)
    except EncryptionError:
        return in_words(text or "")


def shown(key_id: str) -> str:
    """What people are shown of an encrypted value."""
    return f"(encrypted, key {key_id})"


def in_words(text: str) -> str:
    """A text for people: without what is encrypted in it, which is told of."""
    return _IN_TEXT.sub(lambda found: shown(found[1]), text) if PREFIX in text else text


def shown_value(value: Any) -> Any:
    """A value for people, or for a program that prints it: what is encrypted is told of."""
    if isinstance(value, str):
        return in_words(value)
    if (key_id := key_id_of(value)) is not None:
        return shown(key_id)
    if isinstance(value, dict):
        return {name: shown_value(each) for name, each in value.items()}
    return [shown_value(each) for each in value] if isinstance(value, list) else value


def _envelope(value: Any, key_id: str) -> Envelope:
    return taken_apart(_bytes(value[DATA], key_id))


def _bytes(data: str, key_id: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        raise EncryptionError("it was cut off, or is no base64", key_id, lasting=True) from None


def _named(owner: Owner) -> str:
    return f"job {owner}" if isinstance(owner, UUID) else f"jobs of {owner}"
