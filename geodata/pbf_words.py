"""A look at the words of an OpenStreetMap file (``.pbf``) before osmium reads them.

osmium keeps the words of tags one after another, each ended by a zero byte: a zero byte inside of a word lets it step
beyond its memory and ends the program (found by fuzzing). Here only the table of words of each block is unpacked, a
small part of the file. The format: https://wiki.openstreetmap.org/wiki/PBF_Format.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

MAX_HEAD_BYTES = 64 * 1024
MAX_BLOCK_BYTES = 32 * 1024**2
"""The most that a block and its head may have by the format."""
_SIZE, _RAW, _ZLIB, _TABLE, _WORD = 3, 1, 3, 1, 1
_START_BYTES = 32


class DamagedBlockError(ValueError):
    """A block is not built as the format says, or a word in it holds a zero byte."""


def check_words(path: Path) -> None:
    """Raise ``DamagedBlockError`` where a block of the file is damaged, or holds a word with a zero byte."""
    facts = path.stat()
    _check_once(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=32)
def _check_once(path: Path, _size: int, _stamp: int) -> None:
    """A study asks for the same file several times: for roads, schools, houses, barriers."""
    with path.open("rb") as stream:
        while head := stream.read(4):
            size = int.from_bytes(head, "big")
            if len(head) < 4 or size > MAX_HEAD_BYTES:
                raise DamagedBlockError("block header")
            _check_block(stream, stream.read(size))


def _check_block(stream: BinaryIO, header: bytes) -> None:
    fields = dict(_list_fields(header))
    size = fields.get(_SIZE, -1)
    if not isinstance(size, int) or not 0 <= size <= MAX_BLOCK_BYTES:
        raise DamagedBlockError("block size")
    blob = stream.read(size)
    if len(blob) < size:
        raise DamagedBlockError("unexpected end")
    if fields.get(1) != b"OSMData":
        return
    parts = dict(_list_fields(blob))
    packed, plain = parts.get(_ZLIB), parts.get(_RAW)
    if isinstance(packed, bytes):
        table = _unpack_table(packed)
    elif isinstance(plain, bytes):
        table = _cut_table(plain, plain)
    else:
        return  # packed in another way: osmium reads it or tells
    # the first word of a table is empty: its length is a zero byte too
    if table.count(0) > 1 and any(isinstance(word, bytes) and 0 in word for number, word in _list_fields(table)):
        raise DamagedBlockError("a zero byte in a word")


def _unpack_table(packed: bytes) -> bytes:
    """Return the table of words, which stands first, without unpacking what follows it."""
    unpacker = zlib.decompressobj()
    try:
        start = unpacker.decompress(packed, _START_BYTES)
        if not start or start[0] >> 3 != _TABLE:
            return _cut_table(zlib.decompress(packed), b"")
        size, at = _read_number(start, 1)
        if size > MAX_BLOCK_BYTES:
            raise DamagedBlockError("table size")
        rest = at + size - len(start)
        return (start + (unpacker.decompress(unpacker.unconsumed_tail, rest) if rest > 0 else b""))[at : at + size]
    except zlib.error as error:
        raise DamagedBlockError(str(error)) from error


def _cut_table(block: bytes, default: bytes) -> bytes:
    """Return the table of words of an unpacked block."""
    found = next((value for number, value in _list_fields(block) if number == _TABLE), default)
    return found if isinstance(found, bytes) else default


def _list_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of every field of a message of Protocol Buffers."""
    at = 0
    while at < len(data):
        key, at = _read_number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_number(data, at)
            yield key >> 3, value
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            size, at = _read_number(data, at)
            if at + size > len(data):
                raise DamagedBlockError("field size")
            yield key >> 3, data[at : at + size]
            at += size
        else:
            raise DamagedBlockError("field kind")


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    number = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
    raise DamagedBlockError("number")
