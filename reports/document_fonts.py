"""The fonts that documents and maps are set in, and which characters they lack.

Noto Serif SC (宋体) and Noto Sans SC (黑体) come with the package ``pylopdf-fonts-zh-cn`` (SIL Open Font License), so
no machine needs fonts of its own. Both hold all characters of Unicode's first two Chinese blocks (27,600), not those
of the rarest names beyond: these are found here, before anything is set.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pylopdf_fonts_zh_cn

from reports.document import Blank, Block, Box, Bullets, Document, Facts, Heading, Paragraph, Picture, Table

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

SERIF = "Noto Serif SC"
SANS = "Noto Sans SC"
OTHER_FONTS = ("Libertinus Serif", "DejaVu Sans Mono")
"""Fonts that typst itself brings (OFL and free), for letters and signs that Noto's Chinese fonts lack."""
OTHER_RANGES = ((0x0100, 0x017F), (0x0391, 0x03A1), (0x03A3, 0x03CE), (0x0400, 0x045F), (0x1EA0, 0x1EF9))
"""Letters that :data:`OTHER_FONTS` have: further Latin (Polish, Turkish, Vietnamese …), Greek, Cyrillic."""
MISSING_SIGN = "〓"
"""What stands for a character that no font has, as Chinese printers set it."""
OTHER_SIGNS = "☐☑☒✗✘"


def list_font_files() -> tuple[Path, Path]:
    """Return the files of the serif and the sans font."""
    return Path(pylopdf_fonts_zh_cn.serif_path()), Path(pylopdf_fonts_zh_cn.sans_path())


@lru_cache(maxsize=1)
def _open_fonts() -> tuple[FT2Font, ...]:
    from matplotlib.ft2font import FT2Font

    return tuple(FT2Font(str(path)) for path in list_font_files())


@lru_cache(maxsize=65536)
def _is_known(letter: str) -> bool:
    """Whether a character has a picture in both fonts, or in those that typst brings."""
    code = ord(letter)
    if all(font.get_char_index(code) for font in _open_fonts()):
        return True
    return letter in OTHER_SIGNS or any(first <= code <= last for first, last in OTHER_RANGES)


def find_missing_characters(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the characters that cannot be set, each once, in the order of their codes.

    Signs without a picture of their own (spaces, joiners, line ends) are not missed.
    """
    used = {letter for text in texts for letter in text}
    return tuple(sorted(letter for letter in used if not _is_known(letter) and not _is_invisible(letter)))


def cover_missing(text: str) -> str:
    """Return a text with :data:`MISSING_SIGN` for every character that cannot be set."""
    return text.translate({ord(letter): MISSING_SIGN for letter in find_missing_characters([text])})


def name_character(letter: str) -> str:
    """Return a character with its code: ``𠮷 (U+20BB7)``."""
    return f"{letter} (U+{ord(letter):04X})"


def _is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def list_texts(document: Document) -> Iterator[str]:
    """Yield every text of a document, in reading order."""
    yield from (document.title, document.subtitle, document.status, document.footer, document.author)
    for block in document.blocks:
        yield from _list_block_texts(block)


def _list_block_texts(block: Block) -> tuple[str, ...]:
    match block:
        case Heading() | Paragraph():
            return (block.text,)
        case Bullets():
            return block.items
        case Table():
            return (block.caption, *block.headings, *(cell for row in block.rows for cell in row), block.note)
        case Facts():
            return tuple(text for pair in block.pairs for text in pair)
        case Picture():
            return (block.alt, block.caption)
        case Box():
            return (block.title, *block.lines)
        case Blank():
            return (block.label,)
        case _:
            return ()
