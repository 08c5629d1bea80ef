"""Pieces of a Word file: runs, paragraphs and tables as WordprocessingML, styles, page, head and foot.

Tables are written as text and parsed once: python-docx needs 20 times as long for a table of thousands of rows. Every
word passes :func:`escape_words`, so that no text can become markup.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from reports.document import Align, Document
from reports.document_layout import (
    LINE_MM,
    MARGIN_BOTTOM_MM,
    MARGIN_SIDE_MM,
    MARGIN_TOP_MM,
    PAGE_HEIGHT_MM,
    PAGE_WIDTH_MM,
)
from reports.language import read_catalogue

if TYPE_CHECKING:
    from docx.document import Document as WordFile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
INK, GREY, ACCENT, ALARM, RULE = "1A1A1A", "595959", "1F3D5C", "A32020", "A6A6A6"
TONES = {"plain": ACCENT, "lead": ACCENT, "small": GREY, "good": "1D6B3A", "warn": "8A5A00", "bad": ALARM}
TWIPS_PER_MM = 1440 / 25.4
SERIF_FONTS, SANS_FONTS = ("Times New Roman", "宋体"), ("Arial", "黑体")
OTHER_NAMES = {"宋体": "SimSun;Noto Serif SC;Noto Serif CJK SC", "黑体": "SimHei;Noto Sans SC;Noto Sans CJK SC"}
_CHINESE = re.compile("[\u2e80-\uffef]")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Look:
    """How words look: size in points, weight, colour (six hexadecimal digits), serif or sans."""

    size_pt: float = 10.5
    bold: bool = False
    colour: str = INK
    sans: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell: paragraphs of runs, each run words with their look."""

    paragraphs: tuple[tuple[str, Look], ...]
    align: Align = "left"


@dataclass(frozen=True)
class Grid:
    """A table: width of its columns in mm, cells by row, whether the first row is repeated on every page.

    ``frame``: colour of a frame around; empty: thin rules between the rows, as in a good print. ``keep``: all rows stay
    on one page; else only the heading and the first row do.
    """

    widths_mm: Sequence[float]
    rows: Iterable[Sequence[Cell]]
    heading: bool = False
    frame: str = ""
    keep: bool = False


def escape_words(text: str) -> str:
    """Return a text for XML: marks escaped, characters that XML forbids left out."""
    return escape(_UNFIT.sub("", text.replace("\r\n", "\n")))


def _write_look(look: Look, chinese_text: bool = False) -> str:
    latin, chinese = SANS_FONTS if look.sans else SERIF_FONTS
    # The hint sets the quotation marks of a Chinese sentence in the Chinese font.
    wide = ' w:hint="eastAsia"' if chinese_text else ""
    fonts = f'<w:rFonts{wide} w:ascii="{latin}" w:hAnsi="{latin}" w:cs="{latin}" w:eastAsia="{chinese}"/>'
    size = round(look.size_pt * 2)
    weight = "<w:b/>" if look.bold else ""
    return (
        f'<w:rPr>{fonts}{weight}<w:color w:val="{look.colour}"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr>'
    )


def write_run(text: str, look: Look) -> str:
    """Return the runs of a text; a line end is a line break, a tab a tab."""
    lines = escape_words(text).split("\n")
    inner = "<w:br/>".join(
        "<w:tab/>".join(f'<w:t xml:space="preserve">{part}</w:t>' for part in line.split("\t")) for line in lines
    )
    chinese = 2 * len(_CHINESE.findall(text)) > len(text.strip())
    return f"<w:r>{_write_look(look, chinese)}{inner}</w:r>"


def write_paragraph(runs: str, style: str, *, align: Align = "left", more: str = "") -> str:
    """Return a paragraph of a style (its id); ``more``: further properties, in the order that the schema asks for."""
    side = "" if align == "left" else f'<w:jc w:val="{align}"/>'
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}{side}</w:pPr>{runs}</w:p>'


def write_grid(grid: Grid) -> str:
    """Return a table as XML: fixed widths, rows that no page's end cuts."""
    widths = [round(width * TWIPS_PER_MM) for width in grid.widths_mm]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    all_rows = list(grid.rows)
    rows = "".join(_write_row(row, widths, grid, (n, len(all_rows) - 1)) for n, row in enumerate(all_rows))
    high, wide = (90, 140) if grid.frame else (38, 68)
    sides = (("top", high), ("left", wide), ("bottom", high), ("right", wide))
    margins = "".join(f'<w:{side} w:w="{width}" w:type="dxa"/>' for side, width in sides)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblInd w:w="0" w:type="dxa"/>{_write_borders(grid)}<w:tblLayout w:type="fixed"/>'
        f"<w:tblCellMar>{margins}</w:tblCellMar></w:tblPr><w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>"
    )


def _write_borders(grid: Grid) -> str:
    if grid.frame:
        sides = [("top", 4, grid.frame), ("left", 24, grid.frame), ("bottom", 4, grid.frame), ("right", 4, grid.frame)]
    else:
        sides = [("top", 8, INK), ("bottom", 8, INK), ("insideH", 4, RULE)]
    lines = "".join(f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{c}"/>' for side, size, c in sides)
    return f"<w:tblBorders>{lines}</w:tblBorders>"


def _write_row(row: Sequence[Cell], widths: Sequence[int], grid: Grid, place: tuple[int, int]) -> str:
    """Return a row; ``place``: its number and that of the last row."""
    heading = grid.heading and not place[0]
    keep = place[0] < place[1] and (grid.keep or heading)
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="{}"/>'
    fill = shade.format("F5F6F7") if grid.frame else shade.format("EEF1F4") if heading else ""
    under = f'<w:tcBorders><w:bottom w:val="single" w:sz="6" w:space="0" w:color="{INK}"/></w:tcBorders>'
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{under if heading else ""}{fill}'
        f'<w:vAlign w:val="center"/></w:tcPr>{_write_cell(cell, keep)}</w:tc>'
        for cell, width in zip(row, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if heading else ''}</w:trPr>{cells}</w:tr>"


def _write_cell(cell: Cell, keep: bool) -> str:
    more = "<w:keepNext/>" if keep else ""
    return "".join(write_paragraph(write_run(*words), "Cell", align=cell.align, more=more) for words in cell.paragraphs)


def append_xml(file: WordFile, xml: str) -> None:
    """Add paragraphs or tables at the end of the document."""
    from docx.oxml.parser import parse_xml

    last = file.element.body.sectPr
    for part in list(parse_xml(f'<w:body xmlns:w="{W}">{xml}</w:body>')):
        last.addprevious(part)


def write_field(code: str, look: Look, shown: str = "1") -> str:
    """Return a field, such as the number of the page, with what it shows until it is counted."""
    style = _write_look(look)
    return (
        f'<w:r>{style}<w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r>{style}<w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        f'<w:r>{style}<w:fldChar w:fldCharType="separate"/></w:r>{write_run(shown, replace(look))}'
        f'<w:r>{style}<w:fldChar w:fldCharType="end"/></w:r>'
    )


def add_picture(file: WordFile, png: bytes, size_mm: tuple[float, float], alt: str, *, keep: bool) -> None:
    """Add a picture in the middle of the line, with the words that are read aloud in its place."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    paragraph = file.add_paragraph(style="Cell")
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = keep
    shape = paragraph.add_run().add_picture(io.BytesIO(png), Mm(size_mm[0]), Mm(size_mm[1]))
    # Without these LibreOffice keeps 3 mm on both sides, and a picture as wide as the line leaves the line.
    for side in ("distT", "distB", "distL", "distR"):
        shape._inline.set(side, "0")
    words = _UNFIT.sub("", alt)
    for properties in shape._inline.iter():
        if properties.tag.endswith("}docPr") or properties.tag.endswith("}cNvPr"):
            properties.set("descr", words)
            properties.set("name", f"picture{shape._inline.docPr.id}")


def build_file(document: Document) -> WordFile:
    """Return an empty A4 file with its styles, head and foot, and no person or time in its properties."""
    import docx

    file = docx.Document()
    _clear_properties(file, document)
    _set_form(file)
    _set_page(file)
    _set_styles(file)
    _name_fonts(file)
    _write_head(file, document)
    _write_foot(file, document)
    return file


def _set_form(file: WordFile) -> None:
    """Ask for Word 2013's layout: tables stand in line with the text, not their words."""
    for setting in file.settings.element.iter(f"{{{W}}}compatSetting"):
        if setting.get(f"{{{W}}}name") == "compatibilityMode":
            setting.set(f"{{{W}}}val", "15")


def _clear_properties(file: WordFile, document: Document) -> None:
    properties = file.core_properties
    properties.title, properties.author = _UNFIT.sub("", document.title)[:255], _UNFIT.sub("", document.author)[:255]
    properties.comments, properties.last_modified_by, properties.language = "", "", _write_locale(document)
    element = properties._element
    for child in list(element):
        if child.tag.rsplit("}", 1)[-1] in ("created", "modified", "lastModifiedBy", "revision", "description"):
            element.remove(child)
    package = file.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype.endswith("/thumbnail"):
            del package.rels[key]


def _write_locale(document: Document) -> str:
    return "zh-CN" if document.language == "zh" else "en-GB"


def _set_page(file: WordFile) -> None:
    from docx.shared import Mm

    page = file.sections[0]
    page.page_width, page.page_height = Mm(PAGE_WIDTH_MM), Mm(PAGE_HEIGHT_MM)
    page.left_margin = page.right_margin = Mm(MARGIN_SIDE_MM)
    page.top_margin, page.bottom_margin = Mm(MARGIN_TOP_MM + 2), Mm(MARGIN_BOTTOM_MM + 2)
    page.header_distance, page.footer_distance = Mm(11), Mm(9)


def _set_styles(file: WordFile) -> None:
    """Set the styles that are used: fonts for Latin and Chinese, sizes, space, never a theme's font."""
    from docx.enum.style import WD_STYLE_TYPE

    styles = file.styles
    for name in ("Cell", "Note", "Blank", "ContentsTitle"):
        styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Normal"]
    looks = {
        "Normal": (Look(), 0, 5, 1.25),
        "Cell": (Look(size_pt=9), 0, 0, 1.0),
        "Note": (Look(size_pt=8, colour=GREY, sans=True), 3, 6, 1.0),
        "Blank": (Look(size_pt=9.5, sans=True), 8, 0, 1.15),
        "Title": (Look(size_pt=20, bold=True), 0, 6, 1.1),
        "Subtitle": (Look(size_pt=11, colour=GREY, sans=True), 0, 12, 1.1),
        "Heading 1": (Look(size_pt=14.5, bold=True, colour=ACCENT, sans=True), 16, 6, 1.1),
        "Heading 2": (Look(size_pt=12, bold=True, colour=ACCENT, sans=True), 12, 5, 1.1),
        "Heading 3": (Look(size_pt=10.5, bold=True, sans=True), 9, 4, 1.1),
        "ContentsTitle": (Look(size_pt=14.5, bold=True, colour=ACCENT, sans=True), 8, 4, 1.1),
        "Caption": (Look(size_pt=9, sans=True), 8, 3, 1.1),
        "Header": (Look(size_pt=8, colour=GREY, sans=True), 0, 0, 1.0),
        "Footer": (Look(size_pt=7.5, colour=GREY, sans=True), 0, 0, 1.0),
    }
    for name, (look, before, after, line) in looks.items():
        _set_style(styles[name], look, (before, after, line))


def _set_style(style: Any, look: Look, space: tuple[float, float, float]) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.parser import parse_xml
    from docx.shared import Pt

    element = style.element
    for old in (*element.findall(f"{{{W}}}rPr"), *element.findall(f"{{{W}}}pPr")):
        element.remove(old)
    element.append(parse_xml(_write_look(look).replace("<w:rPr>", f'<w:rPr xmlns:w="{W}">', 1)))
    language = f'<w:lang xmlns:w="{W}" w:val="en-GB" w:eastAsia="zh-CN"/>'
    element.find(f"{{{W}}}rPr").append(parse_xml(language))
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(space[0]), Pt(space[1]), space[2]
    form.widow_control = True
    if style.name in ("Title", "Subtitle"):
        form.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if style.name.startswith("Heading"):
        form.keep_with_next = True
        level = parse_xml(f'<w:outlineLvl xmlns:w="{W}" w:val="{int(style.name[-1]) - 1}"/>')
        element.find(f"{{{W}}}pPr").append(level)


def _name_fonts(file: WordFile) -> None:
    """Say which other fonts may stand in for 宋体 and 黑体 where they are not installed."""
    for part in file.part.package.iter_parts():
        if str(part.partname) == "/word/fontTable.xml":
            entries = "".join(
                f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
                for name, other in OTHER_NAMES.items()
            )
            # A part without a class of its own keeps its bytes; the document that carries them is a template's.
            part._blob = part.blob.replace(b"</w:fonts>", entries.encode() + b"</w:fonts>")


def _write_head(file: WordFile, document: Document) -> None:
    """Write the title and, framed, the status at the head of every page."""
    look = Look(size_pt=8, colour=GREY, sans=True)
    frame = f'<w:bdr w:val="single" w:sz="6" w:space="2" w:color="{ALARM}"/>'
    status = write_run(f" {document.status} ", Look(size_pt=8.5, bold=True, colour=ALARM, sans=True))
    status = status.replace("</w:rPr>", frame + "</w:rPr>", 1) if document.status else ""
    tab = round(LINE_MM * TWIPS_PER_MM)
    more = f'<w:tabs><w:tab w:val="right" w:pos="{tab}"/></w:tabs>'
    words = write_run(f"{document.title}\t", look)
    _replace_words(file.sections[0].header, write_paragraph(words + status, "Header", more=more))


def _write_foot(file: WordFile, document: Document) -> None:
    """Write sources and version beside the number of the page."""
    look = Look(size_pt=7.5, colour=GREY, sans=True)
    _ = read_catalogue(document.language)
    before, rest = _("Page {page} of {pages}", page="\x01", pages="\x02").split("\x01")
    between, after = rest.split("\x02")
    number = write_run(before, look) + write_field("PAGE", look) + write_run(between, look)
    number += write_field("NUMPAGES", look) + (write_run(after, look) if after else "")
    widths = [round(share * LINE_MM * TWIPS_PER_MM) for share in (0.8, 0.2)]
    words = write_paragraph(write_run(document.footer, look), "Footer")
    side = write_paragraph(number, "Footer", align="right")
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{inner}</w:tc>'
        for width, inner in zip(widths, (words, side), strict=True)
    )
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    top = f'<w:tblBorders><w:top w:val="single" w:sz="4" w:space="0" w:color="{RULE}"/></w:tblBorders>'
    none = '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar>'
    table = (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblInd w:w="0" w:type="dxa"/>{top}'
        f'<w:tblLayout w:type="fixed"/>{none}</w:tblPr><w:tblGrid>{columns}</w:tblGrid><w:tr>{cells}</w:tr></w:tbl>'
    )
    last = '<w:p><w:pPr><w:pStyle w:val="Footer"/><w:spacing w:line="20" w:lineRule="exact"/></w:pPr></w:p>'
    _replace_words(file.sections[0].footer, table + last)


def _replace_words(place: Any, xml: str) -> None:
    from docx.oxml.parser import parse_xml

    place.is_linked_to_previous = False
    element = place._element
    for child in list(element):
        element.remove(child)
    for part in list(parse_xml(f'<w:body xmlns:w="{W}">{xml}</w:body>')):
        element.append(part)
