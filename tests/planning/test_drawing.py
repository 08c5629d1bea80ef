"""The drawing table: the order of the map, shared zones, reading and writing, locks; small worlds worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.conflicts import Conflict
from planning.drawing import build_drawing_table, list_drawn, list_locks, read_drawn
from planning.scenario import Scenario
from tests.planning.drawing_worlds import at, build_random, prepare, scatter, shuffle_rows, spell
from tests.planning.zoning_worlds import RULES
from tests.worlds import WorldSchool, build_five_villages, build_world

SHARED = [(unit, "primary", "W") for unit in "abc"] + [(unit, "primary", "E") for unit in "cde"]


def test_a_shared_zone_is_a_zone_of_its_own() -> None:
    """c is shared by E (40 places) and W (100): half of its 10 pupils go to E, as by lottery."""
    table = prepare(build_five_villages(zones=SHARED))
    assert table.zone_ids == ("E", "W", "E;W")
    assert table.zone_names[2] == "East School + West School"
    assert table.weight[2].tolist() == pytest.approx([0.5, 0.5])
    assert [table.zone_ids[zone] for zone in table.current] == ["W", "W", "E;W", "E", "E"]
    # The mean way of c: 20 min to both.
    assert table.minutes[at(table, "c"), 2] == pytest.approx(20.0)


def test_rows_go_in_and_out_unchanged() -> None:
    study = build_five_villages(zones=SHARED)
    table = prepare(study)
    rows = list_drawn(table, table.current)
    wanted = study.zones.sort_values(["unit_id", "school_id"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, wanted, check_dtype=False)
    assert (read_drawn(table, rows) == table.current).all()
    assert read_drawn(table, rows.iloc[:0]).tolist() == [-1] * 5
    assert list_drawn(table, np.full(5, -1)).empty


def test_shared_zones_of_a_drawn_plan_are_known() -> None:
    """Without ``drawn`` a set of schools that no zone has becomes the nearest of them."""
    study = build_five_villages()
    drawn = pd.DataFrame([("b", "primary", "W"), ("b", "primary", "E")], columns=["unit_id", "stage", "school_id"])
    assert read_drawn(prepare(study), drawn).tolist() == [-1, 1, -1, -1, -1]
    table = prepare(study, drawn=drawn)
    assert table.zone_ids == ("E", "W", "E;W")
    assert read_drawn(table, drawn).tolist() == [-1, 2, -1, -1, -1]


def test_the_nearest_is_within_what_is_allowed() -> None:
    """c is as near to both; today's school wins. b is closed to W, so E; seats keep their own."""
    table = prepare(build_five_villages(zones=SHARED[:3]), closed=(("b", "W"), ("a", "W")))
    assert [table.zone_ids[zone] for zone in table.nearest] == ["W", "E", "W", "E", "E"]
    assert not np.isfinite(table.cost[at(table, "b"), 1])


def test_low_grades_stay_at_teaching_points() -> None:
    """Half of b's 20 pupils are nearest to the teaching point T and stay there: 10 are left for zones."""
    study = build_world(
        "a/W b/T c",
        pupils={"a": 30, "b": 20, "c": 10},
        schools={"W": WorldSchool(places=100), "T": WorldSchool(kind="teaching_point", places=50)},
        zones=[("b", "primary", "W"), ("b", "primary", "T")],
    )
    table = prepare(study)
    assert table.zone_ids == ("W",)
    assert table.pupils.tolist() == [30, 10, 5]
    assert table.stage_pupils.tolist() == [30, 20, 10]
    assert table.current.tolist() == [-1, 0, -1]


def test_nobody_teaches_the_stage() -> None:
    study = build_five_villages()
    assert isinstance(build_drawing_table(study, RULES, Scenario(stages=("junior",)), "junior"), Conflict)


def test_locks_of_the_scenario_and_of_the_drawing() -> None:
    rows = (("b", "primary", "E"), ("d", "primary", ""), ("a", "junior", "E"))
    table = prepare(build_five_villages(zones=SHARED), locks=rows)
    assert [table.zone_ids[zone] if zone >= 0 else "" for zone in table.lock_zone] == ["", "E", "", "E", ""]
    locked = np.array([True, False, True, False, False])
    zone = spell(table, "ab:W de:E")
    zone[2] = 2
    assert list_locks(table, zone, locked) == (("a", "primary", "W"), ("c", "primary", "E"))
    table = prepare(build_five_villages(zones=SHARED), locked_schools=("W",))
    assert [table.zone_ids[zone] if zone >= 0 else "" for zone in table.lock_zone] == ["W", "W", "", "", ""]
    assert table.shut.tolist() == [False, True]


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_shuffled_rows_make_the_same_table(seed: int) -> None:
    study = build_random(seed)
    table, other = prepare(study), prepare(shuffle_rows(study, seed))
    assert table.zone_ids == other.zone_ids
    where = [other.unit_ids.index(unit) for unit in table.unit_ids]
    for name in ("current", "nearest", "pupils", "travel", "cost", "length_m"):
        np.testing.assert_array_equal(getattr(table, name), getattr(other, name)[where], err_msg=name)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_every_drawing_can_be_written_and_read(seed: int) -> None:
    table = prepare(build_random(seed))
    zone = scatter(table, seed, 6)
    zone[np.random.default_rng(seed).integers(0, table.n_units, 3)] = table.n_zones - 1
    zone[0] = -1
    assert (read_drawn(table, list_drawn(table, zone)) == zone).all()
