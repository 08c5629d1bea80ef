"""Pockets, islands and detours: by hand, and the moves that are said to mend do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.drawing_numbers import measure_drawing
from planning.zone_troubles import list_troubles
from tests.planning.drawing_worlds import at, build_random, prepare, scatter, spell
from tests.worlds import WorldSchool, build_five_villages, build_world

GRID = "a/A b c\nd e f\ng h i/B"


def _grid(places: float = 100) -> object:
    return prepare(
        build_world(
            GRID,
            pupils=dict.fromkeys("abcdefghi", 10.0),
            schools={key: WorldSchool(places=places) for key in "AB"},
        )
    )


def test_a_pocket_in_the_middle() -> None:
    """e is B's, but A has everything around it; f and h are A's though B is 10 min away and A 30: detours."""
    table = _grid()
    troubles = list_troubles(table, spell(table, "abcdfgh:A ei:B"))
    assert troubles["kind"].tolist() == ["pocket", "detour", "detour"]
    row = troubles.iloc[0]
    assert (row["school_ids"], row["unit_ids"], row["pupils"]) == ("B", ("e",), 10.0)
    assert str(row["message"]) == "1 units of B with 10 pupils lie apart from it, enclosed by A: e."
    # To give e to A costs nothing (20 min to both); to give f to B joins e as well, and saves 10 · 20.
    assert (table.zone_ids[row["mend_zone"]], row["mend_min"]) == ("B", -200.0)
    assert row["mend_units"] == (at(table, "f"),)


def test_a_piece_between_two_zones_at_the_edge_is_an_island() -> None:
    """c, in the corner, is C's, which stands far off; A and B lie around it and the county ends there."""
    study = build_world(
        "a/A b c d e/B\nf . . . g\nh/C . . . i",
        pupils=dict.fromkeys("abcdefghi", 10.0),
        schools={key: WorldSchool(places=100) for key in "ABC"},
    )
    table = prepare(study)
    troubles = list_troubles(table, spell(table, "ab:A cfh:C degi:B"))
    assert troubles["kind"].tolist()[0] == "island"
    assert str(troubles["message"].iloc[0]).startswith("1 units of C with 10 pupils lie apart from it, beside A, B: c.")
    assert str(troubles["mend"].iloc[0]) == "Give c to A: 200 pupil-minutes a day less."


def test_an_exclave_by_geography_is_an_island_without_neighbours() -> None:
    study = build_world("a b/S . i", pupils={"a": 10, "b": 20, "i": 5}, schools={"S": WorldSchool(places=50)})
    table = prepare(study)
    troubles = list_troubles(table, np.zeros(3, dtype=np.int64))
    assert troubles[["kind", "mend_zone"]].values.tolist() == [["island", -1]]
    assert "border no other zone" in str(troubles["message"].iloc[0])


def test_a_detour_past_a_nearer_school_with_places() -> None:
    """b has 10 min to W and goes 30 to E. Over 10 min (rule U2): a detour, if W has 20 places; c hangs on it."""
    table = prepare(build_five_villages())
    troubles = list_troubles(table, spell(table, "a:W bcde:E"))
    assert troubles[["kind", "unit_ids", "extra_min"]].values.tolist() == [["detour", ("b",), 400.0]]
    assert str(troubles["message"].iloc[0]) == (
        "b (20 pupils) goes to East School, 30 min; West School is 10 min away and has 70 places left."
    )
    assert str(troubles["mend"].iloc[0]) == "Give b to West School: 400 pupil-minutes a day less."
    full = build_five_villages(schools={"W": WorldSchool(places=40), "E": WorldSchool(places=40)})
    table = prepare(full)
    assert list_troubles(table, spell(table, "a:W bcde:E")).empty


def test_locks_stand_against_a_mend() -> None:
    table = prepare(build_five_villages())
    zone = spell(table, "a:W bcde:E")
    row = list_troubles(table, zone, locked=np.ones(5, dtype=np.bool_)).iloc[0]
    assert (row["mend_zone"], str(row["mend"])) == (-1, "b is locked where it is.")


def test_good_zones_have_no_troubles() -> None:
    table = _grid()
    assert list_troubles(table, spell(table, "abcde:A fghi:B")).empty


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=25)
def test_mends_mend(seed: int, moves: int) -> None:
    """Every named move costs what is said; nobody is newly apart, and the units in trouble no longer are."""
    table = prepare(build_random(seed))
    zone = scatter(table, seed, moves)
    before = measure_drawing(table, zone)
    troubles = list_troubles(table, zone)
    apart = {unit for units in troubles.loc[troubles["kind"] != "detour", "units"] for unit in units}
    assert apart == {*before.detached.tolist(), *before.exclaves.tolist()}
    for row in troubles[troubles["mend_zone"] >= 0].itertuples():
        after = zone.copy()
        after[list(row.mend_units)] = row.mend_zone
        now = measure_drawing(table, after)
        assert now.pupil_min - before.pupil_min == pytest.approx(row.mend_min)
        if row.kind != "detour":
            assert now.over_pupils - before.over_pupils == pytest.approx(row.mend_over_pupils)
        else:
            assert now.over_pupils <= before.over_pupils + 1e-9
        assert not set(now.detached.tolist()) - set(before.detached.tolist())
        assert not set(row.units) & set(now.detached.tolist())
