"""Whether this process signs what it enqueues: as sign_with() said, else as the variable PGQUEUE_SIGNING_KEYS does."""

from __future__ import annotations

import os
import threading

from pgqueue.keyring import KeySource
from pgqueue.signing.signer import Signer

VARIABLE = "PGQUEUE_SIGNING_KEYS"


class _Configured:
    """The signer, once it is known whether there is one. The lock guards that it is asked for once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_known = False
        self.signer: Signer | None = None


_configured = _Configured()


def sign_with(keys: str | KeySource | None, *, tenants: bool = False) -> None:
    """Sign every job that this process enqueues from now on with the first key of `keys`; None: sign none.

    With `tenants` each is bound to the tenant for which its session acts: one more question a call.

    `keys` says where they are: `file:/etc/pgqueue/signing.keys`, `env:NAME` or `command:program`. Without a call it is
    the variable PGQUEUE_SIGNING_KEYS that says so. Raises KeyringError if they cannot be read.
    """
    source = KeySource(keys) if isinstance(keys, str) else keys
    if source is not None:
        source.keyring()
    with _configured.lock:
        _configured.signer = None if source is None else Signer(source, tenants=tenants)
        _configured.is_known = True


def sign_as_told(said: str | None) -> None:
    """In a child: sign with the keys of its worker, as that told by KeySource.to_wire(); None: it has none."""
    if said is not None:
        sign_with(KeySource.from_wire(said))


def signer() -> Signer | None:
    """What signs the jobs of this process; None: nothing does. Raises KeyringError if the keys cannot be read."""
    return _configured.signer if _configured.is_known else _found()


def hidden_variables() -> frozenset[str]:
    """The variables of the environment that hold keys: no child is to have them."""
    known = signer()
    found = None if known is None else known.source.variable
    return frozenset() if found is None else frozenset({found})


def _found() -> Signer | None:
    with _configured.lock:
        if not _configured.is_known:
            said = os.environ.get(VARIABLE)
            found = Signer(KeySource(said)) if said else None
            if found is not None:
                found.source.keyring()
            _configured.signer, _configured.is_known = found, True
        return _configured.signer
