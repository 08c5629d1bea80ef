"""A document as Word: the same words as the PDF, no person and no time, no text that becomes markup."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import docx
import pytest

from geodata.errors import ExportError
from reports.document import Document, Paragraph, Picture
from reports.document_fonts import list_texts
from reports.document_word import render_word
from tests.reports.document_samples import BEYOND, HOSTILE, build_chinese, build_english

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@lru_cache(maxsize=2)
def _render(language: str) -> bytes:
    return render_word(build_chinese() if language == "zh" else build_english())


def _read(word: bytes, part: str = "word/document.xml") -> str:
    tree = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(word)).read(part))
    words = (
        item.text or "" if item.tag == f"{W}t" else "\n" for item in tree.iter() if item.tag in (f"{W}t", f"{W}br")
    )
    return "".join(words)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_word_of_the_document_is_there(language: str) -> None:
    document = build_chinese() if language == "zh" else build_english()
    word = _render(language)
    parts = [
        name
        for name in zipfile.ZipFile(io.BytesIO(word)).namelist()
        if name.startswith("word/") and name.endswith(".xml")
    ]
    read = "\n".join(_read(word, name) for name in parts if "header" in name or "footer" in name or "document" in name)
    alt = {block.alt for block in document.blocks if isinstance(block, Picture)}
    missing = [
        text for text in list_texts(document) if text not in read and text not in alt and text != document.author
    ]
    assert not missing
    # The same order of blocks as written.
    tables = docx.Document(io.BytesIO(word)).tables
    wanted = [block for block in document.blocks if type(block).__name__ in ("Table", "Facts", "Box")]
    assert len(tables) == len(wanted)


def test_hostile_words_and_rare_names_stay_as_they_are() -> None:
    word = render_word(build_chinese(Paragraph(f"{HOSTILE}\x07{BEYOND}村")))
    assert f"{HOSTILE}{BEYOND}村" in _read(word)


def test_the_file_names_no_person_and_no_time() -> None:
    word = _render("zh")
    assert word == render_word(build_chinese())
    files = zipfile.ZipFile(io.BytesIO(word))
    core = files.read("docProps/core.xml").decode()
    assert "created" not in core and "modified" not in core and "python-docx" not in core
    assert {entry.date_time for entry in files.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert docx.Document(io.BytesIO(word)).core_properties.author == "示例县教育局"
    assert not any("thumbnail" in name or "comments" in name for name in files.namelist())


def test_tables_repeat_their_heading_and_cut_no_row() -> None:
    table = docx.Document(io.BytesIO(_render("zh"))).tables[-1]
    rows: list[Any] = [row._tr for row in table.rows]
    assert len(rows) == 61
    assert rows[0].find(f"{W}trPr/{W}tblHeader") is not None and rows[1].find(f"{W}trPr/{W}tblHeader") is None
    assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)
    widths = [int(cell.get(f"{W}w")) for cell in table._tbl.tblGrid.iter(f"{W}gridCol")]
    assert abs(sum(widths) - round(168 * 1440 / 25.4)) <= 4 and widths[3] > widths[1]


def test_chinese_has_its_own_fonts_everywhere() -> None:
    tree = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(_render("zh"))).read("word/document.xml"))
    fonts = {run.get(f"{W}eastAsia") for run in tree.iter(f"{W}rFonts")}
    assert fonts == {"宋体", "黑体"}


def test_pictures_are_described_and_page_numbers_are_counted() -> None:
    word = _render("zh")
    file = docx.Document(io.BytesIO(word))
    assert [shape._inline.docPr.get("descr") for shape in file.inline_shapes] == ["第一小学的学区图"]
    foot = next(
        name for name in zipfile.ZipFile(io.BytesIO(word)).namelist() if "footer" in name and name.endswith("xml")
    )
    text = zipfile.ZipFile(io.BytesIO(word)).read(foot).decode()
    assert " PAGE " in text and " NUMPAGES " in text
    assert "征求意见稿" in file.sections[0].header._element.xpath("string()")


def test_a_missing_picture_is_refused() -> None:
    with pytest.raises(ExportError):
        render_word(Document("t", "en", (Picture("x", "alt"),)))
