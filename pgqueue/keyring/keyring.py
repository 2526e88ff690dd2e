"""Several keys: one that writes, and all that read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgqueue.errors import KeyringError
from pgqueue.keyring.key import Key


class Keyring:
    """Keys in the order in which they were said. It never changes; who reads keys anew has another one."""

    __slots__ = ("_by_id", "_keys")

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self._keys = tuple(keys)
        self._by_id = {key.id: key for key in self._keys}
        if len(self._by_id) < len(self._keys):
            ids = [key.id for key in self._keys]
            twice = next(key_id for key_id in ids if ids.count(key_id) > 1)
            raise KeyringError(f"the key {twice} is there twice; each key has an id of its own")

    @property
    def current(self) -> Key | None:
        """The key that writes: the first that can, and has not expired."""
        return next((key for key in self._keys if key.writes and not key.expired()), None)

    @property
    def ids(self) -> list[str]:
        return list(self._by_id)

    def get(self, key_id: str) -> Key | None:
        """The key of this id, expired or not."""
        return self._by_id.get(key_id)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<keyring {', '.join(self._by_id) or 'without keys'}>"


NO_KEYS = Keyring()
