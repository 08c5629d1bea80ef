"""Words that the documents of a pack share."""

from __future__ import annotations

import datetime
import math
from types import SimpleNamespace

import pytest

from planning.procedure import Procedure
from planning.publication_options import PackOptions
from reports.consultation_words import (
    BLANK_LINE,
    build_ways,
    say_change,
    say_community,
    say_count,
    say_counts_note,
    say_days,
    say_footer,
    say_minutes,
    say_part,
    say_period,
    say_school_names,
    say_status,
    say_time_change,
    say_ways,
    tell_reason,
)
from reports.language import MISSING_NUMBER, read_catalogue
from tests.reports.consultation_samples import build_done, build_merger, build_point

EN, ZH = read_catalogue("en"), read_catalogue("zh")


def test_hidden_counts_never_tell_a_number() -> None:
    assert say_count(math.nan, True, 10, EN) == "not shown"
    assert say_count(742.0, True, 10, EN) == "not shown"
    assert say_count(4.0, False, 10, EN) == "not shown", "a small count that slipped through is not shown either"
    assert say_count(10.0, False, 10, EN) == "10"
    assert say_count(0.0, False, 10, EN) == "0"
    assert say_count(math.nan, False, 10, EN) == MISSING_NUMBER
    assert say_count(1234.0, False, 10, EN) == "1,234"


def test_what_has_no_name_is_called_by_its_number() -> None:
    assert say_community("", "17", EN) == "Community no. 17"
    assert say_community("17", "17", EN) == "Community no. 17"
    assert say_school_names(("A", ""), "1;2", EN) == "A, School no. 2"
    assert say_school_names((), "", EN) == "no school"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (10.0, 30.0, "20 min longer"),
        (30.4, 10.4, "20 min shorter"),
        (10.4, 10.3, "as long as today"),
        (0.0, 0.4, "as long as today"),
        (math.nan, 10.0, MISSING_NUMBER),
    ],
)
def test_changes_agree_with_the_rounded_times_beside_them(before: float, after: float, told: str) -> None:
    assert say_time_change(before, after, EN) == told


def test_minutes_are_whole_and_never_zero() -> None:
    assert [say_minutes(minutes, EN) for minutes in (0.0, 0.4, 1.5, 61.0)] == ["1 min", "1 min", "2 min", "61 min"]


def test_what_is_not_known_is_a_line_to_fill_in() -> None:
    options = PackOptions(closes=datetime.date(2026, 3, 30))
    assert BLANK_LINE in say_period(options, EN)
    assert "30 Mar 2026" in say_period(options, EN)
    assert say_days(options) == 0
    assert say_days(PackOptions(opens=datetime.date(2026, 3, 1), closes=datetime.date(2026, 3, 30))) == 30


def test_parts_are_numbered_as_each_language_does() -> None:
    assert say_part(2, "X", EN).startswith("2")
    assert say_part(2, "X", ZH).startswith("二")


def test_documents_are_drafts_until_every_step_is_done() -> None:
    assert say_status(Procedure("closure"), EN)
    assert not say_status(build_done("closure"), EN)


def test_footer_and_sentences_of_a_merger() -> None:
    consultation = build_merger()
    footer = say_footer(consultation, EN)
    assert consultation.pack_id in footer
    assert consultation.study.fingerprint[:12] in footer
    assert "results version" in footer
    assert "Synthetic" in footer
    assert "10" in say_counts_note(consultation, EN)
    rows = {row.unit_id: row for row in consultation.publication.units.itertuples(index=False)}
    assert say_change(rows["d"], EN) == "Today the school is East School; in the proposal it is West School."
    assert "stays West School" in say_change(rows["a"], EN)
    assert "merged" in tell_reason(rows["d"], EN)
    assert tell_reason(SimpleNamespace(reason=""), EN) == ""


def test_ways_are_told_by_grades_where_these_part() -> None:
    ways = build_ways(build_point().publication, EN)
    assert say_ways(ways["primary", "e", "before"], EN) == "East School"
    assert say_ways(ways["primary", "e", "after"], EN) == "grades 1 to 3: East School\ngrade 4 and above: West School"
    assert say_ways((), EN) == "no school"
