"""Counts of a publication: whole numbers that add up everywhere, from cells worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.actions import CloseSchool, MakeTeachingPoint
from planning.compare import compare_outcomes
from planning.disclosure import check_disclosure
from planning.publication import (
    FLOW_COLUMNS,
    SCHOOL_COLUMNS,
    TOWN_COLUMNS,
    UNIT_COLUMNS,
    WAY_COLUMNS,
    Publication,
    list_zones,
)
from planning.publication_build import build_publication
from planning.publication_cells import cross_shares, round_by_largest_remainder
from planning.publication_options import PackOptions
from tests.planning.action_worlds import answer, build_street
from tests.worlds import build_island


def publish(study: object, *actions: object, threshold: int = 3, **settings: object) -> Publication:
    after = answer(study, *actions, **settings)  # type: ignore[arg-type]
    before = after.before or after
    return build_publication(
        before, after, compare_outcomes([before, after], ["today", "plan"]), PackOptions(threshold=threshold)
    )


@pytest.fixture(scope="module")
def closed() -> Publication:
    """M closes: b goes to W in both (the tie), c from M to W or E (20 min each; E comes first)."""
    return publish(build_street(), CloseSchool(school_id="M"))


@given(
    values=st.lists(st.floats(0, 1000, allow_nan=False), min_size=1, max_size=30),
    up=st.booleans(),
)
def test_rounding_adds_up(values: list[float], up: bool) -> None:
    numbers = np.array(values)
    total = int(np.ceil(numbers.sum()) if up else np.floor(numbers.sum()))
    rounded = round_by_largest_remainder(numbers, total)
    assert rounded.sum() == total
    assert (np.abs(rounded - numbers) < 1.0 + 1e-6).all()


def test_rounding_gives_to_the_largest_remainders_and_then_to_the_first() -> None:
    assert round_by_largest_remainder(np.array([1.2, 1.7, 1.6, 0.5]), 5).tolist() == [1, 2, 2, 0]
    assert round_by_largest_remainder(np.array([0.5, 0.5, 0.5, 0.5]), 2).tolist() == [1, 1, 0, 0]


def test_rounding_refuses_a_total_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="totals"):
        round_by_largest_remainder(np.array([1.2, 1.7]), 9)


def test_who_can_stay_does_and_the_others_follow_what_grows() -> None:
    # Half at S, half at R before; a quarter at S, half at R, a quarter at Q after: a quarter leaves S, all of it to Q.
    before = pd.DataFrame({"unit_id": ["a", "a"], "grades": "all", "school_id": ["R", "S"], "share": [0.5, 0.5]})
    after = pd.DataFrame({"unit_id": "a", "grades": "all", "school_id": ["Q", "R", "S"], "share": [0.25, 0.5, 0.25]})
    found = cross_shares(before, after).set_index(["before_id", "after_id"])["share"]
    assert found.to_dict() == {("R", "R"): 0.5, ("S", "S"): 0.25, ("S", "Q"): 0.25}


def test_tables_have_their_columns(closed: Publication) -> None:
    for name, columns in (
        ("units", UNIT_COLUMNS),
        ("ways", WAY_COLUMNS),
        ("schools", SCHOOL_COLUMNS),
        ("flows", FLOW_COLUMNS),
        ("towns", TOWN_COLUMNS),
    ):
        assert list(getattr(closed, name).columns) == list(columns), name
    assert closed.stages == ("primary",)


def test_counts_by_hand(closed: Publication) -> None:
    units = closed.units.set_index("unit_id")
    assert units["pupils"].to_dict() == {"a": 30.0, "b": 20.0, "c": 10.0, "d": 20.0, "e": 30.0}
    assert units.index[units["moved_pupils"] > 0].tolist() == ["b", "c"]
    assert units.loc["b", "before_ids"] == "M" and units.loc["b", "after_ids"] == "W"
    assert units.loc["b", ["min_before", "min_after", "change_min"]].tolist() == [10.0, 10.0, 0.0]
    assert units.loc["c", ["min_before", "min_after", "change_min"]].tolist() == [0.0, 20.0, 20.0]
    assert units["verdict"].to_dict() == {"a": "same", "b": "same", "c": "worse", "d": "same", "e": "same"}
    schools = closed.schools.set_index("school_id")
    assert schools["status"].to_dict() == {"E": "same", "M": "gone", "W": "same"}
    assert schools.loc["M", "pupils_before"] == 30.0 and np.isnan(schools.loc["M", "pupils_after"])
    assert not schools.loc["M", "pupils_after_hidden"]
    assert schools["changed"].all(), "M closes; W and E get communities"
    assert closed.totals[["pupils", "moved_pupils", "worse_pupils"]].iloc[0].tolist() == [110.0, 30.0, 10.0]


def test_sums_agree_everywhere(closed: Publication) -> None:
    total = closed.totals.iloc[0]
    assert closed.units["pupils"].sum() == closed.towns["pupils"].sum() == total["pupils"]
    assert closed.flows["pupils"].sum() == closed.units["moved_pupils"].sum() == total["moved_pupils"]
    assert closed.schools["pupils_before"].sum() == closed.schools["pupils_after"].sum() == total["pupils"]
    parts = ("worse", "same", "better", "lost", "won", "unknown")
    assert sum(total[f"{name}_pupils"] for name in parts) == total["pupils"]


def test_fractions_are_rounded_once() -> None:
    study = build_street(pupils={"a": 30.4, "b": 20.4, "c": 10.4, "d": 20.4, "e": 30.4})  # 112 in all
    found = publish(study, CloseSchool(school_id="M"))
    assert found.units["pupils"].tolist() == [31.0, 21.0, 10.0, 20.0, 30.0]
    assert found.schools["pupils_after"].sum() == 112.0


def test_teaching_point_splits_the_grades() -> None:
    # M keeps grades 1 to 3 of b and c; their upper grades go to W and E. Every second child, rounded.
    found = publish(build_street(), MakeTeachingPoint(school_id="M"))
    rows = found.ways[(found.ways["unit_id"] == "b") & (found.ways["side"] == "after")]
    assert rows[["grades", "school_id", "share"]].to_numpy().tolist() == [["low", "M", 1.0], ["upper", "W", 1.0]]
    before = found.ways[(found.ways["unit_id"] == "b") & (found.ways["side"] == "before")]
    assert before[["grades", "school_id"]].to_numpy().tolist() == [["all", "M"]]
    units = found.units.set_index("unit_id")
    assert units.loc["b", "after_ids"] == "M;W" and units.loc["b", "after_names"] == ("Middle", "West")
    assert units.loc["b", "moved_pupils"] == 10.0 and bool(units.loc["b", "changed"])
    zones = list_zones(found, "after")
    assert sorted(zones.loc[zones["unit_id"] == "b", "school_id"]) == ["M", "W"]


def test_who_reaches_no_school_is_counted_and_has_none() -> None:
    found = publish(build_island())
    row = found.units.set_index("unit_id").loc["i"]
    assert row["after_ids"] == "" and row["after_names"] == () and row["pupils"] == 5.0
    assert not row["changed"] and row["verdict"] == "same"
    assert found.schools["pupils_after"].tolist() == [30.0]


def test_nobody_moves_where_nothing_changes() -> None:
    found = publish(build_street())
    assert found.flows.empty and not found.units["changed"].any() and not found.schools["changed"].any()
    assert found.hidden == (0, 0)


def test_names_are_empty_where_there_are_none(closed: Publication) -> None:
    assert closed.units["name"].tolist() == [""] * 5, "the world calls its units by their ids"
    assert closed.schools["name"].tolist() == ["East", "Middle", "West"]


def test_threshold_is_kept_and_told() -> None:
    found = publish(build_street(), CloseSchool(school_id="M"), threshold=25)
    shown = found.units["pupils"].dropna()
    assert (shown >= 25).all() and found.threshold == 25
    assert found.hidden[0] > 0 and any("25" in str(note) for note in found.notes)


def test_unknown_counts_are_unknown_and_not_hidden() -> None:
    study = build_street(pupils={"a": 30, "b": 20, "c": 10, "d": 20, "e": 30})
    units = study.units.copy()
    units.loc[units["unit_id"] == "b", "primary_pupils"] = np.nan
    found = publish(dataclasses.replace(study, units=units, fingerprint="gap"), CloseSchool(school_id="M"))
    row = found.units.set_index("unit_id").loc["b"]
    assert np.isnan(row["pupils"]) and not row["pupils_hidden"]
    assert found.totals["pupils"].tolist() == [90.0]


def test_county_without_any_counts_has_none() -> None:
    study = build_street(pupils={"junior": {"a": 1}})  # primary pupils are not known
    found = publish(study, CloseSchool(school_id="M"))
    assert found.units["pupils"].isna().all() and found.units["changed"].any()
    assert np.isnan(found.totals["pupils"].iloc[0]) and found.hidden == (0, 0)
    assert not [item for item in check_disclosure(study, found, PackOptions(threshold=3)) if item.blocks]
