"""The public notice: what it says of a merger, what it must not say, and what is left to be filled in.

When the golden text changes and the new one reads better: write it again with
``python -m tests.reports.test_consultation_notice``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from planning.procedure import STEPS
from planning.publication_options import PackOptions
from reports.consultation_case import Consultation
from reports.consultation_changes import build_changes
from reports.consultation_closures import list_closure_tests
from reports.consultation_letters import build_letters
from reports.consultation_notice import build_notice, list_notice_maps
from reports.consultation_zones import build_notice_zones
from reports.document import Blank, Document, Heading, Picture, Table
from reports.language import LANGUAGES, Language, read_catalogue
from reports.static_maps import name_map
from tests.reports.consultation_samples import FILLED, answer_merger, build_done, build_merger, build_point, list_texts
from tests.worlds import WorldUnit

EN = read_catalogue("en")
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
NASTY = "{threshold} <b>#x[$"


def _merger(filled: bool = False) -> Consultation:
    return build_merger(FILLED if filled else None)


def _read(consultation: Consultation) -> str:
    return "\n".join(list_texts(build_notice(consultation, {}, EN)))


def render_golden(language: Language) -> str:
    """Return notice and letters of the merger as text, a table's row on a line; without what names the pack."""
    consultation, _ = _merger(filled=True), read_catalogue(language)
    lines: list[str] = []
    for document in (build_notice(consultation, {}, _), build_letters(consultation, _)):
        lines += [f"# {document.title}", f"[{document.status}]"]
        for block in document.blocks:
            if isinstance(block, Table):
                rows = (block.headings, *block.rows)
                lines += [block.caption, *(" | ".join(row).replace("\n", " / ") for row in rows), block.note]
            else:
                lines += list_texts(Document("", language, (block,)))
    return "\n".join(line for line in lines if line) + "\n"


def name_golden(language: Language) -> Path:
    """Return the file of a language's golden text."""
    return GOLDEN / f"consultation_notice_{language}.txt"


@pytest.mark.parametrize("language", LANGUAGES)
def test_notice_and_letters_read_as_before(language: Language) -> None:
    assert render_golden(language) == name_golden(language).read_text(encoding="utf-8")


def test_notice_tells_what_happens_to_each_school() -> None:
    notice = build_notice(_merger(), {}, EN)
    table = next(block for block in notice.blocks if isinstance(block, Table))
    assert table.rows == (
        ("East School", "merged into West School", "2027/28", "40 → 0", "1 → 0", "46 → 0"),
        ("West School", "zone changes", "2027/28", "100", "2", "50 → 96"),
    )
    headings = [block.text for block in notice.blocks if isinstance(block, Heading) and block.level == 2]
    assert headings == ["East School", "West School"]


def test_communities_come_and_leave_with_their_ways() -> None:
    tables = {block.caption: block for block in build_notice(_merger(), {}, EN).blocks if isinstance(block, Table)}
    leaving = {row[0]: row for row in tables["Communities that leave this school"].rows}
    coming = {row[0]: row for row in tables["Communities that come to this school"].rows}
    assert set(leaving) == set(coming) == {f"Community no. {unit}" for unit in "cde"}
    assert leaving["Community no. d"][2:6] == ("East School", "West School", "10 min", "30 min")
    assert leaving["Community no. e"][5] == "8 min*", "the bus is marked"
    assert "school bus" in tables["Communities that leave this school"].note


def test_small_counts_stand_nowhere() -> None:
    """d has 4 pupils: hidden, and e beside it; neither number may be found as a cell of any table."""
    consultation = _merger()
    hidden = consultation.publication.units.set_index("unit_id")["pupils_hidden"]
    assert hidden["d"] and hidden.sum() >= 2
    tables = [block for block in build_notice(consultation, {}, EN).blocks if isinstance(block, Table)]
    rows = [row for table in tables for row in table.rows if row[0] in ("Community no. d", "Community no. e")]
    assert rows
    assert {row[-1] for row in rows} == {"not shown"}
    assert "Not shown" in next(table.note for table in tables if table.note)


def test_mean_ways_of_schools_are_not_told() -> None:
    """46 children, 6.1 minutes on average, and the ways 20, 10, 0 would tell that d has 4."""
    texts = list_texts(build_notice(_merger(), {}, EN))
    assert not [text for text in texts if text in ("6 min", "6.1 min")]


def test_what_is_not_known_is_left_to_be_filled_in() -> None:
    notice = build_notice(_merger(), {}, EN)
    assert "Purpose of the proposal" in [block.label for block in notice.blocks if isinstance(block, Blank)]
    assert "____" in _read(_merger())
    filled = build_notice(_merger(filled=True), {}, EN)
    assert "Purpose of the proposal" not in [block.label for block in filled.blocks if isinstance(block, Blank)]
    told = "\n".join(list_texts(filled))
    for text in ("Fewer children.", "Example bureau", "000", "office@example.org", "1 Mar 2026", "30 days", "S-1"):
        assert text in told
    assert filled.author == "Example bureau"


def test_draft_until_the_procedure_is_done() -> None:
    draft = build_notice(_merger(), {}, EN)
    assert draft.status
    missing = [text for text in list_texts(draft) if text.startswith("Missing:")]
    assert all(EN.say(step.name) in missing[0] for step in STEPS.values())
    done = build_notice(build_merger(FILLED, build_done("closure")), {}, EN)
    assert not done.status
    assert "proof.pdf" in "\n".join(list_texts(done))
    assert "draft for comment" not in "\n".join(list_texts(done)).lower()


def test_closure_tests_by_school_without_counts() -> None:
    tests = list_closure_tests(_merger(), EN)
    assert {test.school for test in tests} == {"East School"}
    status = {test.rule.id: test.status for test in tests}
    assert {"C1.travel", "C1.boarding", "C1.size", "C1.parents", "C1.hearing"} <= set(status)
    assert status["C1.parents"] == status["C1.hearing"] == "evidence"
    assert not any(letter.isdigit() for test in tests for letter in test.detail)
    assert "Most parents object" in _read(_merger())


def test_maps_are_named_and_shown() -> None:
    consultation = _merger(filled=True)
    keys = list_notice_maps(consultation)
    assert [(key.school_id, key.side) for key in keys] == [("", "after"), ("E", "before"), ("W", "both")]
    notice = build_notice(consultation, {name_map(key): b"png" for key in keys}, EN)
    shown = [block for block in notice.blocks if isinstance(block, Picture)]
    assert [block.key for block in shown] == [name_map(key) for key in keys]
    assert all(block.alt and "S-1" in block.caption for block in shown)
    assert set(notice.pictures) == {name_map(key) for key in keys}
    assert not [block for block in build_notice(consultation, {}, EN).blocks if isinstance(block, Picture)]


def test_teaching_point_has_two_zones_by_grades() -> None:
    consultation = build_point()
    zones = build_notice_zones(consultation)
    assert {zone.grades for zone in zones["primary", "after", "E"]} == {"low"}
    assert {zone.grades for zone in zones["primary", "after", "W"]} == {"all", "upper"}
    told = _read(consultation)
    assert "becomes: Teaching point" in told
    assert "grades 1 to 3: East School\ngrade 4 and above: West School" in told
    assert build_changes(consultation).school_years["primary", "W"] == 2027, "W changes when E does"


def test_scope_of_all_tells_schools_that_do_not_change() -> None:
    consultation = _merger()
    known = consultation.publication
    still = replace(known, units=known.units.assign(changed=False), schools=known.schools.assign(changed=False))
    quiet = replace(consultation, publication=still)
    assert [key.school_id for key in list_notice_maps(quiet)] == [""]
    assert "No school changes." in _read(quiet)
    every = replace(quiet, options=PackOptions(scope="all"))
    assert [(key.school_id, key.side) for key in list_notice_maps(every)] == [
        ("", "after"),
        ("E", "before"),
        ("W", "after"),
    ]


@lru_cache(maxsize=1)
def _build_hostile() -> Consultation:
    units = {key: WorldUnit(name=f"{NASTY}{key}", town=NASTY) for key in "abcde"}
    return answer_merger(PackOptions(title=NASTY, purpose=NASTY), units=units)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_stay_text(language: Language) -> None:
    """Names are data: braces are not filled in, markup is not read."""
    texts = list_texts(build_notice(_build_hostile(), {}, read_catalogue(language)))
    assert [text for text in texts if text == f"{NASTY}d"]
    assert NASTY in texts


if __name__ == "__main__":
    for spoken in LANGUAGES:
        name_golden(spoken).write_text(render_golden(spoken), encoding="utf-8")
