"""One cell of a spreadsheet into one value: numbers as people type them, words for "unknown", words for a choice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process

MISSING_WORDS = frozenset(
    [
        "",
        "-",
        "--",
        "—",
        "——",
        "/",
        "\\",
        "无",
        "暂无",
        "未知",
        "不详",
        "空",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "<na>",
    ]
)
"""Cells that mean "not known", after :func:`normalise_text`. Unknown is never zero."""

_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_HECTARES = ("公顷", "ha", "hm2", "万平方米", "万m2")
_AREAS = {
    "亩": 2000 / 3,
    "市亩": 2000 / 3,
    "千平方米": 1e3,
    "平方公里": 1e6,
    "平方千米": 1e6,
    "km2": 1e6,
} | dict.fromkeys(_HECTARES, 1e4)
_PEOPLE = {"万人": 1e4, "千人": 1e3}
UNIT_FACTORS: Mapping[str, Mapping[str, float]] = {
    "m2": _AREAS,
    "cny": {"万元": 1e4, "千元": 1e3, "百万元": 1e6, "亿元": 1e8},
    **dict.fromkeys(("people", "pupils", "children"), _PEOPLE),
}
"""Units that a header may name instead of the column's own, by the latter, with what turns one into the other."""
_TOLD_UNITS = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]|/\s*([^/()]+)$")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
_BRACKETS = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]")
_FILLERS = re.compile(r"[\s_\-*:.,、\"'“”]+")
_COUNTED = re.compile(r"(?<=\d)(人|名|个|位|所|班|间|座|床|张|户|套|个班|个学位|个座位)$")
"""What Chinese tables write behind a count: 351人, 8个班."""
_WITH_UNIT = re.compile(r"([\d.,]+)\s*([^\d\s].*)")
_OWN_UNITS: Mapping[str, Mapping[str, float]] = {
    "m2": dict.fromkeys(("平方米", "平米", "m2", "平方"), 1.0),
    "cny": {"元": 1.0},
}
_TOTAL = re.compile(r".{0,12}?(合计|总计|小计|共计|总数|累计|汇总)(数|人数)?|(grand|sub)?totals?")
_YEAR = re.compile(r"(?<!\d)((?:19|20|21)\d\d)(?!\d)")


def normalise_text(text: str) -> str:
    """Return ``text`` in one width and case, without outer blanks: what two people would call the same cell."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def find_unit_factor(header: str, unit: str) -> tuple[float, str]:
    """Return by what the numbers below a header are multiplied for ``unit``, and the word that says so.

    The word stands in brackets or behind a stroke: 占地面积（亩） in m2 gives 666.67 and 亩; without one 1 and "".
    """
    told = _TOLD_UNITS.findall(unicodedata.normalize("NFKC", header).casefold())
    words = [word.strip().removeprefix("单位:").strip() for pair in told for word in pair if word]
    found = next((word for word in words if word in UNIT_FACTORS.get(unit, {})), "")
    return (UNIT_FACTORS[unit][found], found) if found else (1.0, "")


def split_unit(text: str, unit: str) -> tuple[str, float | None]:
    """Return a cell without the unit behind its number, and that unit's factor: 18.5亩 in m2 gives 18.5 and 666.67.

    None where the cell names no unit that ``unit`` can be told in; 平方米 has the factor 1.
    """
    found = _WITH_UNIT.fullmatch(normalise_text(text))
    known = {**UNIT_FACTORS.get(unit, {}), **_OWN_UNITS.get(unit, {})}
    return (found[1], known[found[2]]) if found and found[2] in known else (text, None)


def narrow_id(text: str) -> str:
    """Return an id with full-width letters, digits and signs (０１Ａ－) in plain width; leading zeros stay."""
    return text.translate(_NARROW)


def normalise_header(header: str) -> str:
    """Return a header without case, width, blanks, punctuation, unit in brackets: ``学位数（个）`` → ``学位数``."""
    text = normalise_text(header)
    bare = _BRACKETS.sub("", text)
    return _FILLERS.sub("", bare) or _FILLERS.sub("", text)


def is_missing(text: str) -> bool:
    """Tell whether a cell means "not known"."""
    return normalise_text(text) in MISSING_WORDS


def is_total(text: str) -> bool:
    """Tell whether a cell names a row of totals (合计, 全县小计, total) and not a place or a school."""
    return bool(_TOTAL.fullmatch(normalise_header(text)))


def parse_number(text: str) -> float | None:
    """Return the number in a cell, or ``None`` where it is empty; ``１２``, ``1,200``, ``1.2e3``, ``351人`` are read.

    Raises
    ------
    ValueError
        The cell holds something that is not one finite number.
    """
    plain = normalise_text(text)
    if plain in MISSING_WORDS:
        return None
    plain = _COUNTED.sub("", plain)
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(text)
    value = float(plain)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def parse_year(text: str) -> int | None:
    """Return the year in which a school year starts: ``2024``, ``2024年`` and ``2024-2025学年`` give 2024.

    ``None`` where the cell is empty; ``ValueError`` where no year from 1900 to 2199 can be found.
    """
    if is_missing(text):
        return None
    found = _YEAR.search(normalise_text(text))
    if not found:
        raise ValueError(text)
    return int(found.group(1))


def match_word(text: str, words: Mapping[str, str]) -> str | None:
    """Return what a cell means by a table of words (keys through :func:`normalise_header`), or ``None``."""
    return words.get(normalise_header(text))


def format_number(value: float) -> str:
    """Return a number as a spreadsheet shows it: 12.0 as ``12``."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def find_near_id(wanted: str, known: Iterable[str]) -> str:
    """Return the id that is meant: alike but for leading zeros, blanks, width or case, else the most alike, else ""."""
    keys, plain = sorted(known), _reduce_id(wanted)
    same = [key for key in keys if _reduce_id(key) == plain]
    near = process.extractOne(wanted, keys, scorer=fuzz.ratio, score_cutoff=80.0)
    return same[0] if same else near[0] if near else ""


def _reduce_id(key: str) -> str:
    return normalise_text(key).removesuffix(".0").lstrip("0")
