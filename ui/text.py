"""Words from files, shown as they are: never as Markdown, HTML, a formula or a command."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=&\"'/@])")
_LONGEST = 200


def clean(text: object, *, longest: int = _LONGEST) -> str:
    """Return text on one line without control or direction signs, cut to ``longest`` characters.

    Direction signs can make a name read backwards and swallow the words after it.
    """
    line = " ".join(str(text).split())
    kept = "".join(sign for sign in line if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co"))
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def plain(text: object, *, longest: int = _LONGEST) -> str:
    """Return text that Streamlit's Markdown (labels, captions, messages) shows literally."""
    return _MARKS.sub(r"\\\1", clean(text, longest=longest))


def cell(text: object) -> str:
    """Return text that a spreadsheet shows literally: one that would begin a formula gets an apostrophe in front."""
    value = str(text)
    return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(value) else value


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+([.,]\d+)?", text) is not None
