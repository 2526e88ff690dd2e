"""The cause of a failure: twelve digits that failures of one kind share, so that people look at ten things, not 10,000.

It is made from the target, the error's type, and the last two frames of the task's own code in the traceback, the line
numbers left out; without such frames from the message, without what differs from job to job. The function
`pgqueue.cause_of` computes the same for what no worker saw end.
"""

from __future__ import annotations

import re
from hashlib import sha256

# As many of the innermost frames that are no library's.
_FRAMES = 2
# Of a message that much: what follows is as a rule data.
_LONGEST = 500
_FRAME = re.compile(r'^[ |]*File "([^"]*)", line [0-9]+, in (.*)$')
# Code that many tasks share says nothing about this one.
_FOREIGN = re.compile(r"^<|site-packages|dist-packages|/python[0-9]+[.0-9]*/|/pgqueue/(worker|store)/")
# Each with what stands in its place; in this order. The function in SQL has the same.
_DIFFERING = (
    (re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"), "#"),
    (re.compile(r"'[^'\n]*'|\"[^\"\n]*\""), "'#'"),
    (re.compile(r"0x[0-9a-fA-F]+"), "#"),
    (re.compile(r"[^ \n]+@[^ \n]+"), "#"),
    (re.compile(r"[0-9a-fA-F]*[0-9][0-9a-fA-F]*"), "#"),
    (re.compile(r"#([.:,/-]?#)+"), "#"),
)


def cause_of(target: str, error_type: str | None, error: str | None, traceback: str | None) -> str:
    """The cause of one failed attempt, from what is stored of it."""
    where = own_frames(traceback or "") or similar(error or "")
    return sha256("\n".join((target, error_type or "", where)).encode(errors="surrogatepass")).hexdigest()[:12]


def own_frames(traceback: str) -> str:
    """The last frames of a traceback that are no library's, as `file.py:function`; empty if there are none."""
    found: list[str] = []
    for line in reversed(traceback.split("\n")):
        if (frame := _FRAME.match(line)) is not None and not _FOREIGN.search(frame[1]):
            found.insert(0, f"{frame[1].rpartition('/')[2]}:{frame[2]}")
            if len(found) == _FRAMES:
                break
    return " ".join(found)


def similar(message: str) -> str:
    """A message without numbers, ids, addresses and quoted parts: alike for errors of one kind."""
    text = message[:_LONGEST]
    for differing, instead in _DIFFERING:
        text = differing.sub(instead, text)
    return text
