"""The numbers of a drawing: by hand, equal to those of the reports, undone by undoing; every breach true and told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.drawing import DrawingTable, list_drawn
from planning.drawing_numbers import compare_numbers, measure_drawing
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.zoning_problem import drop_locks
from planning.zoning_report import build_report
from tests.planning.drawing_worlds import at, build_random, count_pieces, prepare, scatter, shuffle_rows, spell
from tests.planning.zoning_worlds import RULES
from tests.worlds import WorldSchool, build_five_villages, build_world

TODAY = [(unit, "primary", "W") for unit in "abc"] + [(unit, "primary", "E") for unit in "de"]


def test_five_villages_by_hand() -> None:
    """W has a, b, c (60 for 100 places), E has d, e (50 for 40). Minutes a 0, b 10, c 20, d 10, e 0."""
    table = prepare(build_five_villages(zones=TODAY))
    numbers = measure_drawing(table, table.current)
    assert numbers.pupils.tolist() == [50, 60]
    assert numbers.fill_share.tolist() == [1.25, 0.6]
    assert numbers.mean_travel_min.tolist() == pytest.approx([200 / 50, 400 / 60])
    assert numbers.max_travel_min.tolist() == [10, 20]
    assert (numbers.pupil_min, numbers.mean_travel_min_total) == (600.0, pytest.approx(600 / 110))
    assert (numbers.over_pupils, numbers.over_zones) == (10.0, 1)
    assert numbers.units.tolist() == [2, 3]
    assert (numbers.moved_pupils, numbers.moved_units) == (0.0, 0)
    # d lies in town, where 500 m are the limit, and has 1,000 m to E.
    assert [conflict.rule for conflict in numbers.broken] == ["capacity", "travel_cap"]
    assert str(numbers.broken[0].message) == "East School: 50 pupils for 40 places, 10 too many."
    assert str(numbers.broken[0].cure) == (
        "Give units with 10 pupils to West School beside it, which has 40 places left, or add as many places at East"
        " School."
    )


def test_a_move_and_its_difference() -> None:
    """d (20 pupils) goes west: 30 min instead of 10. E has 30 for 40, W 80 for 100."""
    table = prepare(build_five_villages(zones=TODAY))
    before = measure_drawing(table, table.current)
    now = measure_drawing(table, spell(table, "abcd:W e:E"))
    change = compare_numbers(now, before)
    assert change.pupils.tolist() == [-20, 20]
    assert (change.pupil_min, change.over_pupils, change.over_zones) == (400.0, -10.0, -1)
    assert (now.moved_pupils, now.moved_units, now.further_pupils, now.nearer_pupils) == (20.0, 1, 20.0, 0.0)
    assert now.joined_pupils.tolist() == [0, 20]
    assert now.left_pupils.tolist() == [20, 0]
    assert [conflict.rule for conflict in change.mended] == ["capacity"]
    assert change.newly_broken == ()


def test_pupils_of_a_shared_zone_count_at_both_schools() -> None:
    """c's 10 pupils: half of them at E, half at W; leaving the shared zone for W moves half of them (lottery)."""
    zones = [*TODAY, ("c", "primary", "E")]
    table = prepare(build_five_villages(zones=zones))
    numbers = measure_drawing(table, table.current)
    assert numbers.zone_pupils.tolist() == [50, 50, 10]
    assert numbers.pupils.tolist() == pytest.approx([55, 55, 110])
    assert numbers.places.tolist() == [40, 100, 140]
    assert numbers.over_pupils == pytest.approx(15)
    assert numbers.pieces.tolist() == [1, 1, 1]
    after = measure_drawing(table, spell(table, "abc:W de:E"))
    assert (after.moved_pupils, after.moved_units) == (5.0, 1)
    assert after.left_pupils.tolist() == [5, 0, 5]
    assert after.joined_pupils.tolist() == [0, 5, 0]


def test_every_breach_is_told() -> None:
    """b goes east past c and d (west): b hangs on nothing. e, where E stands, goes west. c has no zone."""
    table = prepare(build_five_villages(zones=TODAY))
    zone = spell(table, "ad:W be:E")
    locked = spell(table, "ab:W")
    found = {conflict.rule: conflict for conflict in measure_drawing(table, zone, locked).broken}
    assert found["no_zone"].unit_ids == ("c",)
    assert found["lock"].unit_ids == ("b",)
    assert (
        str(found["lock"].message) == "1 locked units with 20 pupils are given away: b. They are locked to West School."
    )
    parts = [c for c in measure_drawing(table, zone).broken if c.rule == "connected"]
    assert [(c.unit_ids, c.school_ids) for c in parts] == [(("b",), ("E",)), (("d",), ("W",))]
    seat = [c for c in measure_drawing(table, spell(table, "abcde:W")).broken if c.rule == "seat"]
    assert [str(c.message) for c in seat] == ["East School stands in e, which is given to West School."]


def test_limits_name_their_rule() -> None:
    """Rule C6: rural primary pupils at most 30 min. From a to E: 40 min; from b 30."""
    table = prepare(build_five_villages())
    found = [c for c in measure_drawing(table, spell(table, "ab:E c:W de:E")).broken if c.rule_id == "C6"]
    assert [c.unit_ids for c in found] == [("a",)]
    assert str(found[0].message).startswith("Rule C6: 1 units with 30 pupils have more than 30 min to school: a.")
    assert "1 of them have a school within the limit" in str(found[0].cure)


def test_closed_pairs_are_told() -> None:
    table = prepare(build_five_villages(), closed=(("b", "W"),))
    found = {c.rule: c for c in measure_drawing(table, spell(table, "abc:W de:E")).broken}
    assert found["closed"].unit_ids == ("b",)


def test_a_barrier_parts_zones_and_forbids_ways() -> None:
    """A river between c and d: W may not have d, and d and e hang together without c."""
    study = build_five_villages(zones=TODAY)
    rows = [("unit", unit, int(unit in "de")) for unit in "abcde"] + [("school", "W", 0), ("school", "E", 1)]
    sides = pd.DataFrame(
        [("river", place, key, side, side) for place, key, side in rows],
        columns=["kind", "place", "id", "side", "side_uncrossed"],
    )
    parted = tuple(
        "river" if {first, second} == {"c", "d"} else ""
        for first, second in zip(study.adjacency.first_ids, study.adjacency.second_ids, strict=True)
    )
    study = replace(study, sides=sides, adjacency=replace(study.adjacency, barriers=parted))
    zone = [1, 1, 1, 1, 0]
    table = prepare(study, barriers=("river",))
    broken = {c.rule: c.unit_ids for c in measure_drawing(table, np.array(zone)).broken if not c.rule_id}
    assert broken == {"barrier": ("d",), "connected": ("d",)}
    assert measure_drawing(table, np.array(zone)).pieces.tolist() == [1, 2]
    # Without the barrier in force the same zones break nothing of the kind.
    free = measure_drawing(prepare(study), np.array(zone))
    assert not [c for c in free.broken if c.rule in ("barrier", "connected")]
    assert free.pieces.tolist() == [1, 1]


def test_no_way_to_the_school_given_is_told() -> None:
    """Water parts the two banks: b, on the west bank, is given to E on the other."""
    study = build_world(
        "a/W b . c/E",
        pupils={"a": 10, "b": 20, "c": 30},
        schools={key: WorldSchool(places=100) for key in "WE"},
    )
    table = prepare(study)
    found = {c.rule: c for c in measure_drawing(table, spell(table, "a:W bc:E")).broken}
    assert found["unreached"].unit_ids == ("b",)
    assert found["connected"].unit_ids == ("b",)


def test_class_size_where_places_follow_from_classes() -> None:
    """Places unknown, 2 classes: 100 pupils make 50 a class; 45 are the limit, so a third class is needed."""
    study = build_world("a/S b", pupils={"a": 60, "b": 40}, schools={"S": WorldSchool(places=None, classes=2, roll=80)})
    table = prepare(study)
    found = {c.rule: c for c in measure_drawing(table, np.zeros(2, dtype=np.int64)).broken}
    assert str(found["class_size"].message) == ("S: 50.0 pupils in each of 2 classes; at most 45 are allowed.")
    assert found["class_size"].short_pupils == pytest.approx(10.0)
    assert "Open 1 more classes" in str(found["class_size"].cure)


def test_an_island_is_an_exclave_not_a_breach() -> None:
    """The island touches nothing, so geography keeps it apart: that is no broken rule."""
    study = build_world("a b/S . i", pupils={"a": 10, "b": 20, "i": 5}, schools={"S": WorldSchool(places=50)})
    table = prepare(study)
    numbers = measure_drawing(table, np.zeros(3, dtype=np.int64))
    assert numbers.exclaves.tolist() == [at(table, "i")]
    assert len(numbers.detached) == 0
    assert numbers.pieces.tolist() == [2]


def _report(table: DrawingTable, zone: np.ndarray) -> pd.DataFrame:
    by_id = np.empty_like(zone)
    by_id[table.to_facts] = zone
    report = build_report(table.facts, by_id, drop_locks(table.facts), np.zeros(5), entering_share=None)
    return report.schools


@given(st.integers(0, 10_000), st.integers(0, 8))
@settings(max_examples=40)
def test_numbers_are_those_of_the_zoning_report(seed: int, moves: int) -> None:
    table = prepare(build_random(seed))
    zone = scatter(table, seed, moves)
    numbers, report = measure_drawing(table, zone), _report(table, zone)
    own = slice(0, table.n_own)
    np.testing.assert_allclose(numbers.pupils[own], report["pupils"])
    np.testing.assert_allclose(numbers.fill_share[own], report["fill_share"])
    np.testing.assert_allclose(numbers.mean_travel_min[own], report["mean_travel"])
    np.testing.assert_array_equal(numbers.units[own], report["units"])
    np.testing.assert_allclose(numbers.joined_pupils[own], report["joined_pupils"])
    np.testing.assert_allclose(numbers.left_pupils[own], report["left_pupils"])
    np.testing.assert_allclose(numbers.over_pupils, report["pupils_over"].sum())
    assert len(numbers.detached) == report["exclaves"].sum()


@given(st.integers(0, 10_000), st.integers(0, 8))
@settings(max_examples=25)
def test_numbers_are_those_of_run_scenario(seed: int, moves: int) -> None:
    study = build_random(seed)
    table = prepare(study)
    zone = scatter(table, seed, moves)
    numbers = measure_drawing(table, zone)
    outcome = run_scenario(replace(study, zones=list_drawn(table, zone)), RULES, Scenario(enrolment="zones"))
    np.testing.assert_allclose(numbers.pupils[: table.n_own], outcome.school_table["modelled_pupils"])
    assert numbers.mean_travel_min_total == pytest.approx(outcome.indicator("mean_travel_min"), abs=1e-4)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_no_pupil_is_lost(seed: int) -> None:
    table = prepare(build_random(seed))
    generator = np.random.default_rng(seed)
    zone = generator.integers(-1, table.n_zones, table.n_units)
    numbers = measure_drawing(table, zone)
    everybody = float(table.pupils.sum())
    assert numbers.zone_pupils.sum() + numbers.without_zone_pupils == pytest.approx(everybody)
    assert numbers.pupils[: table.n_own].sum() + numbers.without_zone_pupils == pytest.approx(everybody)
    assert numbers.units.sum() + len(numbers.without_zone) == table.n_units
    assert numbers.joined_pupils[: table.n_own].sum() == pytest.approx(numbers.moved_pupils)
    assert numbers.left_pupils[: table.n_own].sum() == pytest.approx(numbers.moved_pupils)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_undoing_a_move_restores_every_number(seed: int) -> None:
    table = prepare(build_random(seed))
    zone = scatter(table, seed, 4)
    before = measure_drawing(table, zone)
    generator = np.random.default_rng(seed)
    unit = int(generator.integers(0, table.n_units))
    moved = zone.copy()
    moved[unit] = int(generator.integers(-1, table.n_zones))
    measure_drawing(table, moved)
    moved[unit] = zone[unit]
    again = measure_drawing(table, moved)
    change = compare_numbers(again, before)
    assert again.broken == before.broken
    assert (change.pupil_min, change.over_pupils, change.moved_pupils) == (0.0, 0.0, 0.0)
    assert not change.pieces.any()
    assert not change.units.any()


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_pieces_and_breaches_are_those_of_networkx(seed: int) -> None:
    """Zones at random, shared ones too; the seats keep theirs."""
    table = prepare(build_random(seed))
    zone = np.random.default_rng(seed).integers(0, table.n_zones, table.n_units)
    zone[table.seat] = np.arange(table.n_own)
    numbers = measure_drawing(table, zone)
    counted = [count_pieces(table, zone, own) for own in range(table.n_own)]
    assert numbers.pieces[: table.n_own].tolist() == [pieces for pieces, _ in counted]
    assert set(numbers.detached.tolist()) == set().union(*(apart for _, apart in counted))
    told = {unit for conflict in numbers.broken if conflict.rule == "connected" for unit in conflict.unit_ids}
    assert told == {table.unit_ids[unit] for unit in numbers.detached}
    full = {conflict.school_ids[0] for conflict in numbers.broken if conflict.rule == "capacity"}
    over = numbers.pupils[: table.n_own] - numbers.places[: table.n_own]
    assert full == {table.zone_ids[own] for own in np.flatnonzero(over >= 0.5)}


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_shuffled_rows_change_no_number(seed: int) -> None:
    study = build_random(seed)
    table, other = prepare(study), prepare(shuffle_rows(study, seed))
    zone = np.random.default_rng(seed).integers(-1, table.n_zones, table.n_units)
    there = np.empty_like(zone)
    there[[other.unit_ids.index(unit) for unit in table.unit_ids]] = zone
    first, second = measure_drawing(table, zone), measure_drawing(other, there)
    for name in ("pupils", "mean_travel_min", "units", "pieces", "joined_pupils", "left_pupils"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), err_msg=name)
    assert {str(c.message) for c in first.broken} == {str(c.message) for c in second.broken}
