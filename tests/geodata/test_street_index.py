"""Streets and house numbers lead to units: runs of numbers, both sides, streets of two towns."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.street_index import HouseRun, find_house_units, list_street_units
from geodata.study import Basemap, StudyArea
from tests.worlds import build_five_villages


def _build_street(numbers: list[tuple[str, float]], name: str = "Main Street") -> StudyArea:
    """Five villages with one road through all of them, and houses on it: number, x in kilometres from a."""
    study = build_five_villages()
    x_m, y_m = study.units["x_m"].to_numpy(), study.units["y_m"].to_numpy()
    road = shapely.LineString(np.column_stack([x_m, y_m]))
    roads = gpd.GeoDataFrame({"road_class": ["primary"], "name": [name]}, geometry=[road], crs=study.units.crs)
    houses = pd.DataFrame(
        {
            "street": pd.Series([name] * len(numbers), dtype="str"),
            "house_number": pd.Series([text for text, _ in numbers], dtype="str"),
            "x_m": [x_m[0] + 1000.0 * km for _, km in numbers],
            "y_m": [y_m[0]] * len(numbers),
        }
    )
    return replace(study, basemap=Basemap(roads, study.basemap.water), addresses=houses)


def _list(study: StudyArea) -> dict[tuple[str, str], tuple[tuple[int, ...], tuple[HouseRun, ...]]]:
    land = np.asarray(study.units.geometry.to_numpy(), dtype=object)
    return {(item.street, item.town): (item.units, item.runs) for item in list_street_units(study, land)}


def test_a_street_of_two_towns_is_two_and_numbers_lead_to_units() -> None:
    # 1, 3 and 5 stand in a, 7 in b, 9 in a again; 2 to 8 in d (the other town).
    numbers = [("1", 0.0), ("3号", 0.1), ("5A", 0.2), ("7", 1.0), ("9", 0.3), ("2", 3.0), ("8", 3.1), ("x", 0.0)]
    found = _list(_build_street(numbers))
    assert set(found) == {("Main Street", "Westtown"), ("Main Street", "Easttown")}
    units, runs = found["Main Street", "Westtown"]
    assert units == (0, 1, 2)
    assert runs == (HouseRun(True, 1, 5, 0), HouseRun(True, 7, 7, 1), HouseRun(True, 9, 9, 0))
    assert found["Main Street", "Easttown"] == ((3, 4), (HouseRun(False, 2, 8, 3),))


def test_a_number_is_looked_up_on_its_side_of_the_street() -> None:
    study = _build_street([("1", 0.0), ("9", 0.1), ("4", 1.0)])
    land = np.asarray(study.units.geometry.to_numpy(), dtype=object)
    street = list_street_units(study, land)[1]
    assert street.town == "Westtown"
    assert find_house_units(street, 5).tolist() == [0]
    assert find_house_units(street, 4).tolist() == [1]
    assert find_house_units(street, 6).tolist() == []


def test_a_number_that_two_units_have_belongs_to_both() -> None:
    found = _list(_build_street([("1", 0.0), ("3", 0.0), ("3", 1.0)]))
    assert found["Main Street", "Westtown"][1] == (
        HouseRun(True, 1, 1, 0),
        HouseRun(True, 3, 3, 0),
        HouseRun(True, 3, 3, 1),
    )


def test_a_study_without_roads_and_addresses_has_no_streets() -> None:
    study = build_five_villages()
    assert list_street_units(study, np.asarray(study.units.geometry.to_numpy(), dtype=object)) == ()
