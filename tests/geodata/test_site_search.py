"""Candidates for new schools: unmet demand by hand, lawful places, what excludes, and equal answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from geodata.errors import Cancelled, ScenarioError
from geodata.messages import Message
from geodata.new_sites import add_sites
from geodata.site_exclusions import ClearDistance, ClearDistances
from geodata.site_search import CANDIDATE_COLUMNS, SPREAD_M, Candidates, find_candidates
from geodata.site_search_demand import compute_unmet, give_out
from geodata.study import StudyArea
from tests.geodata.ground_worlds import add_exclusions, add_open_land
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_world

FLOOD = ClearDistances((ClearDistance("flood"),))
WEST = {"W": WorldSchool(places=100)}


def build_line(**changes: Any) -> StudyArea:
    """Five villages, one school in the west: with 15 min d and e (at 3,500 and 4,500 m east) have no school, nor c."""
    settings_ = {"pupils": {"a": 10, "b": 10, "c": 5, "d": 10, "e": 40}, "schools": WEST}
    units = {"units": {key: WorldUnit(setting="rural", town="East") for key in "de"}}
    return build_world("a/W b c d e", **{**settings_, **units, **changes})


def search(study: StudyArea, **changes: Any) -> Candidates:
    asked: dict[str, Any] = {"stage": "primary", "mode": "walk", "max_travel_min": 8.0, "count": 1, "clear": FLOOD}
    return find_candidates(study, **{**asked, **changes})


def test_unmet_demand_by_hand() -> None:
    """W has 100 places, E 40; 15 minutes. Shortest first: a 30 -> W, e 30 -> E, b 20 -> W, d 10 of 20 -> E (full).

    c is 20 minutes from both schools: its 10 are beyond. d's other 10 are above the places.
    """
    found = compute_unmet(build_five_villages(), stage="primary", mode="walk", max_travel_min=15).table
    assert found["unit_id"].tolist() == list("abcde")
    assert found["beyond_pupils"].tolist() == [0, 0, 10, 0, 0]
    assert found["above_pupils"].tolist() == [0, 0, 0, 10, 0]
    assert found["unmet_pupils"].tolist() == [0, 0, 10, 10, 0]
    near = compute_unmet(build_five_villages(), stage="primary", mode="walk", max_travel_min=20).table
    assert near["unmet_pupils"].tolist() == [0, 0, 0, 10, 0], "c finds room in W, d is 30 minutes from it"


def test_unknown_places_have_room_for_all_and_are_told() -> None:
    study = build_five_villages(schools={"W": WorldSchool(places=None), "E": WorldSchool(places=0)})
    found = compute_unmet(study, stage="primary", mode="walk", max_travel_min=15)
    assert found.unknown_schools == 1
    assert found.table["unmet_pupils"].tolist() == [0, 0, 10, 20, 30]
    assert any("no known number of places" in str(note) for note in search(study, max_travel_min=15.0).notes)
    with pytest.raises(ScenarioError, match="bicycle"):
        compute_unmet(replace(study, travel={"walk": study.travel["walk"]}), stage="primary", mode="bicycle",
                      max_travel_min=5)  # fmt: skip


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.lists(st.integers(0, 40), min_size=1, max_size=4),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_no_pupil_is_lost_and_no_school_overfull(pupils: Sequence[int], places: Sequence[int], data: Any) -> None:
    pairs = [(unit, school) for unit in range(len(pupils)) for school in range(len(places))]
    kept = data.draw(st.lists(st.sampled_from(pairs), unique=True))
    unit, school = (np.array([pair[side] for pair in kept], dtype=np.int64) for side in (0, 1))
    room = np.array(places, dtype=float)
    left = give_out(unit, school, np.array(pupils, dtype=float), room)
    assert (left >= 0).all() and (room >= 0).all()
    assert sum(pupils) - left.sum() == sum(places) - room.sum()
    for one, other in kept:
        assert left[one] == 0 or room[other] == 0, "nobody goes without where there is room"


def test_the_candidate_stands_where_most_pupils_lack_a_place() -> None:
    found = search(build_line())
    assert tuple(found.table.columns) == CANDIDATE_COLUMNS
    row = found.table.iloc[0]
    assert (row["site_id"], row["unit_id"], row["name"], row["source"]) == ("new-001", "e", "e", "unit")
    assert (row["x_m"], row["y_m"], row["town"], row["setting"]) == (4500.0, 500.0, "East", "rural")
    assert (row["unmet_pupils"], row["near_pupils"], row["excluded"]) == (40.0, 40.0, False)
    assert math.isnan(row["area_m2"])
    assert found.unmet["unit_id"].tolist() == ["b", "c", "d", "e"], "b is 10 minutes from W: too far"


def test_a_second_candidate_takes_what_the_first_leaves() -> None:
    # 12 minutes: b is served by W. A school at e has d and e within it, 50 pupils, one of 30 leaves 20 of them.
    found = search(build_line(), max_travel_min=12.0, count=3, school_pupils=30.0).table
    assert found["unit_id"].tolist() == ["e", "d"]
    assert found["unmet_pupils"].tolist() == [30.0, 25.0], "10 of e and 10 of d are left, and the 5 of c"
    assert found["near_pupils"].tolist() == [50.0, 55.0]
    assert any("Fewer candidates" in str(note) for note in search(build_line(), count=9).notes)


def test_a_flooded_village_is_left_and_kept_with_what_excludes_it() -> None:
    # the whole cell of e is under water, more than 500 m around its middle: the next village serves it in 10 minutes
    study = add_exclusions(build_line(), ("flood", "River", box(3990, -100, 5100, 1100)))
    found = search(study, max_travel_min=12.0)
    assert found.table["unit_id"].tolist() == ["d", "e"]
    assert found.table["excluded"].tolist() == [False, True]
    assert found.table["excluded_by"].tolist() == ["", "flood"]
    assert found.distances.set_index(["site_id", "kind"]).loc[("new-002", "flood"), "within"]
    assert not found.distances.set_index(["site_id", "kind"]).loc[("new-001", "flood"), "within"]


def test_a_spot_beside_the_zone_is_taken_where_there_is_one() -> None:
    # water within 100 m of the middle of e: the nearest dry spot is half a metre beyond
    study = add_exclusions(build_line(), ("flood", "Pond", Point(4500, 500).buffer(100, quad_segs=64)))
    row = search(study).table.iloc[0]
    assert not row["excluded"] and row["unit_id"] == "e"
    assert math.hypot(row["x_m"] - 4500, row["y_m"] - 500) == pytest.approx(100.5, abs=0.1)


def test_what_is_only_told_is_kept_clear_of_where_that_is_possible() -> None:
    clear = ClearDistances((ClearDistance("main_road", 80.0, excludes=False),))
    crossing = add_exclusions(build_line(), ("main_road", "Ring", LineString([(4500, -1000), (4500, 2000)])))
    row = search(crossing, clear=clear).table.iloc[0]
    assert 80.0 < abs(row["x_m"] - 4500.0) < 82.0
    # roads everywhere: the school stands where it would have stood, and nothing excludes it
    grid = [("main_road", "", LineString([(x, -1000), (x, 2000)])) for x in range(3500, 5600, 100)]
    row = search(add_exclusions(build_line(), *grid), clear=clear).table.iloc[0]
    assert (row["x_m"], row["excluded"]) == (4500.0, False)


def test_open_land_near_the_demand_goes_first() -> None:
    # straight lines: 8 min are 8·66.7/1.3 = 410 m; half of it is 205 m around the middle of e
    near, far = box(4550, 450, 4650, 570), box(4550, 950, 4650, 1070)
    found = search(add_open_land(build_line(), far, near)).table.iloc[0]
    assert (found["source"], found["name"], found["area_m2"]) == ("open_land", "L2", 12_000.0)
    assert 4550 < found["x_m"] < 4650 and 450 < found["y_m"] < 570
    only_far = search(add_open_land(build_line(), far)).table.iloc[0]
    assert only_far["source"] == "unit"


def test_land_must_be_large_enough_after_what_excludes() -> None:
    land = add_open_land(build_line(), box(4550, 450, 4650, 570))
    half_wet = add_exclusions(land, ("flood", "River", box(4600, 0, 5000, 1000)))
    row = search(half_wet).table.iloc[0]
    assert row["area_m2"] == pytest.approx((50 - 0.5) * 120, rel=1e-3)
    assert row["x_m"] < 4600
    small = ClearDistances((ClearDistance("flood"),), min_area_m2=10_000)
    refused = search(half_wet, clear=small).table
    assert refused["source"].tolist() == ["unit", "open_land"]
    assert refused["excluded_by"].tolist() == ["", "flood"]
    assert search(land, clear=ClearDistances((), min_area_m2=20_000)).table["excluded_by"].tolist() == ["", "area"]


def test_large_land_is_used_where_it_is_nearest_to_the_demand() -> None:
    row = search(add_open_land(build_line(), box(4600, -5000, 9000, 5000))).table.iloc[0]
    assert row["source"] == "open_land"
    assert (row["x_m"], row["y_m"]) == (pytest.approx(4660, abs=0.5), pytest.approx(500, abs=1)), "60 m inside its edge"


def test_candidates_keep_apart_and_off_known_schools_and_sites() -> None:
    study = build_world("a/S b", pupils={"a": 500, "b": 1}, schools={"S": WorldSchool(places=10)}, cell_m=200.0)
    found = search(study, max_travel_min=6.0, count=5).table
    places = found[["x_m", "y_m"]].to_numpy()
    assert np.hypot(places[:, 0] - 100, places[:, 1] - 100).min(initial=np.inf) >= SPREAD_M or found.empty
    sited = add_sites(build_line(), search(build_line()).table)
    again = search(sited)
    assert "e" not in again.table["unit_id"].tolist(), "a site stands there already"
    assert "new-001" not in again.table["site_id"].tolist(), "its id is taken"


def test_equal_answers_whatever_the_order_of_the_rows() -> None:
    study = build_line()
    shuffled = replace(study, units=study.units.iloc[::-1].reset_index(drop=True))
    first, second = (search(each, max_travel_min=12.0, count=3) for each in (study, shuffled))
    assert first.table.equals(second.table)
    assert first.unmet.equals(second.unmet)


def test_nothing_to_look_for_is_told() -> None:
    everybody = search(build_line(), max_travel_min=60.0)
    assert everybody.table.empty and everybody.distances.empty
    assert "nothing to look for" in str(everybody.notes[0])
    nobody = search(build_line(), stage="senior")
    assert "no pupils of this stage" in str(nobody.notes[0])


def test_a_stage_without_schools_and_an_unknown_number_of_pupils() -> None:
    study = build_line(pupils={"junior": {"a": 10, "e": 20}})
    found = search(study, stage="junior")
    assert found.unmet["beyond_pupils"].tolist() == [10.0, 20.0]
    assert found.table["unit_id"].tolist() == ["e"]
    unknown = study.units.assign(junior_pupils=[10.0, np.nan, np.nan, np.nan, np.nan])
    assert search(replace(study, units=unknown), stage="junior").unmet["unit_id"].tolist() == ["a"]
    assert search(study, stage="junior", count=0).table.empty


def test_sites_lie_on_the_side_of_a_barrier_on_which_their_neighbours_do() -> None:
    # a river between c and d: a site 100 m west of it lies on the side of c, though d is as near
    river = pd.DataFrame({"kind": ["river"], "name": ["Long"]}, dtype="str").assign(crossings=0)
    sides = pd.DataFrame(
        [("river", "unit", key, side, side) for key, side in zip("abcde", (0, 0, 0, 1, 1), strict=True)],
        columns=["kind", "place", "id", "side", "side_uncrossed"],
    )
    line = LineString([(3000, -1000), (3000, 2000)])
    study = replace(build_line(), barriers=gpd.GeoDataFrame(river, geometry=[line]), sides=sides)
    more = add_sites(study, pd.DataFrame({"site_id": ["w", "e"], "x_m": [2900.0, 3100.0], "y_m": [500.0, 500.0]}))
    found = more.sides[more.sides["place"] == "site"].set_index("id")["side"]
    assert found.to_dict() == {"w": 0, "e": 1}
    assert more.sites["unit_id"].tolist() == ["c", "d"]
    again = add_sites(more, pd.DataFrame({"site_id": ["w"], "x_m": [3200.0], "y_m": [500.0]}))
    assert again.sides[again.sides["place"] == "site"].set_index("id")["side"].to_dict() == {"e": 1, "w": 1}


def test_a_search_can_be_stopped() -> None:
    def stop(step: Message, share: float) -> None:
        assert 0 <= share <= 1
        if share >= 0.3:
            raise Cancelled(str(step))

    with pytest.raises(Cancelled):
        search(build_line(), progress=stop)


def test_added_sites_have_travel_seats_and_a_new_fingerprint() -> None:
    study = build_line()
    found = search(study).table
    more = add_sites(study, found)
    assert more.sites["site_id"].tolist() == ["new-001"]
    assert more.sites["unit_id"].tolist() == ["e"]
    for mode, travel in more.travel.items():
        assert travel.destination_ids == ("W", "new-001")
        assert travel.time_min.shape == (5, 2)
        assert np.array_equal(travel.time_min[:, 0], study.travel[mode].time_min[:, 0], equal_nan=True)
    # the world has no roads: its own pace, 10 minutes for 1,000 m
    assert more.travel["walk"].time_min[:, 1].tolist() == pytest.approx([40, 30, 20, 10, 0])
    assert more.fingerprint != study.fingerprint
    assert len(study.sites) == 0, "the study itself is untouched"
    twice = add_sites(more, found)
    assert twice.sites["site_id"].tolist() == ["new-001"]
    assert twice.travel["walk"].destination_ids == ("W", "new-001")
    with pytest.raises(ValueError, match="id of its own"):
        add_sites(study, found.assign(site_id="W"))
