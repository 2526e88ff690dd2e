"""Codecs: arguments and results written in another way than JSON, which the database has sealed (sealed.py).

pgqueue.register_codec("fernet", fernet.encrypt, fernet.decrypt)
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pgqueue import encryption
from pgqueue.codec import encode, encode_args, load
from pgqueue.errors import CodecError, EncryptionError, OptionError
from pgqueue.job import Args
from pgqueue.options import check_choice, check_name
from pgqueue.sealed import CODEC, DATA, codec_of


@dataclass(frozen=True, slots=True)
class _Codec:
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    takes: Literal["json", "values"]


_codecs: dict[str, _Codec] = {}


def register_codec(
    name: str,
    encode: Callable[[Any], bytes],
    decode: Callable[[bytes], Any],
    *,
    takes: Literal["json", "values"] = "json",
) -> None:
    """Have tasks with `codec=name` keep their arguments and results as `encode` writes them; `decode` reads them.

    Both are called with bytes of JSON, such as are encrypted or compressed; with `takes="values"` they have the
    values themselves, as msgpack would. Register it in a module that producers and workers import. A name that was
    registered before is replaced. Raises OptionError.
    """
    check_name("a codec's name", name)
    if name.startswith(encryption.PREFIX):
        raise OptionError(f"a codec's name must not begin with {encryption.PREFIX!r}, got {name!r:.80}")
    check_choice("takes", takes, ("json", "values"))
    for word, function in (("encode", encode), ("decode", decode)):
        if not callable(function):
            raise OptionError(f"{word} of the codec {name!r} must be a function of bytes, got {function!r:.80}")
    _codecs[name] = _Codec(encode, decode, takes)


def has_codec(name: str) -> bool:
    """Whether this process has it."""
    return name in _codecs


def sealed(name: str, value: object, what: str) -> dict[str, str]:
    """A value as this codec writes it; `what` names it in errors. Raises CodecError, ArgumentError."""
    codec = _known(name)
    content: object = value
    if codec.takes == "json":
        content = encode(value, what).encode()
    data = codec.encode(content)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise CodecError(f"encode of the codec {name!r} must answer bytes, got {type(data).__name__}", name)
    return {CODEC: name, DATA: base64.b64encode(data).decode()}


def sealed_args(name: str, args: Args) -> Args:
    """Arguments as this codec writes them; none, and those that are sealed already, stay. As sealed()."""
    if not args or codec_of(args) is not None:
        return args
    if _known(name).takes == "values":
        return sealed(name, dict(args) if isinstance(args, dict) else list(args), "args")
    # Checked as all arguments are, but for their size: that of what comes of them counts.
    return sealed(name, load(encode_args(args, math.inf)), "args")


def opened(value: Any) -> Any:
    """What was sealed: JSON, or whatever the codec makes of it. Raises CodecError, which tells nothing of it.

    What is encrypted is to be decrypted before, by who knows where it stood.
    """
    name = codec_of(value)
    if name is None:
        return value
    if (key_id := encryption.key_id_of(value)) is not None:
        raise EncryptionError(f"it is encrypted with the key {key_id!r:.60}", key_id)
    codec = _known(name)
    try:
        content = codec.decode(base64.b64decode(value[DATA], validate=True))
        return load(bytes(content).decode()) if codec.takes == "json" else content
    except Exception as error:  # Of the codec's own: a key that is not here, content that was cut off.
        raise CodecError(f"the codec {name!r} could not read this: {type(error).__name__}", name) from None


def _known(name: str) -> _Codec:
    if (codec := _codecs.get(name)) is None:
        have = ", ".join(sorted(_codecs)) or "none"
        raise CodecError(
            f"no codec {name!r} here, only {have}; register it in a module that producers and workers import:"
            f" pgqueue.register_codec({name!r}, encode, decode)",
            name,
        )
    return codec
