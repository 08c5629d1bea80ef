"""A document as PDF, or as pictures of its pages: set by typst, without any font or file of the machine.

The words go to typst as JSON beside the template, never as markup: a name such as ``#read("…")`` is only a name.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from geodata.errors import ExportError
from geodata.messages import msg
from reports.document import Blank, Block, Document, Facts, Picture, Table
from reports.document_fonts import MISSING_SIGN, find_missing_characters, list_font_files, list_texts, name_character
from reports.document_layout import (
    LINE_EM,
    MARGIN_BOTTOM_MM,
    MARGIN_SIDE_MM,
    MARGIN_TOP_MM,
    check_tables,
    count_blank_lines,
    let_break,
    level_headings,
    list_aligns,
    measure_picture,
    measure_text,
    share_facts,
    share_widths,
)
from reports.language import read_catalogue

if TYPE_CHECKING:
    import typst

TEMPLATE = Path(__file__).with_name("document_template.typ")
STANDARDS: tuple[Literal["ua-1"], ...] = ("ua-1",)
"""PDF/UA-1: read aloud in order, with tags, language and what each picture shows. (PDF/A demands a date of writing.)"""


def render_pdf(document: Document) -> bytes:
    """Return a document as PDF: tagged, archival, the same bytes for the same document.

    A character that the fonts lack is set as 〓, and a line at the end names it.

    Raises
    ------
    ExportError
        A table's rows differ in width, a picture is missing, or typst refuses.
    """
    return _compile(document, "pdf", 144.0)[0]


def render_pages(document: Document, ppi: float = 96.0) -> list[bytes]:
    """Return the pages of :func:`render_pdf` as PNG, ``ppi`` dots an inch; errors as there."""
    return _compile(document, "png", ppi)


def _compile(document: Document, form: str, ppi: float) -> list[bytes]:
    import typst

    check_tables(document)
    with tempfile.TemporaryDirectory(prefix="buju-document-") as name:
        folder = Path(name)
        (folder / "main.typ").write_bytes(TEMPLATE.read_bytes())
        files = _write_pictures(document, folder)
        content = json.dumps(_build_content(document, files), ensure_ascii=False)
        (folder / "document.json").write_text(content, encoding="utf-8")
        try:
            compiler = typst.Compiler(folder / "main.typ", root=folder, font_paths=_find_fonts())
            made = compiler.compile(
                format="pdf" if form == "pdf" else "png",
                ppi=ppi,
                pdf_standards=list(STANDARDS) if form == "pdf" else [],
                timestamp=0,
            )
        except typst.TypstError as error:
            raise ExportError(msg("typst could not set the document: {reason}", reason=str(error))) from error
    return list(made) if isinstance(made, list) else [bytes(made or b"")]


@lru_cache(maxsize=1)
def _find_fonts() -> typst.Fonts:
    """Return the fonts of the package and those of typst: found once, none of the machine."""
    import typst

    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=sorted({str(path.parent) for path in list_font_files()}),
    )


def _write_pictures(document: Document, folder: Path) -> dict[str, str]:
    """Write the pictures that the blocks show; return their file names by key."""
    shown = dict.fromkeys(block.key for block in document.blocks if isinstance(block, Picture))
    files = {key: f"picture{number}.png" for number, key in enumerate(shown)}
    for key, name in files.items():
        (folder / name).write_bytes(document.pictures[key])
    return files


def _build_content(document: Document, files: dict[str, str]) -> dict[str, Any]:
    """Return everything that the template reads, ready for JSON."""
    _ = read_catalogue(document.language)
    missing = find_missing_characters(list_texts(document))
    cover = str.maketrans(dict.fromkeys(missing, MISSING_SIGN))
    blocks = [_build_block(block, document, files) for block in level_headings(document.blocks)]
    content = {
        "language": document.language,
        "title": document.title,
        "subtitle": document.subtitle,
        "status": document.status,
        "footer": document.footer,
        "author": document.author,
        "contents": document.contents,
        "blocks": blocks,
        "words": {"page": _split_page_words(document), "contents": _("Contents")},
        "margins": {"top": MARGIN_TOP_MM, "bottom": MARGIN_BOTTOM_MM, "side": MARGIN_SIDE_MM},
    }
    covered: dict[str, Any] = _cover(content, cover)
    if missing:
        codes = _.join(name_character(letter).split(" ", 1)[1].strip("()") for letter in missing)
        line = _("The fonts lack these characters; {sign} stands for them: {codes}", sign=MISSING_SIGN, codes=codes)
        covered["blocks"].append({"kind": "Paragraph", "text": line, "tone": "small", "bold": False, "align": "left"})
    return covered


def _split_page_words(document: Document) -> list[str]:
    """Return what stands before, between and after the two numbers of "Page 2 of 5"."""
    _ = read_catalogue(document.language)
    before, rest = _("Page {page} of {pages}", page="\x01", pages="\x02").split("\x01")
    return [before, *rest.split("\x02")]


def _build_block(block: Block, document: Document, files: dict[str, str]) -> dict[str, Any]:
    content = {"kind": type(block).__name__, **asdict(block)}
    match block:
        case Table():
            content |= {"widths": share_widths(block), "aligns": list_aligns(block)}
        case Facts():
            content["share"] = share_facts(block)
        case Picture():
            width_mm, height_mm = measure_picture(document.pictures[block.key], block.width_share)
            content |= {"file": files[block.key], "width": width_mm, "height": height_mm}
        case Blank():
            content["lines"] = count_blank_lines(block)
            content["share"] = min(0.5, (measure_text(block.label) + 0.5) / LINE_EM)
    return content


def _cover(content: Any, cover: dict[int, str]) -> Any:
    """Return the content with words that may break, and with a sign for each character that no font has."""
    if isinstance(content, str):
        return let_break(content.replace("\r\n", "\n").translate(cover))
    if isinstance(content, dict):
        return {key: value if key in ("file", "kind") else _cover(value, cover) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_cover(value, cover) for value in content]
    return content
