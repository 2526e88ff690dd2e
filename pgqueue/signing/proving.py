"""The two algorithms. Which one is the key's matter alone: what stands in a row never chooses."""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from pgqueue.errors import KeyringError
from pgqueue.keyring import Key, KeyKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def prove(key: Key, content: bytes) -> bytes:
    """A signature: HMAC-SHA256 (RFC 2104) by a secret key, Ed25519 (RFC 8032) by a private one. Raises KeyringError."""
    if key.kind is KeyKind.SECRET:
        return hmac.digest(key.reveal(), content, "sha256")
    return _private(key).sign(content)


def is_proven(key: Key, content: bytes, signature: bytes) -> bool:
    """Whether the signature is one of this key. Raises KeyringError if Ed25519 is not there."""
    if key.kind is KeyKind.SECRET:
        return hmac.compare_digest(hmac.digest(key.reveal(), content, "sha256"), signature)
    public = _public(key)
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(signature, content)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=100)
def _private(key: Key) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise _missing() from None
    return Ed25519PrivateKey.from_private_bytes(key.reveal())


@lru_cache(maxsize=100)
def _public(key: Key) -> Ed25519PublicKey:
    if key.kind is KeyKind.PRIVATE:
        return _private(key).public_key()
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise _missing() from None
    return Ed25519PublicKey.from_public_bytes(key.reveal())


def _missing() -> KeyringError:
    return KeyringError("keys of Ed25519 need the extra signing: pip install 'pgqueue-postgres[signing]'")
