"""What a shapefile does not say by itself: whether all of its parts are there, and in which encoding its words are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pandas.api.types import is_bool_dtype, is_numeric_dtype

if TYPE_CHECKING:
    import geopandas as gpd

NEEDED_PARTS = (".shx", ".dbf")
_SAMPLE_ROWS, _SAMPLE_BYTES = 5_000, 4 * 1024**2
_HEAD_BYTES, _FIELD_BYTES, _END_OF_FIELDS = 32, 32, 0x0D
_SIMPLIFIED = (0x4D, 0x7A)
"""Language marks of the table that mean Chinese in GBK."""


def find_part(file: Path, ending: str) -> Path | None:
    """Return the part of a shapefile with this ending, in small or capital letters; None where it is not there."""
    named = (file.with_suffix(each) for each in (ending, ending.upper()))
    return next((part for part in named if part.is_file()), None)


def find_missing_part(file: Path) -> str:
    """Return the ending of the first part that a shapefile needs and lacks; ``""`` when it is whole."""
    return next((ending for ending in NEEDED_PARTS if find_part(file, ending) is None), "")


def choose_shapefile_encoding(file: Path) -> str:
    """Return the encoding of a shapefile's words, ``""`` where the file says it itself (``.cpg``).

    UTF-8 where all words can be read so, else GB18030 (which holds GBK and GB2312), else that of Western Europe. Words
    are cut at a number of bytes in this format: half a character at the end of a field is no sign of another encoding.
    """
    table = find_part(file, ".dbf")
    if table is None:
        return ""
    with table.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return ""
        start, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
        fields = opened.read(max(start - _HEAD_BYTES, 0))
        rows = opened.read(min(width * _SAMPLE_ROWS, _SAMPLE_BYTES))
    if find_part(file, ".cpg") is not None and not _is_false_label(file, [*_list_names(fields)]):
        return ""
    words = [*_list_names(fields), *_list_words(fields, rows, width)]
    foreign = [word for word in words if not word.isascii()]
    if not foreign:
        return ""
    order = ("gb18030", "utf-8") if head[29] in _SIMPLIFIED else ("utf-8", "gb18030")
    return next((name for name in order if all(_can_decode(word, name) for word in foreign)), "iso-8859-1")


def _is_false_label(file: Path, names: list[bytes]) -> bool:
    """Whether the headers cannot be read in the encoding that the ``.cpg`` part names."""
    label = find_part(file, ".cpg")
    if label is None:
        return False
    text = label.read_bytes()[:40].decode("ascii", "replace").strip().lower()
    return text in ("utf-8", "utf8", "65001") and not all(_can_decode(name, "utf-8") for name in names)


def _list_fields(fields: bytes) -> list[tuple[bytes, str, int]]:
    """Return name, kind and width of every field of a dBASE table."""
    found = []
    for at in range(0, len(fields) - _FIELD_BYTES + 1, _FIELD_BYTES):
        field = fields[at : at + _FIELD_BYTES]
        if field[0] == _END_OF_FIELDS:
            break
        found.append((field[:11].split(b"\x00", 1)[0], chr(field[11]), field[16]))
    return found


def _list_names(fields: bytes) -> list[bytes]:
    return [name for name, _, _ in _list_fields(fields)]


def _list_words(fields: bytes, rows: bytes, width: int) -> list[bytes]:
    """Return the cells of the fields of text of the rows read."""
    words: list[bytes] = []
    at = 1
    for _, kind, size in _list_fields(fields):
        if kind == "C" and width:
            cells = (rows[row + at : row + at + size] for row in range(0, len(rows), width))
            words += [cell.rstrip(b" \x00") for cell in cells]
        at += size
    return words


def _can_decode(word: bytes, encoding: str) -> bool:
    """Whether a word can be read, half a character at its end left out."""
    for cut in range(4):
        try:
            word[: len(word) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def decode_words(layer: gpd.GeoDataFrame, encoding: str) -> gpd.GeoDataFrame:
    """Return a layer that was read as ISO-8859-1, byte by byte, with headers and words in their own ``encoding``.

    Half a character at the end of a header or a word is left out.
    """

    def decode(word: object) -> object:
        return word.encode("iso-8859-1").decode(encoding, "ignore") if isinstance(word, str) else word

    for name in layer.columns:
        if name != layer.geometry.name and not is_numeric_dtype(layer[name]) and not is_bool_dtype(layer[name]):
            layer[name] = layer[name].map(decode)
    return layer.rename(columns={name: decode(name) for name in layer.columns if name != layer.geometry.name})
