"""The keys that this process encrypts and decrypts with, and whose jobs they are for.

Said by encrypt_with(), else by PGQUEUE_ENCRYPTION_KEYS and PGQUEUE_ENCRYPT, which are read when it is first asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple, Protocol, get_args

from pgqueue.errors import EncryptionError, OptionError
from pgqueue.keyring import Key, KeyKind, Keyring, KeySource

KEYS, WHOSE = "PGQUEUE_ENCRYPTION_KEYS", "PGQUEUE_ENCRYPT"
# Of all tasks but those that say encrypted=False; or of those alone that say encrypted=True.
Whose = Literal["all", "marked"]
WHOSES: tuple[str, ...] = get_args(Whose)


class Keys(Protocol):
    """Where keys are looked for: a KeySource, or a Keyring that never changes."""

    def keyring(self) -> Keyring:
        """The keys as they are now."""

    def find(self, key_id: str) -> Key | None:
        """The key of this id."""


class Encryption(NamedTuple):
    """Keys, and whose jobs they are for."""

    keys: Keys
    whose: Whose


class _Given:
    """A keyring that code has made."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def keyring(self) -> Keyring:
        """The keys."""
        return self._keyring

    def find(self, key_id: str) -> Key | None:
        """The key of this id."""
        return self._keyring.get(key_id)


# None: nothing is encrypted. Not there: nobody has asked yet.
_ours: list[Encryption | None] = []
# Not empty: nothing is to be decrypted.
_unread: list[bool] = []
# What tasks themselves say, by target.
_marked: dict[str, bool] = {}


def encrypt_with(keys: str | KeySource | Keyring | None, *, whose: Whose = "all") -> None:
    """Encrypt what is written of jobs in this process with these keys, and decrypt what was: in place of the variables.

    `keys` names their source, as "file:/etc/pgqueue/encryption.keys", "env:NAME" or "command:program"; None: no keys.
    `whose`: of all tasks but those with encrypted=False, or of those "marked" encrypted=True. Call it where producers
    and workers import it. Raises KeyringError if the keys cannot be read, and OptionError.
    """
    _ours[:] = [None if keys is None else _read(keys, whose)]


def encryption() -> Encryption | None:
    """That of this process; None if it has no keys. Raises KeyringError, OptionError for what the variables say."""
    if not _ours:
        said = os.environ.get(KEYS)
        _ours[:] = [_read(said, _whose(os.environ.get(WHOSE))) if said else None]
    return _ours[0]


def to_wire() -> tuple[str, str] | None:
    """What this process has, for a child of it, by a channel that is private to both; None: what its own code says."""
    ours = encryption()
    return (ours.keys.to_wire(), ours.whose) if ours is not None and isinstance(ours.keys, KeySource) else None


def hidden_variables() -> frozenset[str]:
    """The variables of the environment that hold keys: no child is to have them."""
    ours = encryption()
    found = ours.keys.variable if ours is not None and isinstance(ours.keys, KeySource) else None
    return frozenset() if found is None else frozenset({found})


def from_wire(said: Sequence[str] | None) -> None:
    """Encrypt as the worker does, whose to_wire() this is; None: as this process says itself."""
    if said is not None:
        source, whose = said
        encrypt_with(KeySource.from_wire(source), whose=_whose(whose))


@contextmanager
def unread() -> Iterator[None]:
    """Have nothing decrypted within, though keys are here: who looks on has not asked for it."""
    _unread.append(True)
    try:
        yield
    finally:
        _unread.pop()


def mark(target: str, encrypted: bool) -> None:
    """A task says of its own jobs whether they are encrypted."""
    _marked[target] = encrypted


def is_on() -> bool:
    """Whether anything is encrypted here at all."""
    return bool(_marked) or encryption() is not None


def is_encrypted(target: str) -> bool:
    """Whether what is written of the jobs of a target is to be."""
    said = _marked.get(target)
    return encrypts_all() if said is None else said


def encrypts_all() -> bool:
    """Whether what nobody says more of is to be."""
    ours = encryption()
    return ours is not None and ours.whose == "all"


def has_keys() -> bool:
    """Whether this process has keys."""
    return encryption() is not None


def writing_key() -> Key:
    """The key that encrypts now. Raises EncryptionError if there is none, KeyringError if none could ever be read."""
    ours = encryption()
    if ours is None:
        raise EncryptionError(f"there are no keys to encrypt with here; set {KEYS}, as to file:/etc/pgqueue/keys")
    keyring = ours.keys.keyring()
    if (key := keyring.current) is None or key.kind is not KeyKind.SECRET:
        raise EncryptionError(
            f"of the keys {', '.join(keyring.ids)} none encrypts: the first that has not expired must be a secret key"
        )
    return key


def key_ids() -> list[str]:
    """The ids of the keys that are here. Raises EncryptionError, KeyringError."""
    ours = encryption()
    return [] if ours is None else ours.keys.keyring().ids


def key_of(key_id: str) -> Key:
    """The key of this id. Raises EncryptionError if it is not here."""
    if _unread:
        raise EncryptionError(f"it is encrypted with the key {key_id!r:.60}", key_id)
    ours = encryption()
    found = None if ours is None else ours.keys.find(key_id)
    if ours is None or found is None or found.kind is not KeyKind.SECRET:
        have = "no keys are here" if ours is None else f"here are {', '.join(ours.keys.keyring().ids)}"
        raise EncryptionError(f"the key {key_id!r:.60} is not here: {have}; add it to {KEYS}", key_id)
    return found


def _read(keys: str | KeySource | Keyring, whose: Whose) -> Encryption:
    if whose not in WHOSES:
        raise OptionError(f"whose must be {' or '.join(WHOSES)}, got {whose!r:.80}")
    if isinstance(keys, Keyring):
        return Encryption(_Given(keys), whose)
    source = KeySource(keys) if isinstance(keys, str) else keys
    # At once: who says a source that cannot be read is told here, and not by the first job.
    source.keyring()
    return Encryption(source, whose)


def _whose(said: str | None) -> Whose:
    if said is None or said == "all":
        return "all"
    if said == "marked":
        return "marked"
    raise OptionError(f"{WHOSE} must be {' or '.join(WHOSES)}, got {said!r:.80}")
