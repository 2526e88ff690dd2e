"""Queues as people type them for a worker: names and globs with commas between them, and weights behind `=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgqueue.errors import UsageError


def queue_names(said: Sequence[str]) -> list[str]:
    """`a,b` as names, in order; empty if nothing is said."""
    return [name.strip() for words in said for name in words.split(",") if name.strip()]


def queue_weights(said: Sequence[str]) -> list[str] | Mapping[str, int]:
    """`a,b` as names; `a=3,b` as weights, 1 where none is said. Raises UsageError."""
    words = queue_names(said)
    if not words:
        raise UsageError(f"--queues names no queue, got {', '.join(map(repr, said))}; leave it out to serve all")
    if not any("=" in word for word in words):
        return words
    weights: dict[str, int] = {}
    for word in words:
        name, given, weight = word.partition("=")
        name = name.strip()
        if not name:
            raise UsageError(f"--queues: a weight needs a queue before it, got {word!r}; write mail=3")
        if name in weights:
            raise UsageError(f"--queues names {name} twice, got {','.join(words)!r}; name it once, with one weight")
        weights[name] = _weight(name, weight.strip()) if given else 1
    return weights


def _weight(queue: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"--queues: the weight of {queue} must be a whole number, got {text!r}; write {queue}=3")
    if int(text) == 0:
        raise UsageError(f"--queues: the weight of {queue} must be 1 or more, got {text}; leave it out with -X {queue}")
    return int(text)
