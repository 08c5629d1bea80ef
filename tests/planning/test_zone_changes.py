"""What changes: units, communities, grades and flows; by hand, and nobody lost on the way."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.drawing_numbers import measure_drawing
from planning.zone_changes import list_changes, list_communities, list_flows, list_grades, tell_grades
from tests.planning.drawing_worlds import build_random, prepare, scatter, spell
from tests.worlds import WorldSchool, build_five_villages, build_world

TODAY = [(unit, "primary", "W") for unit in "abc"] + [(unit, "primary", "E") for unit in "de"]


def test_a_move_by_hand() -> None:
    """d (20 pupils) goes from E (10 min) to W (30 min)."""
    table = prepare(build_five_villages(zones=TODAY))
    zone = spell(table, "abcd:W e:E")
    changes = list_changes(table, zone)
    row = changes.iloc[0]
    assert len(changes) == 1
    assert (row["unit_id"], row["old_school_names"], row["new_school_names"]) == ("d", "East School", "West School")
    assert (row["pupils"], row["moved_pupils"], row["min_before"], row["min_after"], row["extra_min"]) == (
        *(20, 20, 10, 30, 20),
    )
    flows = list_flows(table, zone)
    assert flows[["from_school_ids", "to_school_ids", "pupils", "units", "extra_min"]].values.tolist() == [
        ["E", "W", 20.0, 1, 400.0]
    ]
    assert flows["unit_ids"].iloc[0] == ("d",)
    assert list_flows(table, table.current).empty
    assert list_changes(table, table.current).empty
    assert len(list_changes(table, table.current, everyone=True)) == 5


def test_communities_of_a_shared_zone_stand_with_both_schools() -> None:
    """c (10 pupils) is shared: half at E, half at W."""
    table = prepare(build_five_villages(zones=[*TODAY, ("c", "primary", "E")]))
    found = list_communities(table, table.current)
    rows = found[found["unit_id"] == "c"].set_index("school_id")
    assert rows["pupils"].to_dict() == pytest.approx({"E": 5.0, "W": 5.0})
    assert rows["shared"].all()
    assert found.groupby("school_id")["unit_id"].agg("".join).to_dict() == {"E": "cde", "W": "abc"}
    assert found["old_school_names"].iloc[0] == "East School + West School"


def _grades(rolls: pd.DataFrame | None) -> pd.DataFrame:
    study = build_world(
        "a/S b c/T",
        pupils={"a": 60, "b": 30, "c": 30},
        schools={"S": WorldSchool(places=100, classes=6, roll=90), "T": WorldSchool(places=50, roll=30)},
        rolls=rolls,
    )
    table = prepare(study)
    found = list_grades(study, table, spell(table, "ab:S c:T"))
    assert found.groupby("school_id")["pupils"].sum().to_dict() == pytest.approx({"S": 90, "T": 30})
    assert tell_grades(study, table)
    return found


def test_grades_follow_the_rolls() -> None:
    """S has 20 of 100 pupils in grade 1 and 2 classes there; T has no roll: the shares of all (S) are taken."""
    by_grade = [20, 20, 15, 15, 15, 15]
    rolls = pd.DataFrame(
        [("S", 2025, "primary", grade, float(count), 2.0) for grade, count in enumerate(by_grade, start=1)],
        columns=["school_id", "year", "stage", "grade", "pupils", "classes"],
    )
    found = _grades(rolls)
    first = found[(found["school_id"] == "S") & (found["grade"] == 1)].iloc[0]
    assert (first["pupils"], first["share"], first["classes"], first["class_size"]) == (18.0, 0.2, 2.0, 9.0)
    assert (first["limit_class_size"], first["classes_needed"], bool(first["rolls_known"])) == (45.0, 1, True)
    other = found[found["school_id"] == "T"]
    assert other["pupils"].tolist() == pytest.approx([6, 6, 4.5, 4.5, 4.5, 4.5])
    assert not other["rolls_known"].any()
    assert other["classes"].isna().all()


def test_grades_without_rolls_are_even() -> None:
    found = _grades(None)
    assert found["share"].tolist() == pytest.approx([1 / 6] * 12)
    # Six classes of S, one for each grade: 15 pupils in each.
    assert found.loc[found["school_id"] == "S", "class_size"].tolist() == pytest.approx([15.0] * 6)
    assert math.isnan(found["class_size"].iloc[-1])


@given(st.integers(0, 10_000), st.integers(0, 8))
@settings(max_examples=25)
def test_nobody_is_lost_on_the_way(seed: int, moves: int) -> None:
    study = build_random(seed)
    table = prepare(study)
    zone = scatter(table, seed, moves)
    zone[np.random.default_rng(seed).integers(0, table.n_units)] = table.n_zones - 1
    numbers = measure_drawing(table, zone)
    own = slice(0, table.n_own)
    changes, flows, homes = (
        list_changes(table, zone, everyone=True),
        list_flows(table, zone),
        list_communities(table, zone),
    )
    assert changes["moved_pupils"].sum() == pytest.approx(numbers.moved_pupils)
    assert flows["pupils"].sum() == pytest.approx(numbers.moved_pupils)
    assert changes["pupils"].sum() == pytest.approx(table.pupils.sum())
    at_school = homes.groupby("school_id")["pupils"].sum().reindex(table.zone_ids[own]).fillna(0.0)
    np.testing.assert_allclose(at_school, numbers.pupils[own], atol=1e-9)
    by_grade = list_grades(study, table, zone).groupby("zone")["pupils"].sum()
    np.testing.assert_allclose(by_grade, numbers.pupils[own], atol=1e-9)
    joined = flows.groupby("to_school_ids")["pupils"].sum().reindex(table.zone_ids[own]).fillna(0.0)
    left = flows.groupby("from_school_ids")["pupils"].sum().reindex(table.zone_ids[own]).fillna(0.0)
    np.testing.assert_allclose(joined, numbers.joined_pupils[own], atol=1e-9)
    np.testing.assert_allclose(left, numbers.left_pupils[own], atol=1e-9)
