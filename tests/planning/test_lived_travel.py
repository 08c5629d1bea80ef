"""How children get to school: one street worked by hand, and laws.

On foot a cell takes 10 min, by car 2 min. A bus takes 4.5 min to the stop (300 m at 4 km/h), 5 min of waiting, 3 min
for six halts and 2 min a cell: 12.5 + 2k.
"""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.study import StudyArea
from planning.actions import AddBoarding, CloseSchool
from planning.lived_sums import (
    LIVED_COUNTY_COLUMNS,
    LIVED_SCHOOL_COLUMNS,
    count_buses,
    summarise_lived_county,
    summarise_lived_schools,
)
from planning.lived_travel import LIVED_COLUMNS, WAYS, LivedOptions, build_lived_travel, list_lived_notes
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_world

CN = read_rulebook("cn")
STREET = "a/S + + b c + + + + d + + + + e"


def build_street(beds: float | None = 3.0, **changes: Any) -> StudyArea:
    """a at the school, b 3, c 4, d 9 and e 14 cells away; 10 primary pupils each, 5 in grades 1 to 3."""
    study = build_world(STREET, **{"pupils": dict.fromkeys("abcde", 10.0), **changes})
    number = float("nan") if beds is None else beds
    return dataclasses.replace(study, schools=study.schools.assign(boarding_places=number))


def ask(study: StudyArea, *actions: Any, options: LivedOptions | None = None, **settings_: Any) -> pd.DataFrame:
    """Return the lived travel of a scenario."""
    outcome = run_scenario(study, CN, Scenario(actions=actions, **settings_))
    return build_lived_travel(study, CN, outcome, options=options)


def list_ways(lived: pd.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    """Return pupils by way for each unit and band."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for unit, band, way, pupils in zip(*(lived[name] for name in ("unit_id", "band", "way", "pupils")), strict=True):
        found.setdefault((str(unit), str(band)), {})[str(way)] = float(pupils)
    return found


def test_a_street_by_hand() -> None:
    """Grades 1-3 walk to 30 min and ride to 30 min; grades 4-6 walk and ride to 40 min (no rule), then board."""
    lived = ask(build_street())
    assert tuple(lived.columns) == LIVED_COLUMNS
    assert list_ways(lived) == {
        ("a", "1-3"): {"walk": 5},
        ("a", "4-6"): {"walk": 5},
        ("b", "1-3"): {"walk": 5},  # 30 min
        ("b", "4-6"): {"walk": 5},
        ("c", "1-3"): {"bus": 5},  # 40 min on foot, 20.5 min by bus
        ("c", "4-6"): {"walk": 5},
        ("d", "1-3"): {"none": 5},  # 30.5 min by bus, and grades 1-3 must not board
        ("d", "4-6"): {"bus": 5},
        ("e", "1-3"): {"none": 5},
        ("e", "4-6"): {"board": 3, "none": 2},  # 40.5 min by bus; three beds
    }
    rows = {(row.unit_id, row.band, row.way): row for row in lived.itertuples(index=False)}
    ride = rows["c", "1-3", "bus"]
    assert (ride.time_min, ride.ride_min, ride.walk_min) == pytest.approx((20.5, 11.0, 4.5))
    assert (ride.limit_min, ride.limit_rule, ride.lawful) == (30.0, "C6", True)
    assert (rows["d", "4-6", "bus"].limit_min, rows["d", "4-6", "bus"].limit_rule) == (40.0, "")
    assert rows["e", "4-6", "board"].time_min == pytest.approx(40.5)
    lost = rows["d", "1-3", "none"]
    assert not lost.lawful
    assert (lost.walk_min, lost.ride_min, lost.time_min) == pytest.approx((90.0, 21.0, 30.5))
    assert str(lost.reason) == (
        "90 min on foot is longer than the 30 min of grades 1–3. By school bus it would be 31 min."
        " Grades 1–3 must not board."
    )
    assert str(rows["e", "4-6", "none"].reason).endswith("but the 3 beds of the school are taken.")


def test_sums_by_school_and_county() -> None:
    """Ten ride: one bus with 10 seats. Three board."""
    study = build_street()
    outcome = run_scenario(study, CN, Scenario())
    lived = build_lived_travel(study, CN, outcome)
    schools = summarise_lived_schools(lived, study, CN, outcome)
    assert tuple(schools.columns) == LIVED_SCHOOL_COLUMNS
    row = schools.iloc[0]
    assert [row[f"{way}_pupils"] for way in WAYS] == [25, 10, 3, 12, 0]
    assert (row["pupils"], row["buses"], row["bus_seats"], row["beds"], row["beds_used"]) == (50, 1, 10, 3, 3)
    county = summarise_lived_county(lived)
    assert tuple(county.columns) == LIVED_COUNTY_COLUMNS
    low = county[county["band"] == "1-3"].set_index("way")
    assert low["pupils"].tolist() == [10, 5, 0, 10, 0]
    assert low.loc["none", "share"] == pytest.approx(10 / 25)


def test_buses_have_seats_as_the_rule_asks() -> None:
    options = LivedOptions(bus_seats=36)
    assert count_buses(0.0, 7, options) == (0, 0)
    assert count_buses(2.5, 7, options) == (1, 7)
    assert count_buses(36.0, 7, options) == (1, 36)
    assert count_buses(38.0, 7, options) == (2, 43)
    assert count_buses(90.0, 7, options) == (3, 90)


def test_what_is_not_known_is_not_guessed() -> None:
    """Unknown beds leave e's upper grades unknown; without car times nobody knows who could ride."""
    lived = ask(build_street(beds=None))
    row = lived[(lived["unit_id"] == "e") & (lived["band"] == "4-6")].iloc[0]
    assert row["way"] == "unknown" and pd.isna(row["lawful"])
    study = build_street(modes=("walk", "bicycle"))
    lived = ask(study)
    ways = list_ways(lived)
    assert ways["c", "1-3"] == {"unknown": 5} and ways["d", "1-3"] == {"unknown": 5}
    # Beds go to those who live farthest: e's three; d's five and e's other two could perhaps ride.
    assert ways["e", "4-6"] == {"board": 3, "unknown": 2} and ways["d", "4-6"] == {"unknown": 5}
    notes = list_lived_notes(study, run_scenario(study, CN, Scenario()))
    assert any("by car" in str(note) for note in notes)


def test_without_walking_times_lengths_stand_in() -> None:
    """4 km/h: a cell of 1 km takes 15 min, so c (4 km) is an hour away and nobody beyond b walks."""
    study = build_street(modes=("bicycle", "drive"))
    ways = list_ways(ask(study, mode="bicycle"))
    assert ways["a", "1-3"] == {"walk": 5} and ways["b", "1-3"] == {"bus": 5} and ways["c", "4-6"] == {"bus": 5}
    outcome = run_scenario(study, CN, Scenario(mode="bicycle"))
    assert str(list_lived_notes(study, outcome)[0]).startswith("The study has no walking times")


def test_junior_pupils_may_board_by_no_rule() -> None:
    schools = {"S": WorldSchool(kind="junior", stages=("junior",))}
    study = build_street(beds=100, pupils={"junior": dict.fromkeys("abcde", 10.0)}, schools=schools)
    ways = list_ways(ask(study, stages=("junior",)))
    assert ways["d", "7-9"] == {"bus": 10} and ways["e", "7-9"] == {"board": 10}


def test_actions_count() -> None:
    """More beds by an action lodge e's two; closing the only school leaves nobody a way."""
    ways = list_ways(ask(build_street(), AddBoarding(school_id="S", beds=2)))
    assert ways["e", "4-6"] == {"board": 5}
    schools = {"S": WorldSchool(), "T": WorldSchool()}
    study = build_world("a/S b/T", pupils={"a": 10, "b": 10}, schools=schools)
    lived = ask(study, CloseSchool(school_id="T"))
    assert set(lived["school_id"]) == {"S"} and set(lived["way"]) == {"walk"}


def test_without_a_plan_there_is_nothing_to_tell() -> None:
    study = build_world("a b", pupils={"a": 10})
    outcome = run_scenario(study, CN, Scenario())
    assert outcome.plan is None
    lived = build_lived_travel(study, CN, outcome)
    assert lived.empty and tuple(lived.columns) == LIVED_COLUMNS
    assert summarise_lived_county(lived).empty
    assert summarise_lived_schools(lived, study, CN, outcome).empty


NUMBERS = st.lists(st.integers(0, 40), min_size=5, max_size=5)


@settings(max_examples=10, deadline=None)
@given(NUMBERS, st.integers(0, 40), st.integers(0, 20), st.integers(1, 60))
def test_laws(pupils: list[int], beds: int, more: int, limit: int) -> None:
    """Every pupil has one way; more beds never leave more without; closing the bus moves bus riders only."""
    study = build_street(beds=beds, pupils=dict(zip("abcde", map(float, pupils), strict=True)))
    outcome = run_scenario(study, CN, Scenario())
    options = LivedOptions(max_min={"1-3": limit, "4-6": limit, "7-9": limit})
    lived = build_lived_travel(study, CN, outcome, options=options)
    assert lived["pupils"].sum() == pytest.approx(sum(pupils))
    whole = lived.groupby(["unit_id", "school_id"])["pupils"].sum()
    assert all(
        whole.get((unit, "S"), 0.0) == pytest.approx(number) for unit, number in zip("abcde", pupils, strict=True)
    )
    assert not lived.duplicated(["unit_id", "school_id", "band", "way"]).any()
    assert lived.loc[lived["way"] == "board", "pupils"].sum() <= beds + 1e-9
    richer = dataclasses.replace(study, schools=study.schools.assign(boarding_places=float(beds + more)))
    assert _count(build_lived_travel(richer, CN, outcome, options=options), "none") <= _count(lived, "none") + 1e-9
    still = build_lived_travel(study, CN, outcome, options=dataclasses.replace(options, bus=False))
    assert _count(still, "walk") == pytest.approx(_count(lived, "walk"))
    moved = _pick(still, "board").sub(_pick(lived, "board"), fill_value=0.0)
    riders = _pick(lived, "bus")
    gone = _pick(still, "none").sub(_pick(lived, "none"), fill_value=0.0)
    assert moved.sum() + gone.sum() == pytest.approx(riders.sum())


def _count(lived: pd.DataFrame, way: str) -> float:
    return float(lived.loc[lived["way"] == way, "pupils"].sum())


def _pick(lived: pd.DataFrame, way: str) -> pd.Series:
    return lived[lived["way"] == way].groupby(["unit_id", "band"])["pupils"].sum()


def test_options_are_values_that_check_themselves() -> None:
    options = LivedOptions(max_min={"1-3": 20, "4-6": 30, "7-9": 40})
    assert pickle.loads(pickle.dumps(options)) == options
    for wrong in ({"max_min": {"1-3": 20}}, {"wait_min": -1.0}, {"walk_kmh": 0.0}, {"bus_seats": 0}):
        with pytest.raises(ValueError, match=r"max_min|options"):
            LivedOptions(**wrong)


def test_outcomes_of_other_stages_are_left_out() -> None:
    schools = {"S": WorldSchool(kind="senior", stages=("senior",))}
    study = build_street(pupils={"senior": dict.fromkeys("abcde", 10.0)}, schools=schools)
    outcome: Outcome = run_scenario(study, CN, Scenario(stages=("senior",)))
    assert build_lived_travel(study, CN, outcome).empty
