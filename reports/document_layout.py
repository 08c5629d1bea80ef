"""What the PDF and the Word document share: widths of columns, sizes of pictures, words that may break.

Widths are estimated in *em* (the size of the type): a Chinese character is one em wide, a Latin letter about half.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Sequence

from geodata.errors import ExportError
from geodata.messages import msg
from reports.document import Align, Blank, Block, Document, Facts, Heading, Table

PAGE_WIDTH_MM, PAGE_HEIGHT_MM = 210.0, 297.0
MARGIN_TOP_MM, MARGIN_BOTTOM_MM, MARGIN_SIDE_MM = 24.0, 21.0, 21.0
LINE_MM = PAGE_WIDTH_MM - 2 * MARGIN_SIDE_MM
PICTURE_HEIGHT_MM = 215.0
TABLE_TYPE_PT = 9.0
CELL_SPACE_EM = 1.1
LINE_EM = LINE_MM / 25.4 * 72 / TABLE_TYPE_PT
LONGEST_WORD = 22
BREAK = "\u200b"
_WORD = re.compile(rf"[!-~]{{{LONGEST_WORD},}}")
_PARTS = re.compile(r"[^/_\-.,;:@]{1,8}[/_\-.,;:@]*|[/_\-.,;:@]+")
_PNG = b"\x89PNG\r\n\x1a\n"


def let_break(text: str) -> str:
    """Return a text whose long words without a space (digests, addresses) may break: with zero-width spaces."""
    return _WORD.sub(lambda found: BREAK.join(_PARTS.findall(found.group())), text)


def measure_text(text: str) -> float:
    """Return about how wide the longest line of a text is, in em."""
    return max((sum(map(_measure_letter, line)) for line in text.split("\n")), default=0.0)


def measure_longest_word(text: str) -> float:
    """Return about how wide the longest part is that may not be broken, in em."""
    words = re.split(rf"[\s{BREAK}]+|(?<=[/\-–])|(?=[\u2e80-\uffef])|(?<=[\u2e80-\uffef])", let_break(text))
    return 1.12 * max((sum(map(_measure_letter, word)) for word in words), default=0.0)


def _measure_letter(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.68 if letter.isupper() or letter in "mwMW%@" else 0.3 if letter in "iljtf.,;:'|! ()" else 0.55


def share_widths(table: Table, line_em: float = LINE_EM) -> tuple[float, ...]:
    """Return the shares of the line that the columns take: those given, else by what stands in them.

    No column is narrower than its longest word that may not break, as far as the line is wide enough for all.
    """
    columns = list(zip(*([table.headings, *table.rows]), strict=True)) if table.headings else []
    if not columns:
        return ()
    wanted = list(table.widths) if len(table.widths) == len(columns) else [_wish(column) for column in columns]
    wanted = [width / sum(wanted) for width in wanted]
    needed = [(max(map(measure_longest_word, column)) + CELL_SPACE_EM) / line_em for column in columns]
    return widen_shares(wanted, needed)


def _wish(column: Sequence[str]) -> float:
    """Return how much of the line a column would like: square root, so that long texts wrap and numbers do not."""
    lengths = sorted(measure_text(cell) for cell in column)
    usual = lengths[int(0.9 * (len(lengths) - 1))]
    wish: float = (max(usual, min(lengths[-1], 6.0), 2.0) + CELL_SPACE_EM) ** 0.75
    return wish


def widen_shares(wanted: Sequence[float], needed: Sequence[float]) -> tuple[float, ...]:
    """Return ``wanted`` (they add up to 1) changed as little as is needed that none is below ``needed``.

    Where not all fit the line, the shares are those of the needs.
    """
    if sum(needed) >= 1:
        return tuple(need / sum(needed) for need in needed)
    shares = list(wanted)
    fixed: set[int] = set()
    while short := {n for n, share in enumerate(shares) if share < needed[n] - 1e-9} - fixed:
        fixed |= short
        left = 1 - sum(needed[n] for n in fixed)
        free = sum(wanted[n] for n in range(len(wanted)) if n not in fixed)
        shares = [needed[n] if n in fixed else wanted[n] / free * left for n in range(len(wanted))]
    return tuple(shares)


def list_aligns(table: Table) -> tuple[Align, ...]:
    """Return the side that each column stands on; left where none is said."""
    plain: tuple[Align, ...] = tuple("left" for _heading in table.headings)
    return tuple(table.aligns) if len(table.aligns) == len(table.headings) else plain


def share_facts(facts: Facts) -> float:
    """Return the share of the line for the names of facts: as the longest needs, from 16 to 40 per cent."""
    longest = max((measure_text(name) for name, _value in facts.pairs), default=0.0)
    return min(0.40, max(0.16, (longest + CELL_SPACE_EM + 0.5) / LINE_EM))


def measure_picture(png: bytes, width_share: float) -> tuple[float, float]:
    """Return width and height of a picture on the page in mm: as wide as asked, and never higher than a page.

    Raises
    ------
    ExportError
        The bytes are no PNG.
    """
    if png[:8] != _PNG or len(png) < 24:
        raise ExportError(msg("A picture of the document is not a PNG."))
    across, down = struct.unpack(">II", png[16:24])
    if not across or not down:
        raise ExportError(msg("A picture of the document is empty."))
    width_mm = LINE_MM * min(max(width_share, 0.05), 1.0)
    scale = min(1.0, PICTURE_HEIGHT_MM / (width_mm * down / across))
    return width_mm * scale, width_mm * scale * down / across


def check_tables(document: Document) -> None:
    """Raise :class:`ExportError` where a row is not as wide as its headings, or a picture is missing."""
    for block in document.blocks:
        if isinstance(block, Table):
            widths = {len(block.headings), *(len(row) for row in block.rows)}
            if len(widths) > 1:
                raise ExportError(msg("A table has rows of {numbers} cells.", numbers=tuple(sorted(widths))))
        key = getattr(block, "key", None)
        if key is not None and key not in document.pictures:
            raise ExportError(msg("The picture {name} is not there.", name=key))


def level_headings(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks with headings that leave no level out: readers of a tagged PDF step down one at a time."""
    last, levelled = 0, []
    for block in blocks:
        if isinstance(block, Heading):
            last = min(max(block.level, 1), last + 1, 3)
            block = Heading(block.text, last)
        levelled.append(block)
    return tuple(levelled)


def count_blank_lines(blank: Blank) -> int:
    """Return how many ruled lines are drawn, at least one."""
    return max(1, blank.lines)
