"""New keys, written into files that are this user's alone."""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from pgqueue.errors import KeyringError
from pgqueue.keyring.fetching import from_file
from pgqueue.keyring.key import KEY_BYTES
from pgqueue.keyring.keyring import NO_KEYS, Keyring
from pgqueue.keyring.reading import read_keyring


def add_secret(path: Path, key_id: str | None = None) -> str:
    """Add a new secret key to the file, which is made if there is none; answers its id. Raises KeyringError."""
    key_id = _free_id(path, key_id)
    _append(path, f"{key_id} = {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}  made {_today()}\n")
    return key_id


def add_pair(path: Path, public: Path, key_id: str | None = None) -> str:
    """Add a new Ed25519 key to the file, and its public half to the file `public`. Raises KeyringError."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            PublicFormat,
        )
    except ImportError:
        raise KeyringError("Ed25519 keys need the extra signing: pip install 'pgqueue-postgres[signing]'") from None
    if path.absolute() == public.absolute():
        raise KeyringError("the public half of a key goes to a file of its own, which workers may have")
    key_id = _free_id(public, _free_id(path, key_id))
    pair = Ed25519PrivateKey.generate()
    pem = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    half = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    # Those who only check know it before anybody signs with it.
    _append(public, f"{key_id} = pem  made {_today()}\n{half}")
    _append(path, f"{key_id} = pem  made {_today()}\n{pem}")
    return key_id


def _today() -> date:
    return datetime.now(UTC).date()


def _free_id(path: Path, wanted: str | None) -> str:
    known = _keys_in(path)
    if wanted is not None:
        if known.get(wanted):
            raise KeyringError(f"{path} has a key {wanted} already; give another --id, or none")
        return wanted
    day = _today().isoformat()
    return next(name for n in range(1, 1_000) if not known.get(name := day if n == 1 else f"{day}-{n}"))


def _keys_in(path: Path) -> Keyring:
    return read_keyring(from_file(str(path))) if path.exists() else NO_KEYS


def _append(path: Path, lines: str) -> None:
    """The whole file anew, put in its place at once: who reads it meanwhile reads the one or the other."""
    there = Path(os.path.realpath(path))
    before = from_file(str(there)) if there.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    read_keyring(before + lines)
    try:
        number, new = tempfile.mkstemp(prefix=f".{there.name}.", dir=there.parent)
    except OSError as error:
        raise KeyringError(f"no file can be made in {there.parent}: {error.strerror}") from None
    try:
        # mkstemp makes it 0600; it stays that of who had it, also where root adds a key.
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(before + lines)
            if before:
                os.fchown(file.fileno(), there.stat().st_uid, there.stat().st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, there)
    except OSError as error:
        os.unlink(new)
        raise KeyringError(f"{there} cannot be written: {error.strerror}") from None
