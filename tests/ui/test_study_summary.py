"""The facts of a built study, in words."""

from __future__ import annotations

import pandas as pd

from reports.language import read_catalogue
from ui.study_summary import build_class_rows, sum_latest_rolls


def test_latest_year_counts_and_totals_win_over_grades() -> None:
    rows = [
        ("a", 2024, "primary", 0, 500.0),
        ("a", 2025, "primary", 1, 60.0),
        ("a", 2025, "primary", 2, 40.0),
        ("b", 2025, "primary", 0, 300.0),
        ("b", 2025, "primary", 1, 55.0),
    ]
    rolls = pd.DataFrame(rows, columns=["school_id", "year", "stage", "grade", "pupils"])
    assert sum_latest_rolls(rolls) == 400.0
    assert sum_latest_rolls(rolls.iloc[:0]) is None


def test_road_classes_are_named_in_the_language_of_the_reader() -> None:
    rows = [("all", "trunk", 12.0), ("walk", "trunk", 10.0), ("all", "zzz", 99.5)]
    report = pd.DataFrame(rows, columns=["mode", "road_class", "length_km"])
    english = build_class_rows(read_catalogue("en"), report)
    assert [row["Road class"] for row in english] == ["zzz", "Trunk road (national highway)"]
    assert english[0]["On foot, km"] == "–", "unknown is not zero"
    assert "国道" in "".join(build_class_rows(read_catalogue("zh"), report)[1].values())
