"""Comparing answers, worked by hand on five villages."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.actions import CloseSchool, MergeSchools
from planning.compare import compare_outcomes, judge_difference
from planning.compare_units import BANDS, SAME_MIN, band_changes, build_spread, build_totals
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world

ZONES_WEST = tuple((unit, "primary", "W") for unit in "abcde")


def _ask(study: StudyArea, **changes: object) -> Outcome:
    return run_scenario(study, read_rulebook("cn"), Scenario(**changes))  # type: ignore[arg-type]


def _all_to_west() -> tuple[Outcome, Outcome]:
    """Today by distance against zones that send everybody to W.

    c is as far from both schools; its zone of today says W, so today a, b, c -> W and d, e -> E.

    a/W  b  c  d  e/E    pupils 30 20 10 20 30; minutes before 0 10 20 10 0, after 0 10 20 30 40.
    Change: a 0, b 0, c 0, d +20, e +40.
    """
    study = build_five_villages(zones=ZONES_WEST)
    return _ask(study), _ask(study, name="west", enrolment="zones")


def test_change_of_every_community() -> None:
    compared = compare_outcomes(_all_to_west(), ["Today", "West"])
    units = compared.units.set_index("unit_id")
    assert units["change_min"].to_dict() == {"a": 0, "b": 0, "c": 0, "d": 20, "e": 40}
    assert units["verdict"].to_dict() == {"a": "same", "b": "same", "c": "same", "d": "worse", "e": "worse"}
    assert units["moved_pupils"].to_dict() == {"a": 0, "b": 0, "c": 0, "d": 20, "e": 30}
    assert units.loc["e", ["school_before", "school_after"]].tolist() == ["East School", "West School"]


def test_totals_and_spread_by_hand() -> None:
    compared = compare_outcomes(_all_to_west(), ["Today", "West"])
    row = compared.totals.iloc[0]
    assert (row["worse_pupils"], row["same_pupils"], row["better_pupils"], row["pupils"]) == (50, 60, 0, 110)
    assert row["moved_pupils"] == 50
    # (20 pupils x 20 min + 30 x 40) / 50 = 32 min for those who lose; over all 110: 1600 / 110.
    assert row["mean_worse_min"] == 32
    assert row["mean_change_min"] == pytest.approx(1600 / 110)
    spread = compared.spread.set_index(["group_kind", "group", "band"])["pupils"]
    assert spread["county", "", "same"] == 60
    assert spread["county", "", "worse_15"] == 50
    # Settings: a, b, c are rural and keep their way; d, e are urban.
    assert spread["setting", "rural", "same"] == 60
    assert spread["setting", "urban", "worse_15"] == 50
    assert ("setting", "urban", "same") not in spread.index


def test_worst_come_first_by_name() -> None:
    study = build_five_villages(zones=ZONES_WEST)
    compared = compare_outcomes([_ask(study), _ask(study, enrolment="zones")], ["Today", "West"])
    assert compared.worst[["rank", "name", "change_min"]].values.tolist() == [[1, "e", 40.0], [2, "d", 20.0]]


def test_indicators_with_difference_and_direction() -> None:
    compared = compare_outcomes(_all_to_west(), ["Today", "West"])
    table = compared.indicators.set_index("indicator")
    # Mean before 600 / 110, after (20*10 + 10*20 + 20*30 + 30*40) / 110 = 2200 / 110 = 20.
    assert table.loc["mean_travel_min", "value_0"] == pytest.approx(600 / 110)
    assert table.loc["mean_travel_min", "value_1"] == pytest.approx(20.0)
    assert table.loc["mean_travel_min", "difference_1"] == pytest.approx(20 - 600 / 110)
    assert table.loc["mean_travel_min", "verdict_1"] == "worse"
    assert table.loc["within_15_min_share", "verdict_1"] == "worse"  # higher is better, and it falls
    assert table.loc["pupils", "verdict_1"] == "same"
    assert compared.value(1, "mean_travel_min", "primary") == pytest.approx(20.0)
    assert math.isnan(compared.value(1, "mean_travel_min", "senior"))


@pytest.mark.parametrize(
    ("difference", "unit", "direction", "verdict"),
    [
        (1.0, "min", "lower", "worse"),
        (-1.0, "min", "lower", "better"),
        (0.04, "min", "lower", "same"),
        (0.01, "share", "higher", "better"),
        (math.nan, "min", "lower", "unknown"),
        (3.0, "schools", "neutral", "changed"),
    ],
)
def test_verdicts(difference: float, unit: str, direction: str, verdict: str) -> None:
    assert judge_difference(difference, unit, direction) == verdict


def test_pupils_who_lose_their_way_are_counted_apart() -> None:
    # A mainland with S and an island i with school T: without T (another study of the same place) the island's five
    # pupils reach nothing.
    here = build_world(
        "a b/S . i/T", pupils={"a": 10, "b": 20, "i": 5}, schools={"S": WorldSchool(), "T": WorldSchool()}
    )
    gone = build_island()
    compared = compare_outcomes([_ask(here), _ask(gone)], ["Today", "Without T"])
    assert compared.totals.iloc[0]["lost_pupils"] == 5
    assert compared.worst.iloc[0]["unit_id"] == "i"
    assert compared.units.set_index("unit_id").loc["i", "verdict"] == "lost"
    schools = compared.schools.set_index("school_id")["status"]
    assert schools.to_dict() == {"S": "changed", "T": "gone"}  # S has 50 places on the island's picture, 100 here
    back = compare_outcomes([_ask(gone), _ask(here)], ["Without T", "Today"])
    assert back.totals.iloc[0]["won_pupils"] == 5
    assert back.schools.set_index("school_id")["status"]["T"] == "new"
    # Two states of the data are told.
    assert any("state of the county's data" in str(note) for note in back.notes)


def test_who_reaches_no_school_in_both_has_no_change() -> None:
    study = build_island()
    compared = compare_outcomes([_ask(study), _ask(study, name="again")], ["One", "Two"])
    row = compared.totals.iloc[0]
    assert (row["same_pupils"], row["lost_pupils"], row["unknown_pupils"]) == (35, 0, 0)
    assert compared.worst.empty


def test_options_without_a_plan_and_other_stages() -> None:
    study = build_five_villages()
    compared = compare_outcomes(
        [_ask(study), _ask(study, stages=("junior",)), _ask(study, stages=("primary", "junior"))], ["A", "B", "C"]
    )
    # Nobody teaches the junior stage: B and C have no plan, in words; C still has its primary stage.
    assert [bool(found) for found in compared.conflicts] == [False, True, True]
    assert set(compared.units["option"]) == {2}
    assert "B" in " ".join(map(str, compared.notes))
    rows = compared.indicators[compared.indicators["indicator"] == "mean_travel_min"].set_index("stage")
    assert math.isnan(rows.loc["primary", "value_1"])
    assert rows.loc["primary", "verdict_1"] == "unknown"


def test_a_single_option_stands_alone() -> None:
    compared = compare_outcomes([_ask(build_five_villages())], ["Today"])
    assert compared.units.empty
    assert compared.schools.empty
    assert len(compared.indicators) > 10


def test_too_many_or_unnamed_are_refused() -> None:
    outcome = _ask(build_five_villages())
    for outcomes, names in (([], []), ([outcome] * 5, list("abcde")), ([outcome], ["a", "b"])):
        with pytest.raises(ScenarioError):
            compare_outcomes(outcomes, names)


def test_unknown_numbers_of_children_stay_unknown() -> None:
    study = build_world(
        "a b/S", pupils={"a": math.nan, "b": 5}, schools={"S": WorldSchool(places=None)}, zones=[("a", "primary", "S")]
    )
    compared = compare_outcomes([_ask(study), _ask(study)], ["One", "Two"])
    assert compared.totals.iloc[0]["pupils"] == 5
    assert math.isnan(compared.units.set_index("unit_id").loc["a", "pupils"])
    assert math.isnan(compared.schools.iloc[0]["places_after"])
    assert compared.schools.iloc[0]["status"] == "same"


def test_closed_school_is_gone_and_its_pupils_move() -> None:
    study = build_five_villages()
    closed = _ask(study, name="close E", actions=(CloseSchool(school_id="E"),))
    compared = compare_outcomes([_ask(study), closed], ["Today", "Close E"])
    assert compared.schools.set_index("school_id")["status"].to_dict() == {"E": "gone", "W": "same"}
    assert compared.totals.iloc[0]["worse_pupils"] == 50
    assert compared.totals.iloc[0]["moved_pupils"] == 60
    merged = _ask(study, name="merge", actions=(MergeSchools(school_ids=("E",), into=("W",)),))
    compared = compare_outcomes([_ask(study), merged], ["Today", "Merge"])
    assert compared.schools.set_index("school_id").loc["E", "into"] == "West School"


@given(st.lists(st.floats(-90, 90, allow_nan=False) | st.just(math.nan), max_size=30))
@settings(max_examples=60, deadline=None)
def test_every_change_has_one_band_on_the_right_side(changes: list[float]) -> None:
    bands = band_changes(np.array(changes, dtype=np.float64))
    for change, band in zip(changes, bands, strict=True):
        assert band in BANDS
        assert (band == "unknown") == math.isnan(change)
        assert (band == "same") == (abs(change) < SAME_MIN)
        assert str(band).startswith("worse") == (change >= SAME_MIN)
        assert (band == "worse_15") == (change >= 15)
        assert (band == "better_15") == (change <= -15)


@given(
    st.lists(
        st.tuples(st.floats(0, 500), st.floats(-60, 60) | st.just(math.nan), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=25,
    )
)
@settings(max_examples=60, deadline=None)
def test_nobody_is_lost_or_counted_twice(rows: list[tuple[float, float, float, bool]]) -> None:
    """Bands and totals add up to the pupils, for the county and over the settings; whatever the changes are."""
    frame = pd.DataFrame(
        {
            "option": 1,
            "stage": "primary",
            "unit_id": [str(number) for number in range(len(rows))],
            "setting": ["urban" if urban else "rural" for *_, urban in rows],
            "town": "",
            "pupils": [pupils for pupils, *_ in rows],
            "change_min": [change for _, change, *_ in rows],
            "lost_pupils": [pupils * share if urban else 0.0 for pupils, _, share, urban in rows],
            "won_pupils": [0.0 if urban else pupils * share for pupils, _, share, urban in rows],
            "moved_pupils": 0.0,
            "verdict": "unknown",
        }
    )
    total = frame["pupils"].sum()
    spread = build_spread(frame)
    for kind in ("county", "setting"):
        assert spread.loc[spread["group_kind"] == kind, "pupils"].sum() == pytest.approx(total, abs=1e-6)
    row = build_totals(frame).iloc[0]
    parts = ("worse_pupils", "same_pupils", "better_pupils", "lost_pupils", "won_pupils", "unknown_pupils")
    assert sum(row[name] for name in parts) == pytest.approx(total, abs=1e-6)
