"""One cell of a spreadsheet into one value: numbers as people type them, words for "unknown", words for a choice."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping

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

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
_BRACKETS = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]")
_FILLERS = re.compile(r"[\s_\-*:.,、\"'“”]+")
_TOTAL = re.compile(r".{0,4}(合计|总计|小计|共计|总数)|(grand|sub)?totals?")
_YEAR = re.compile(r"(?<!\d)((?:19|20|21)\d\d)(?!\d)")


def normalise_text(text: str) -> str:
    """Return ``text`` in one width and case, without outer blanks: what two people would call the same cell."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


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
    """Return the number in a cell, or ``None`` where the cell is empty; ``１２``, ``1,200`` and ``1.2e3`` are read.

    Raises
    ------
    ValueError
        The cell holds something that is not one finite number.
    """
    plain = normalise_text(text)
    if plain in MISSING_WORDS:
        return None
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
    return next(iter(same or difflib.get_close_matches(wanted, keys, n=1, cutoff=0.8)), "")


def _reduce_id(key: str) -> str:
    return normalise_text(key).removesuffix(".0").lstrip("0")
