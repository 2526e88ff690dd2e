"""Where keys come from, `file:/etc/pgqueue/keys`, `env:NAME` or `command:vault read ...`, and when they are read anew.

A file is read anew when it has changed, which is asked each second at most; a command runs again each ten minutes. An
id that nobody knows has both read anew at once, but not more often than each five seconds: whoever may write rows
could ask for it without end.
"""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import NoReturn, Self

from pgqueue.errors import KeyringError
from pgqueue.keyring.fetching import from_command, from_environment, from_file, mark_of
from pgqueue.keyring.key import Key
from pgqueue.keyring.keyring import Keyring
from pgqueue.keyring.reading import read_keyring

# Seconds.
_LOOK, _RUN_AGAIN, _ASK_AGAIN = 1.0, 600.0, 5.0
_GIVEN = "given"
_log = logging.getLogger("pgqueue.keyring")


class KeySource:
    """A keyring that is kept up to date. Any thread may ask; what cannot be read later leaves the keys as they were."""

    def __init__(self, said: str) -> None:
        """Nothing is read yet. Raises KeyringError for a source of no known kind."""
        self._kind, _, self._rest = said.partition(":")
        if self._kind not in ("file", "env", "command") or not self._rest:
            raise KeyringError(
                "keys come from file:/path, env:NAME or command:program; what was said is none of these,"
                " and is not shown, since it may be the keys themselves"
            )
        self._lock = threading.Lock()
        self._keyring: Keyring | None = None
        self._mark: object = None
        self._look_at = self._ask_at = 0.0
        self._fault = ""

    @classmethod
    def from_wire(cls, said: str) -> Self:
        """The source that to_wire() was asked of."""
        kind, _, rest = said.partition(":")
        if kind != _GIVEN:
            return cls(said)
        source = cls("env:PGQUEUE")
        source._kind, source._rest = kind, rest
        return source

    def to_wire(self) -> str:
        """The same source for a child process, by a channel that is private to both: what a variable holds is in it."""
        return f"{_GIVEN}:{from_environment(self._rest)}" if self._kind == "env" else f"{self._kind}:{self._rest}"

    def keyring(self) -> Keyring:
        """The keys as they are now. Raises KeyringError if they could never be read."""
        if self._keyring is None:
            return self.reload()
        if monotonic() >= self._look_at:
            self._look()
        return self._keyring

    def find(self, key_id: str) -> Key | None:
        """The key of this id; one that is not known is looked for in what the source says now."""
        found = self.keyring().get(key_id)
        if found is None and monotonic() >= self._ask_at:
            self._ask_at = monotonic() + _ASK_AGAIN
            self._try_again()
            found = self.keyring().get(key_id)
        return found

    def reload(self) -> Keyring:
        """Read the keys now. Raises KeyringError; the keys are then as they were."""
        with self._lock:
            mark = self._marked()
            found = self._fresh()
            # Raised here: the frames of what read them know the text, and who reports errors may show what frames know.
            if isinstance(found, str):
                raise KeyringError(found)
            self._keyring, self._mark, self._fault = found, mark, ""
            self._put_off()
            return found

    @property
    def name(self) -> str:
        """How messages name it: a command without its words, which may hold a secret."""
        match self._kind:
            case "command":
                return "the keys of a command"
            case "given":
                return "the keys of the worker"
            case _:
                return f"the keys of {self._kind}:{self._rest}"

    @property
    def variable(self) -> str | None:
        """The variable of the environment that holds the keys, if one does: no other process needs to have it."""
        return self._rest if self._kind == "env" else None

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a source of keys is neither pickled nor copied")

    def _look(self) -> None:
        self._put_off()
        if self._kind == "command" or (self._kind == "file" and self._marked() != self._mark):
            self._try_again()

    def _put_off(self) -> None:
        self._look_at = monotonic() + (_LOOK if self._kind == "file" else _RUN_AGAIN)

    def _try_again(self) -> None:
        try:
            self.reload()
        except KeyringError as error:
            if self._fault != str(error):
                _log.warning("%s; the keys that were read before stay in use", error)
            self._fault = str(error)

    def _marked(self) -> object:
        return mark_of(self._rest) if self._kind == "file" else None

    def _fresh(self) -> Keyring | str:
        """The keys, or what is wrong with them."""
        try:
            match self._kind:
                case "file":
                    text = from_file(self._rest)
                case "env":
                    text = from_environment(self._rest)
                case "command":
                    text = from_command(self._rest)
                case _:
                    text = self._rest
        except KeyringError as error:
            return str(error)
        try:
            return read_keyring(text)
        except KeyringError as error:
            return f"{self.name}: {error}"
