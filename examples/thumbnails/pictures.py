"""Pictures, with nothing but the standard library: PNG is read and written, of 8 bits a channel and not interlaced."""

import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Bytes a pixel, by the number that PNG has for it: grey, colours, grey with alpha, colours with alpha.
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


class BrokenPicture(Exception):
    """What stands in the file is no picture, or only a part of one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`rows` are bytes, `depth` of them a pixel; fewer than `height` if the file ended early."""

    width: int
    height: int
    depth: int
    rows: list[bytes]


def read(path: Path, *, whole: bool = True) -> Picture:
    """The picture in a PNG file; unless it is to be `whole`, as much of it as there is."""
    data = path.read_bytes()
    if not data.startswith(SIGNATURE):
        raise BrokenPicture(f"{path.name} is no PNG file")
    header, packed = b"", b""
    for kind, body in _chunks(data, whole=whole):
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
    if len(header) != 13:
        raise BrokenPicture(f"{path.name} does not say how large it is")
    width, height, bits, colours, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if bits != 8 or colours not in CHANNELS or interlaced:
        raise BrokenPicture(f"{path.name} has {bits} bits of kind {colours}, which this cannot read")
    depth = CHANNELS[colours]
    rows = _unfiltered(_unpacked(packed, whole=whole), width * depth, depth)[:height]
    if not rows or (whole and len(rows) < height):
        raise BrokenPicture(f"{path.name} ends after {len(rows)} of {height} rows")
    return Picture(width, height, depth, rows)


def write(path: Path, picture: Picture) -> None:
    """Write a PNG file, whole or not at all: a job that is killed leaves no half of one."""
    colours = next(kind for kind, depth in CHANNELS.items() if depth == picture.depth)
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, colours, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in picture.rows))
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b""))
    part.replace(path)


def averaged(picture: Picture, side: int) -> Picture:
    """No larger than `side`: each pixel is the mean of those that it stands for."""
    width, height = _within(picture, side)
    edges = [range(a, max(a + 1, b)) for a, b in pairwise(i * picture.width // width for i in range(width + 1))]
    rows = []
    for y in range(height):
        top = y * picture.height // height
        block = picture.rows[top : max(top + 1, (y + 1) * picture.height // height)]
        rows.append(
            bytes(
                sum(row[x * picture.depth + channel] for row in block for x in columns) // (len(block) * len(columns))
                for columns in edges
                for channel in range(picture.depth)
            )
        )
    return Picture(width, height, picture.depth, rows)


def picked(picture: Picture, side: int) -> Picture:
    """No larger than `side`: one pixel of many stands for the others, and what the file lacks is empty."""
    width, height = _within(picture, side)
    columns = [x * picture.width // width * picture.depth for x in range(width)]
    rows = []
    for y in range(height):
        at = y * picture.height // height
        row = picture.rows[at] if at < len(picture.rows) else bytes(picture.width * picture.depth)
        rows.append(b"".join(row[x : x + picture.depth] for x in columns))
    return Picture(width, height, picture.depth, rows)


def _within(picture: Picture, side: int) -> tuple[int, int]:
    longest = max(picture.width, picture.height, side)
    return max(1, picture.width * side // longest), max(1, picture.height * side // longest)


def _chunks(data: bytes, *, whole: bool) -> list[tuple[bytes, bytes]]:
    found, at = [], len(SIGNATURE)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body, check = (
            data[at + 4 : at + 8],
            data[at + 8 : at + 8 + length],
            data[at + 8 + length : at + 12 + length],
        )
        if whole and check != struct.pack(">I", zlib.crc32(kind + body)):
            raise BrokenPicture(f"its part {kind.decode('latin-1')} is damaged")
        found.append((kind, body))
        at += 12 + length
    return found


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unpacked(packed: bytes, *, whole: bool) -> bytes:
    unpack = zlib.decompressobj()
    try:
        return unpack.decompress(packed) if not whole else unpack.decompress(packed) + unpack.flush()
    except zlib.error as error:
        raise BrokenPicture(f"its pixels cannot be unpacked: {error}") from error


def _unfiltered(data: bytes, length: int, depth: int) -> list[bytes]:
    """The rows of pixels, each of which PNG stores as the difference to what lies left of it and above it."""
    rows: list[bytes] = []
    above = bytes(length)
    for at in range(0, len(data) - length, length + 1):
        how, row = data[at], bytearray(data[at + 1 : at + 1 + length])
        for n in range(length):
            left = row[n - depth] if n >= depth else 0
            corner = above[n - depth] if n >= depth else 0
            row[n] = (row[n] + _expected(how, left, above[n], corner)) & 255
        above = bytes(row)
        rows.append(above)
    return rows


def _expected(how: int, left: int, above: int, corner: int) -> int:
    match how:
        case 0:
            return 0
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            return min((left, above, corner), key=lambda each: abs(left + above - corner - each))
    raise BrokenPicture(f"a row is stored in way {how}, which there is not")
