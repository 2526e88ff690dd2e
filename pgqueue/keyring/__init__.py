"""Secret keys with ids, by which jobs are signed or encrypted: the first of a keyring writes, all of them read.

A new key takes the place of an old one without a gap: add it below, have all processes read it, move it to the top,
and take the old one out once nothing needs it any more.
"""

from pgqueue.keyring.key import Key, KeyKind
from pgqueue.keyring.keyring import NO_KEYS, Keyring
from pgqueue.keyring.source import KeySource

__all__ = ["NO_KEYS", "Key", "KeyKind", "KeySource", "Keyring"]
