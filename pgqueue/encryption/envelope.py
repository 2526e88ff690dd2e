"""The bytes of an encrypted value: AES-256-GCM under a random key of its own, which the keyring's key wraps.

    version (1)  wrapped key (40)  length of the owner (2)  owner  ciphertext and tag (16)

Each value has a key of 256 random bits that encrypts nothing else, so no nonce can come twice under it, however many
values there are. It is wrapped by AES Key Wrap (RFC 3394), which takes no nonce and tells a wrong key. A rotation wraps
it anew and leaves the value alone. The owner is there to be read; it is authenticated with the value (places.py).
"""

from __future__ import annotations

import os
from enum import Enum
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.encryption.places import Owner, Place
from pgqueue.errors import EncryptionError
from pgqueue.keyring import Key

_VERSION = b"\x01"
_KEY, _WRAPPED, _TAG = 32, 40, 16
_HEAD = 1 + _WRAPPED + 2
# Behind what a rotation changes.
WRAPPED_END = 1 + _WRAPPED
# A value's key is used once.
_NONCE = bytes(12)


class Envelope(NamedTuple):
    """An encrypted value, taken apart."""

    wrapped: bytes
    owner: Owner
    content: bytes


class Fault(Enum):
    """Why a value cannot be had."""

    WRONG_KEY = "wrong key"  # another one has wrapped it
    NOT_AUTHENTIC = "not authentic"  # it was written for another place, or changed


def sealed(key: Key, plain: bytes, place: Place) -> bytes:
    """A value encrypted for one place."""
    ciphers = _ciphers()
    own = os.urandom(_KEY)
    owner = _owner_bytes(place.owner)
    content = ciphers.gcm(own).encrypt(_NONCE, plain, place.associated())
    return b"".join((_VERSION, ciphers.wrap(key.reveal(), own), len(owner).to_bytes(2, "big"), owner, content))


def taken_apart(data: bytes) -> Envelope:
    """The parts of what sealed() made. Raises EncryptionError."""
    if len(data) < _HEAD or data[:1] != _VERSION:
        raise EncryptionError("it was cut off, or a later version of pgqueue has written it", lasting=True)
    start = _HEAD + int.from_bytes(data[_HEAD - 2 : _HEAD], "big")
    if len(data) < start + _TAG:
        raise EncryptionError("it was cut off", lasting=True)
    return Envelope(data[1:WRAPPED_END], _read_owner(data[_HEAD:start]), data[start:])


def opened(key: Key, envelope: Envelope, place: Place) -> bytes | Fault:
    """The value. No frame that knows a key raises: who reports errors may show what frames know."""
    ciphers = _ciphers()
    try:
        own = ciphers.unwrap(key.reveal(), envelope.wrapped)
    except ciphers.not_wrapped:
        return Fault.WRONG_KEY
    try:
        plain: bytes = ciphers.gcm(own).decrypt(_NONCE, envelope.content, place.associated())
    except ciphers.not_authentic:
        return Fault.NOT_AUTHENTIC
    return plain


def wrapped_anew(data: bytes, old: Key, new: Key) -> bytes | Fault:
    """The same value, whose own key is wrapped by another one."""
    ciphers = _ciphers()
    try:
        own = ciphers.unwrap(old.reveal(), data[1:WRAPPED_END])
    except ciphers.not_wrapped:
        return Fault.WRONG_KEY
    return b"".join((data[:1], ciphers.wrap(new.reveal(), own), data[WRAPPED_END:]))


def _owner_bytes(owner: Owner) -> bytes:
    return b"j" + owner.bytes if isinstance(owner, UUID) else b"t" + owner.encode(errors="surrogatepass")


def _read_owner(said: bytes) -> Owner:
    try:
        return UUID(bytes=said[1:]) if said.startswith(b"j") else said[1:].decode(errors="surrogatepass")
    except ValueError:
        raise EncryptionError("nobody can tell whose it is", lasting=True) from None


class _Ciphers(NamedTuple):
    gcm: Any
    wrap: Any
    unwrap: Any
    not_wrapped: type[Exception]
    not_authentic: type[Exception]


@cache
def _ciphers() -> _Ciphers:
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
    except ImportError:
        raise EncryptionError(
            "encryption needs the extra encryption: pip install 'pgqueue-postgres[encryption]'"
        ) from None
    return _Ciphers(AESGCM, aes_key_wrap, aes_key_unwrap, InvalidUnwrap, InvalidTag)
