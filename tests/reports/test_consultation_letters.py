"""Letters to communities, the table for mail merge, and the form on paper."""

from __future__ import annotations

from reports.comment_form import COMMENT_FIELDS
from reports.consultation_case import Consultation
from reports.consultation_form import build_paper_form
from reports.consultation_letters import build_letter_rows, build_letters
from reports.document import Blank, Document, PageBreak, Table
from reports.language import read_catalogue
from tests.reports.consultation_samples import FILLED, build_done, build_merger, build_point, list_texts

EN = read_catalogue("en")


def _merger() -> Consultation:
    return build_merger(FILLED)


def _split_letters(document: Document) -> list[list[str]]:
    """Return the texts of every page after the cover."""
    pages: list[list[str]] = [[]]
    for block in document.blocks:
        if isinstance(block, PageBreak):
            pages.append([])
        else:
            pages[-1] += list_texts(Document("", "en", (block,)))
    return pages[1:]


def test_one_page_for_every_community_that_changes() -> None:
    letters = _split_letters(build_letters(_merger(), EN))
    assert [page[0] for page in letters] == [
        f"To the families of {town}, Community no. {unit}"
        for town, unit in (("Easttown", "d"), ("Easttown", "e"), ("Westtown", "c"))
    ]


def test_letter_says_before_after_why_and_until_when() -> None:
    page = "\n".join(_split_letters(build_letters(_merger(), EN))[0])
    for text in (
        *("East School", "West School", "10 min on foot, 1 km", "30 min on foot, 3 km", "20 min longer"),
        *("2027/28", "merged", "30 Mar 2026", "000", "Example office", "Nothing is decided yet"),
    ):
        assert text in page


def test_letter_of_the_bus_says_so() -> None:
    page = "\n".join(_split_letters(build_letters(_merger(), EN))[1])
    assert "8 min, by the new school bus" in page


def test_no_letter_tells_a_count_of_children() -> None:
    """d has 4 children, e has 30, c has 12: none of these numbers is a cell or a word of a letter of theirs."""
    rows = build_letter_rows(_merger(), EN)
    assert not [title for title in rows.columns if "child" in title.lower() or "pupil" in title.lower()]
    for page in _split_letters(build_letters(_merger(), EN)):
        words = [word.strip(".,:;") for text in page for word in text.split()]
        assert "4" not in words
        assert "12" not in words


def test_letter_after_the_decision_asks_for_no_opinion() -> None:
    page = "\n".join(_split_letters(build_letters(build_merger(FILLED, build_done("closure")), EN))[0])
    assert "Nothing is decided" not in page
    assert "Tell us what you think" not in page
    assert "If you have a question" in page


def test_grades_that_part_have_rows_of_their_own() -> None:
    document = build_letters(build_point(), EN)
    tables = [block for block in document.blocks if isinstance(block, Table) and block.headings[0] == ""]
    assert [row[0] for row in tables[0].rows] == [
        "School, grades 1 to 3",
        "Way to school, one way, grades 1 to 3",
        "School, grade 4 and above",
        "Way to school, one way, grade 4 and above",
    ]
    assert tables[0].rows[0][1:] == ("East School", "East School")
    assert tables[0].rows[2][1:] == ("East School", "West School")


def test_mail_merge_has_the_same_content() -> None:
    rows = build_letter_rows(_merger(), EN).set_index("Number of the community")
    assert list(rows.index) == ["d", "e", "c"]
    row = rows.loc["d"]
    assert row["School today"] == "East School"
    assert row["School in the proposal"] == "West School"
    assert (row["Way today"], row["Way in the proposal"]) == ("10 min", "30 min")
    assert row["From the school year"] == "2027/28"
    assert row["Comments until"] == "30 Mar 2026"
    assert row["Pack"] == _merger().pack_id
    assert rows.notna().all(axis=None)


def test_paper_form_asks_what_the_page_asks() -> None:
    form = build_paper_form(_merger(), EN)
    texts = list_texts(form)
    for number, field in enumerate(COMMENT_FIELDS, start=1):
        label = f"{number}. {EN.say(field.label)}"
        assert [text for text in texts if text.startswith(label)]
        for option in field.options:
            assert [text for text in texts if EN.say(option.label) in text.replace("\u00a0", " ")]
    lines = [block.lines for block in form.blocks if isinstance(block, Blank)]
    assert len(lines) == len([field for field in COMMENT_FIELDS if not field.options and field.listed != "stages"])
    assert _merger().pack_id in texts
