"""Sides of barriers, and neighbours that a barrier parts: a grid of squares that can be walked by eye."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.adjacency import compute_adjacency, find_land
from geodata.sides import NEAR_M, PlaceTable, close_outline, compute_sides, find_parted_pairs
from geodata.study import Adjacency

# Nine squares of 1,000 m:   g h i     named from the south-west; demand points in the middle
#                            d e f
#                            a b c
SIDE_M = 1000.0


def _grid(rows: int = 3, columns: int = 3) -> gpd.GeoDataFrame:
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    return gpd.GeoDataFrame(
        {
            "unit_id": [chr(97 + k) for k in range(len(cells))],
            "kind": "village",
            "x_m": [(column + 0.5) * SIDE_M for _, column in cells],
            "y_m": [(row + 0.5) * SIDE_M for row, _ in cells],
        },
        geometry=[shapely.box(c * SIDE_M, r * SIDE_M, (c + 1) * SIDE_M, (r + 1) * SIDE_M) for r, c in cells],
    )


def _lines(**lines: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"kind": list(lines)}, geometry=[shapely.LineString(line) for line in lines.values()])


def _spots(*spots: tuple[str, float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"kind": [kind for kind, _, _ in spots]}, geometry=[shapely.Point(x, y) for _, x, y in spots]
    )


def _sides(units: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, spots: gpd.GeoDataFrame, column: str) -> dict[str, str]:
    places = [PlaceTable("unit", *(units[name].to_numpy() for name in ("unit_id", "x_m", "y_m")))]
    table = compute_sides(close_outline(find_land(units)), lines, spots, places)
    return {str(kind): "".join(map(str, rows[column])) for kind, rows in table.groupby("kind")}


def _parted(units: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, spots: gpd.GeoDataFrame) -> tuple[dict, dict]:  # type: ignore[type-arg]
    adjacency = compute_adjacency(units)
    names = [first + second for first, second in zip(adjacency.first_ids, adjacency.second_ids, strict=True)]
    land = find_land(units, scattered=adjacency.scattered)
    results = find_parted_pairs(units, land, close_outline(land), adjacency, lines, spots)
    assert all(len(found) == len(names) for found in results)
    return tuple({name: kind for name, kind in zip(names, found, strict=True) if kind} for found in results)  # type: ignore[return-value]


NO_SPOTS = _spots()
EAST_WEST = [(-50.0, 1000.0), (3050.0, 1000.0)]  # on the border of the first and the second row


def test_a_river_parts_the_first_row_from_the_others() -> None:
    units, river = _grid(), _lines(river=EAST_WEST)
    assert _sides(units, river, NO_SPOTS, "side") == {"river": "111000000"}  # side 0 holds most places
    assert _parted(units, river, NO_SPOTS) == ({"ad": "river", "be": "river", "cf": "river"}, {})


def test_a_bridge_joins_the_sides_but_only_neighbours_nearby() -> None:
    units, river, bridge = _grid(), _lines(river=EAST_WEST), _spots(("river", 100.0, 1000.0))
    assert _sides(units, river, bridge, "side") == {"river": "000000000"}
    assert _sides(units, river, bridge, "side_uncrossed") == {"river": "111000000"}
    assert _parted(units, river, bridge) == ({"be": "river", "cf": "river"}, {"ad": "river"})
    near = _spots(("river", 1000.0 - NEAR_M + 5, 1000.0))  # 195 m from b and e
    assert _parted(units, river, near) == ({"cf": "river"}, {"ad": "river", "be": "river"})


def test_the_line_need_not_follow_the_border_and_may_be_of_two_kinds() -> None:
    # The river runs 300 m north of the border, through d, e and f, south of their demand points: still between them.
    units = _grid()
    lines = _lines(river=[(-50.0, 1300.0), (3050.0, 1300.0)], railway=[(1500.5, -50.0), (1500.5, 3050.0)])
    parted, _ = _parted(units, lines, NO_SPOTS)
    assert parted == {"ad": "river", "be": "river", "cf": "river", "bc": "railway", "ef": "railway", "hi": "railway"}
    both = _lines(river=EAST_WEST, railway=EAST_WEST)
    assert set(_parted(units, both, NO_SPOTS)[0].values()) == {"river;railway"}
    assert _sides(units, lines, NO_SPOTS, "side") == {"river": "111000000", "railway": "001001001"}


def test_a_line_through_a_corner_of_one_unit_parts_nobody() -> None:
    units = _grid()
    corner = _lines(river=[(-50.0, 900.0), (100.0, 900.0), (100.0, 1100.0), (-50.0, 1100.0)])
    assert _parted(units, corner, NO_SPOTS) == ({}, {})


def test_a_line_that_ends_inside_parts_neighbours_but_no_county() -> None:
    units, stub = _grid(), _lines(river=[(-50.0, 1000.0), (1900.0, 1000.0)])
    assert _sides(units, stub, NO_SPOTS, "side") == {"river": "000000000"}
    # a and d can meet round no end within 200 m; b and e can: the river ends 100 m before the border of e and f.
    assert _parted(units, stub, NO_SPOTS) == ({"ad": "river"}, {})


def test_a_line_that_almost_reaches_the_border_reaches_it() -> None:
    units = _grid()
    assert _sides(units, _lines(river=[(20.0, 1000.0), (2980.0, 1000.0)]), NO_SPOTS, "side") == {"river": "111000000"}
    assert _sides(units, _lines(river=[(0.0, 1000.0), (3000.0, 1000.0)]), NO_SPOTS, "side") == {"river": "111000000"}
    assert _sides(units, _lines(river=[(80.0, 1000.0), (2980.0, 1000.0)]), NO_SPOTS, "side") == {"river": "000000000"}


def test_two_carriageways_need_two_crossings() -> None:
    units = _grid()
    pair = gpd.GeoDataFrame(
        {"kind": ["expressway"] * 2},
        geometry=[shapely.LineString([(-50, y), (3050, y)]) for y in (990, 1010)],
    )
    one, both = _spots(("expressway", 500, 990)), _spots(("expressway", 500, 990), ("expressway", 500, 1010))
    assert "ad" in _parted(units, pair, one)[0]
    assert _parted(units, pair, both)[1] == {"ad": "expressway"}
    assert _sides(units, pair, one, "side") != _sides(units, pair, both, "side") == {"expressway": "000000000"}


def test_schools_and_sites_beside_the_land_have_the_nearest_side() -> None:
    units = _grid()
    school = PlaceTable("school", ["S"], np.array([500.0]), np.array([-300.0]))
    site = PlaceTable("site", ["T"], np.array([500.0]), np.array([3300.0]))
    unit = PlaceTable("unit", *(units[name].to_numpy() for name in ("unit_id", "x_m", "y_m")))
    table = compute_sides(close_outline(find_land(units)), _lines(river=EAST_WEST), NO_SPOTS, [unit, school, site])
    assert table.set_index(["place", "id"])["side"].loc[[("school", "S"), ("site", "T")]].tolist() == [1, 0]
    assert list(table.columns) == ["kind", "place", "id", "side", "side_uncrossed"]


def test_islands_of_settlement_are_not_sides() -> None:
    # Cells with people far from each other: only the river makes sides, not the empty land between.
    units = _grid().iloc[[0, 2, 6, 8]]
    river = _lines(river=[(-9000.0, 1000.0), (9000.0, 1000.0)])
    assert _sides(units, river, NO_SPOTS, "side") == {"river": "1100"}


def test_houses_are_parted_by_what_runs_between_them() -> None:
    # Two rows of five houses, 60 m apart; a railway between the rows with a crossing at one end, far from the other.
    spots = [(400.0 * column, 60.0 * row) for row in range(2) for column in range(5)]
    units = gpd.GeoDataFrame(
        {"unit_id": list("abcdefghij"), "kind": "building", "x_m": [x for x, _ in spots], "y_m": [y for _, y in spots]},
        geometry=[shapely.box(x - 5, y - 5, x + 5, y + 5) for x, y in spots],
    )
    line, crossing = _lines(railway=[(-900.0, 31.0), (2500.0, 31.0)]), _spots(("railway", 0.0, 31.0))
    parted, crossed = _parted(units, line, crossing)
    assert {"ch", "di", "ej"} <= set(parted)
    assert "af" in crossed
    assert not {"ab", "bc", "fg"} & (set(parted) | set(crossed))


def test_nothing_to_part() -> None:
    units = _grid()
    land = find_land(units)
    outline = close_outline(land)
    assert find_parted_pairs(units, land, outline, compute_adjacency(units), _lines(), NO_SPOTS) == ((), ())
    assert len(compute_sides(close_outline(find_land(units)), _lines(), NO_SPOTS, [])) == 0
    none = Adjacency((), (), np.empty(0))
    assert find_parted_pairs(units, land, outline, none, _lines(river=EAST_WEST), NO_SPOTS) == ((), ())


@given(x=st.floats(-400, 3400), y=st.floats(-400, 3400), angle=st.floats(0, 3.14))
def test_a_straight_line_parts_exactly_the_pairs_on_different_sides(x: float, y: float, angle: float) -> None:
    """Without crossings: a pair is parted when its demand points lie on two sides of the line, near its land or not."""
    units = _grid()
    step = np.array([np.cos(angle), np.sin(angle)]) * 20_000
    line = _lines(other=[tuple(np.array([x, y]) - step), tuple(np.array([x, y]) + step)])
    offset = step[0] * (units["y_m"] - y) - step[1] * (units["x_m"] - x)
    if (np.abs(offset) < 1e5).any():
        return  # through a demand point: on both sides
    side = dict(zip(units["unit_id"], offset > 0, strict=True))
    adjacency = compute_adjacency(units)
    expected = {a + b for a, b in zip(adjacency.first_ids, adjacency.second_ids, strict=True) if side[a] != side[b]}
    assert set(_parted(units, line, NO_SPOTS)[0]) == expected
    sides = _sides(units, line, NO_SPOTS, "side")["other"]
    assert len(set(sides)) == len(set(side.values()))
    assert len({(s, side[u]) for s, u in zip(sides, units["unit_id"], strict=True)}) == len(set(sides))


@pytest.mark.parametrize("kind", ["river", "railway", "expressway"])
def test_the_demo_county_has_barriers_that_part_it(kind: str) -> None:
    from pathlib import Path

    from geodata.build import read_study

    study = read_study(Path(__file__).resolve().parents[2] / "examples" / "studies" / "demo.toml")
    rows = study.sides[(study.sides["kind"] == kind) & (study.sides["place"] == "unit")]
    assert len(rows) == len(study.units)
    assert rows["side"].nunique() == 1  # bridges join the whole county
    assert rows["side_uncrossed"].value_counts().tolist()[1] > 100  # without them it falls into large parts
    named = [kind in found.split(";") for found in study.adjacency.barriers]
    assert sum(named) >= 2
    assert sum(kind in found.split(";") for found in study.adjacency.crossed) >= 10
