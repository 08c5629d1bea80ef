"""A document as Word: the same blocks in the same order and words as the PDF, to be changed by the office.

Fonts are only named (宋体 and 黑体 as every Chinese office has, with Noto as the other name), none is embedded.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from reports.document import Blank, Block, Box, Bullets, Document, Facts, Heading, Paragraph, Picture, Table
from reports.document_layout import (
    LINE_MM,
    check_tables,
    count_blank_lines,
    level_headings,
    list_aligns,
    measure_picture,
    share_facts,
    share_widths,
)
from reports.document_word_parts import (
    ACCENT,
    GREY,
    INK,
    TONES,
    TWIPS_PER_MM,
    Cell,
    Grid,
    Look,
    add_picture,
    append_xml,
    build_file,
    write_field,
    write_grid,
    write_paragraph,
    write_run,
)
from reports.language import read_catalogue

if TYPE_CHECKING:
    from docx.document import Document as WordFile

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip knows: no part says when it was written."""
HEADINGS = {
    1: Look(size_pt=14.5, bold=True, colour=ACCENT, sans=True),
    2: Look(size_pt=12, bold=True, colour=ACCENT, sans=True),
    3: Look(size_pt=10.5, bold=True, sans=True),
}
KEEP = "<w:keepNext/>"
SHORT_TABLE = 9
"""Rows, the heading among them, of a table that stays on one page."""


def render_word(document: Document) -> bytes:
    """Return a document as a Word file, the same bytes for the same document.

    A character that is rare beyond the common fonts stays as it is: Word takes it from whatever font has it.

    Raises
    ------
    ExportError
        A table's rows differ in width, or a picture is missing or broken.
    """
    check_tables(document)
    file = build_file(document)
    append_xml(file, write_paragraph(write_run(document.title, Look(size_pt=20, bold=True)), "Title"))
    if document.subtitle:
        look = Look(size_pt=11, colour=GREY, sans=True)
        append_xml(file, write_paragraph(write_run(document.subtitle, look), "Subtitle"))
    blocks = level_headings(document.blocks)
    if document.contents:
        append_xml(file, _write_contents(document, blocks))
    waiting: list[str] = []
    for number, block in enumerate(blocks):
        if isinstance(block, Picture):
            append_xml(file, "".join(waiting))
            waiting.clear()
            _add_picture(file, block, document)
        else:
            waiting.append(_write_block(block, number, document))
    append_xml(file, "".join(waiting))
    return _save(file)


def _write_block(block: Block, number: int, document: Document) -> str:
    match block:
        case Heading():
            words = _mark(write_run(block.text, HEADINGS[block.level]), number)
            return write_paragraph(words, f"Heading{block.level}")
        case Paragraph():
            return _write_paragraph(block, document)
        case Bullets():
            return _write_bullets(block)
        case Table():
            return _write_table(block)
        case Facts():
            return _write_facts(block)
        case Box():
            return _write_box(block)
        case Blank():
            return _write_blank(block)
        case _:
            thin = '<w:spacing w:line="20" w:lineRule="exact"/>'
            return write_paragraph('<w:r><w:br w:type="page"/></w:r>', "Cell", more=thin)


def _mark(words: str, number: int) -> str:
    """Return words as the aim of a link."""
    return f'<w:bookmarkStart w:id="{number}" w:name="part{number}"/>{words}<w:bookmarkEnd w:id="{number}"/>'


def _write_contents(document: Document, blocks: tuple[Block, ...]) -> str:
    """Write the table of contents: links, with page numbers as fields."""
    _ = read_catalogue(document.language)
    parts = [write_paragraph(write_run(_("Contents"), HEADINGS[1]), "ContentsTitle")]
    edge = round(LINE_MM * TWIPS_PER_MM)
    for number, block in enumerate(blocks):
        if isinstance(block, Heading) and block.level <= 2:
            indent = f'<w:ind w:left="{(block.level - 1) * 300}"/>'
            tabs = f'<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="{edge}"/></w:tabs>'
            look = Look(size_pt=10)
            page = write_field(f"PAGEREF part{number} \\h", look, "–")
            words = f'<w:hyperlink w:anchor="part{number}">{write_run(block.text, look)}</w:hyperlink>'
            words += f"<w:r><w:tab/></w:r>{page}"
            parts.append(write_paragraph(words, "Cell", more=f'{tabs}<w:spacing w:before="40"/>{indent}'))
    return "".join([*parts, write_paragraph("", "Note")])


def _write_paragraph(block: Paragraph, document: Document) -> str:
    size = {"small": 8.5, "lead": 11.5}.get(block.tone, 10.5)
    colour = INK if block.tone in ("plain", "lead") else TONES[block.tone]
    plain = block.tone == "plain" and block.align == "left" and not block.bold and document.language == "zh"
    indent = '<w:ind w:firstLineChars="200" w:firstLine="420"/>' if plain else ""
    look = Look(size_pt=size, bold=block.bold, colour=colour)
    return write_paragraph(write_run(block.text, look), "Normal", align=block.align, more=indent)


def _write_bullets(block: Bullets) -> str:
    """Write the points with their marks as text: numbers of Word's own lists would run on from list to list."""
    place = '<w:tabs><w:tab w:val="left" w:pos="340"/></w:tabs><w:spacing w:after="40"/>'
    place += '<w:ind w:left="340" w:hanging="284"/>'
    parts = []
    for number, item in enumerate(block.items, start=1):
        mark = f"{number}." if block.numbered else "●"
        look = Look() if block.numbered else Look(size_pt=6, colour=ACCENT, sans=True)
        words = write_run(f"{mark}\t", look) + write_run(item, Look())
        parts.append(write_paragraph(words, "Normal", more=place))
    return "".join(parts)


def _write_table(block: Table) -> str:
    caption = write_run(block.caption, Look(size_pt=9, bold=True, sans=True))
    above = write_paragraph(caption, "Caption", more=KEEP) if block.caption else ""
    if not block.headings:
        return above
    aligns = list_aligns(block)
    head, body = Look(size_pt=9, bold=True, sans=True), Look(size_pt=9, sans=True)
    rows = [(head, block.headings), *((body, row) for row in block.rows)]
    cells = [[Cell(((text, look),), side) for text, side in zip(row, aligns, strict=True)] for look, row in rows]
    widths = [share * LINE_MM for share in share_widths(block)]
    return (
        above + write_grid(Grid(widths, cells, heading=True, keep=len(cells) <= SHORT_TABLE)) + _write_note(block.note)
    )


def _write_note(note: str = "") -> str:
    """Write the note under a table, or the little space that keeps two tables apart."""
    words = write_run(note, Look(size_pt=8, colour=GREY, sans=True)) if note else ""
    space = "" if note else '<w:spacing w:before="0" w:after="0" w:line="160" w:lineRule="exact"/>'
    return write_paragraph(words, "Note", more=space)


def _write_facts(block: Facts) -> str:
    if not block.pairs:
        return ""
    share = share_facts(block)
    looks = (Look(size_pt=9, bold=True, colour=GREY, sans=True), Look(size_pt=10))
    rows = [[Cell(((text, look),)) for text, look in zip(pair, looks, strict=True)] for pair in block.pairs]
    return write_grid(Grid([share * LINE_MM, (1 - share) * LINE_MM], rows)) + _write_note()


def _write_box(block: Box) -> str:
    colour = TONES[block.tone]
    title = ((block.title, Look(size_pt=10, bold=True, colour=colour, sans=True)),) if block.title else ()
    lines = (*title, *((line, Look(size_pt=9.5)) for line in block.lines))
    return write_grid(Grid([LINE_MM], [[Cell(lines or (("", Look()),))]], frame=colour)) + _write_note()


def _write_blank(block: Blank) -> str:
    """Write what belongs there, then ruled lines: empty paragraphs with a border, or a tab with a line under it."""
    look = Look(size_pt=9.5, sans=True)
    count = count_blank_lines(block)
    edge = round(LINE_MM * TWIPS_PER_MM)
    if count == 1:
        tabs = f'<w:tabs><w:tab w:val="right" w:leader="underscore" w:pos="{edge}"/></w:tabs>'
        return write_paragraph(write_run(f"{block.label} \t", look), "Blank", more=tabs)
    rule = (
        f'{KEEP}<w:pBdr><w:bottom w:val="single" w:sz="4" w:space="1" w:color="{GREY}"/>'
        f'<w:between w:val="single" w:sz="4" w:space="1" w:color="{GREY}"/></w:pBdr>'
        '<w:spacing w:before="0" w:line="440" w:lineRule="exact"/>'
    )
    lines = [write_paragraph("", "Blank", more=rule) for _number in range(count)]
    return "".join([write_paragraph(write_run(block.label, look), "Blank", more=KEEP), *lines, _write_note()])


def _add_picture(file: WordFile, block: Picture, document: Document) -> None:
    png = document.pictures[block.key]
    add_picture(file, png, measure_picture(png, block.width_share), block.alt, keep=bool(block.caption))
    if block.caption:
        words = write_run(block.caption, Look(size_pt=9, colour=GREY, sans=True))
        append_xml(file, write_paragraph(words, "Caption", align="center"))


def _save(file: WordFile) -> bytes:
    """Return the file without any time of writing: every part of the zip carries the earliest date."""
    made, clean = io.BytesIO(), io.BytesIO()
    file.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(clean, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            info = zipfile.ZipInfo(part.filename, EARLIEST)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(part.filename))
    return clean.getvalue()
