"""Who stays when zones change, of which grades, until when."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from planning.grandfather import GRADES, build_cohorts
from planning.zoning_options import ZoningOptions
from tests.planning.zoning_worlds import ask
from tests.worlds import ROLLS_COLUMNS, WorldSchool, build_five_villages

TODAY = [(unit, "primary", "W") for unit in "abcd"] + [("e", "primary", "E")]
SCHOOLS = {"W": WorldSchool(places=60), "E": WorldSchool(places=60)}
STAY = ZoningOptions(start="current", grandfather=True)


def test_one_grade_more_follows_every_year() -> None:
    """d (20 pupils) moves from W to E. Even cohorts: in year 1 five sixths stay, in year 6 nobody."""
    answer = ask(build_five_villages(zones=TODAY, schools=SCHOOLS), STAY)
    assert answer.report.moved_pupils == pytest.approx(20 / 6)
    staying = answer.report.staying.groupby("year_number")["pupils"].sum()
    assert staying.to_dict() == pytest.approx({number: 20 * (6 - number) / 6 for number in range(1, 6)})
    assert sorted(set(answer.report.staying["grade"])) == [2, 3, 4, 5, 6]
    loads = answer.report.years.pivot(index="year_number", columns="school_id", values="pupils")
    assert loads["W"].tolist() == pytest.approx([60 + 20 * (6 - number) / 6 for number in range(1, 7)])
    assert (loads["W"] + loads["E"]).tolist() == pytest.approx([110.0] * 6)


def test_grades_of_the_rolls_count_where_they_are_known() -> None:
    """W has twelve in grade 1 and eight in grade 2: of d's twenty pupils twelve enter, eight stay for a year."""
    rows = [("W", 2025, "primary", 1, 12.0, 1.0), ("W", 2025, "primary", 2, 8.0, 1.0)]
    rows += [("W", 2025, "primary", grade, 0.0, 0.0) for grade in (3, 4, 5, 6)]
    rolls = pd.DataFrame(rows, columns=list(ROLLS_COLUMNS))
    answer = ask(build_five_villages(zones=TODAY, schools=SCHOOLS, rolls=rolls), STAY)
    assert answer.report.moved_pupils == pytest.approx(12)
    assert answer.report.staying[["year", "grade", "pupils"]].to_numpy().tolist() == [[2026, 2, 8.0]]
    assert any("1 schools have no rolls by grade" in str(note) for note in answer.report.notes)


def test_a_budget_counts_the_entering_grade_only() -> None:
    study = build_five_villages(zones=TODAY, schools=SCHOOLS)
    kept = ask(study, ZoningOptions(start="current", max_moved_pupils=5))
    assert kept.report.overload_pupils > 0  # d's twenty may not move
    moved = ask(study, ZoningOptions(start="current", max_moved_pupils=5, grandfather=True))
    assert moved.report.overload_pupils == 0


@pytest.mark.parametrize("stage", list(GRADES))
def test_cohorts_are_even_without_rolls_by_grade(stage: str) -> None:
    cohorts = build_cohorts(build_five_villages(), stage, np.array(["E", "W"], dtype=object), None)
    assert cohorts.share.shape == (2, len(GRADES[stage]))
    assert cohorts.share.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert not cohorts.known.any()
