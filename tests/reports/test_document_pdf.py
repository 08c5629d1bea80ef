"""A document as PDF: every word is there and can be copied, none is read as markup, the same bytes twice."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

import pytest
from pypdf import PdfReader

from geodata.errors import ExportError
from reports.document import Document, Paragraph, Picture, Table
from reports.document_fonts import OTHER_RANGES, OTHER_SIGNS, find_missing_characters, list_texts
from reports.document_pdf import MISSING_SIGN, render_pages, render_pdf
from tests.reports.document_samples import BEYOND, DIGEST, HOSTILE, LATIN, RARE, build_chinese, build_english


@lru_cache(maxsize=4)
def _render(language: str) -> bytes:
    return render_pdf(build_chinese() if language == "zh" else build_english())


def _read(pdf: bytes) -> list[str]:
    """Return the words of each page without spaces, line ends and places to break."""
    return ["".join(page.extract_text().replace("\u200b", "").split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def _join(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_word_can_be_copied(language: str) -> None:
    document = build_chinese() if language == "zh" else build_english()
    pages = _read(_render(language))
    read = "".join(pages)
    for text in list_texts(replace(document, author="")):
        alt = [block.alt for block in document.blocks if isinstance(block, Picture)]
        for line in text.split("\n"):
            whole = _join(line)
            # A cell or a line may be broken anywhere: the pieces come in order.
            assert text in (*alt, LATIN) or whole in read or whole in read.replace("-", ""), line
    assert all(_join(document.status) in page and _join(document.footer.split("\n")[0]) in page for page in pages)


def test_letters_of_other_languages_can_be_copied() -> None:
    # pypdf says some letters of mixed fonts twice; what counts is that each is there.
    assert set(_join(LATIN)) <= set("".join(_read(_render("zh"))))


def test_hostile_words_are_only_words() -> None:
    assert _join(HOSTILE) in "".join(_read(_render("zh")))


def test_the_same_document_gives_the_same_bytes_without_time_or_person() -> None:
    document = build_english()
    pdf = render_pdf(document)
    assert pdf == _render("en")
    information = PdfReader(io.BytesIO(pdf)).metadata
    assert information is not None and set(information) <= {"/Title", "/Creator", "/Producer"}
    assert b"CreateDate" not in pdf and b"/CreationDate" not in pdf


def test_the_pdf_is_tagged_with_language_title_and_alternative_text() -> None:
    reader = PdfReader(io.BytesIO(_render("zh")))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and str(root["/Lang"]).lower().startswith("zh")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert [item["/Title"] for item in reader.outline if isinstance(item, dict)][-1] == "二、意见"


def test_only_the_fonts_of_the_package_are_embedded() -> None:
    fonts: set[str] = set()
    for page in PdfReader(io.BytesIO(_render("en"))).pages:
        fonts |= {str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()}
    assert fonts and all("NotoSerifSC" in name or "NotoSansSC" in name for name in fonts)


def test_pages_are_counted_and_a_table_repeats_its_heading() -> None:
    pages = _read(_render("zh"))
    assert len(pages) >= 3
    rows = [page for page in pages if "第40社区" in page or "第1社区" in page]
    assert len(rows) >= 2 and all("调整前" in page for page in rows)


def test_a_document_without_missing_steps_carries_no_banner() -> None:
    pages = _read(render_pdf(build_chinese(status="")))
    assert "征求意见稿" not in "".join(pages)


def test_rare_names_are_set_and_those_beyond_are_named() -> None:
    assert find_missing_characters([RARE, LATIN]) == ()
    document = build_chinese(Paragraph(f"{BEYOND}村"))
    assert find_missing_characters(list_texts(document)) == (BEYOND,)
    read = "".join(_read(render_pdf(document)))
    assert f"{MISSING_SIGN}村" in read and "U+20BB7" in read


def test_letters_that_typst_brings_itself_are_really_there() -> None:
    # PDF/A-2u is refused where a letter has no picture: an independent look at what find_missing_characters says.
    import typst

    from reports.document_pdf import TEMPLATE, _find_fonts

    families = 'font: ("Noto Serif SC", "Libertinus Serif", "DejaVu Sans Mono")'
    assert families.removeprefix("font: ") in TEMPLATE.read_text(encoding="utf-8")
    letters = "".join(chr(code) for first, last in OTHER_RANGES for code in range(first, last + 1)) + OTHER_SIGNS
    for text, fine in ((letters + RARE, True), (letters + BEYOND, False)):
        source = (
            f"#set document(date: datetime(year: 2000, month: 1, day: 1))\n#set text({families})\n#text(sys.inputs.w)"
        )
        compiler = typst.Compiler(source.encode(), font_paths=_find_fonts(), sys_inputs={"w": text})
        if fine:
            assert compiler.compile(format="pdf", pdf_standards=["a-2u"])
        else:
            with pytest.raises(typst.TypstError):
                compiler.compile(format="pdf", pdf_standards=["a-2u"])


def test_long_digests_break_inside_their_column() -> None:
    table = Table(("a", "b"), ((DIGEST, "x"),), (0.1, 0.9))
    read = "".join(_read(render_pdf(Document("t", "en", (table,)))))
    assert DIGEST in read


def test_pages_as_pictures() -> None:
    pages = render_pages(build_english(), 50)
    assert len(pages) == len(_read(_render("en"))) and all(page.startswith(b"\x89PNG") for page in pages)


def test_a_broken_document_is_refused_in_words() -> None:
    with pytest.raises(ExportError, match="rows of"):
        render_pdf(Document("t", "en", (Table(("a", "b"), (("1",),)),)))
    with pytest.raises(ExportError, match="not there"):
        render_pdf(Document("t", "en", (Picture("x", "alt"),)))
    with pytest.raises(ExportError, match="not a PNG"):
        render_pdf(Document("t", "en", (Picture("x", "alt"),), pictures={"x": b"GIF89a"}))
