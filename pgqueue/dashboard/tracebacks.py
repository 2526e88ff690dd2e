"""A traceback in parts: frames of one's own code, and those of libraries, which are folded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FRAME = re.compile(r'^\s*(?:[|+ -]*\s)?File "(?P<file>[^"\n]{1,1000})", line \d{1,9}, in ')
_LIBRARY = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|[/\\]lib(?:64)?[/\\]python3[^/\\]*[/\\]|^<frozen |[/\\]pgqueue[/\\]worker[/\\]"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a traceback that belong together; `frames` are how many frames of libraries, 0 of one's own."""

    text: str
    frames: int = 0


def parts_of(traceback: str) -> list[Part]:
    """The traceback, with neighbouring frames of libraries as one part."""
    parts: list[Part] = []
    for lines, is_library in _blocks(traceback):
        text = "\n".join(lines)
        if parts and is_library == bool(parts[-1].frames):
            parts[-1] = Part(f"{parts[-1].text}\n{text}", parts[-1].frames + is_library)
        else:
            parts.append(Part(text, int(is_library)))
    return parts


def _blocks(traceback: str) -> Iterator[tuple[list[str], bool]]:
    """Each frame with the lines below it that show its code, and what stands between frames."""
    block: list[str] = []
    is_library = in_frame = False
    for line in traceback.rstrip().split("\n"):
        frame = _FRAME.match(line)
        if frame or (in_frame and not line.startswith("    ")):
            if block:
                yield block, is_library
            block, in_frame = [], frame is not None
            is_library = frame is not None and _LIBRARY.search(frame["file"]) is not None
        block.append(line)
    if block:
        yield block, is_library
