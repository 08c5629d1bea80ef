"""Which planning units a street runs through, and which of its house numbers stand in which: for looking up a home.

Nothing here is a place: a reader learns the unit of an address, and never where the house stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.house_ranges import OFF_LAND_M, read_number
from geodata.shapes import Shapes, build_points
from geodata.study import StudyArea


@dataclass(frozen=True)
class HouseRun:
    """House numbers ``first`` to ``last`` (figures only) of one side of a street, odd or even, that lie in ``unit``.

    Between the two no known number of that side lies in another unit. ``unit`` is a position in the study's table.
    """

    odd: bool
    first: int
    last: int
    unit: int


@dataclass(frozen=True)
class StreetUnits:
    """One street of one town: the units (positions, ascending) that it touches, and the runs of its house numbers."""

    street: str
    town: str
    units: tuple[int, ...]
    runs: tuple[HouseRun, ...] = ()


def list_street_units(study: StudyArea, land: Shapes) -> tuple[StreetUnits, ...]:
    """Return the named streets of a study, ordered by name and town; a street of two towns is two.

    Parameters
    ----------
    study : its roads for drawing, addresses and units
    land : polygon of every unit, in the order of the units (``geodata.adjacency.find_land``)
    """
    towns = study.units["town"].fillna("").astype(str).to_numpy(dtype=object)
    tree = shapely.STRtree(land)
    houses = _list_houses(study, tree)
    lines = _list_lines(study, tree)
    found = pd.concat([lines, houses[["street", "unit"]]], ignore_index=True).drop_duplicates()
    found = found.assign(town=towns[found["unit"].to_numpy(dtype=np.int64)])
    houses = houses.assign(town=towns[houses["unit"].to_numpy(dtype=np.int64)])
    runs = {
        (str(street), str(town)): _list_runs(part)
        for (street, town), part in houses.groupby(["street", "town"], sort=False)
    }
    return tuple(
        StreetUnits(
            str(street),
            str(town),
            tuple(sorted(int(unit) for unit in part["unit"])),
            runs.get((str(street), str(town)), ()),
        )
        for (street, town), part in found.groupby(["street", "town"], sort=True)
    )


def _list_lines(study: StudyArea, tree: shapely.STRtree) -> pd.DataFrame:
    """Return ``street``, ``unit`` of every named road and every unit that it touches."""
    roads = study.basemap.roads
    if not len(roads):
        return pd.DataFrame({"street": pd.Series([], dtype="str"), "unit": pd.Series([], dtype="int64")})
    names = roads["name"].fillna("").astype(str).str.strip().to_numpy(dtype=object)
    named = np.flatnonzero(names != "")
    line, unit = tree.query(np.asarray(roads.geometry.array)[named], predicate="intersects")
    return pd.DataFrame({"street": names[named][line], "unit": unit.astype(np.int64)}).drop_duplicates()


def _list_houses(study: StudyArea, tree: shapely.STRtree) -> pd.DataFrame:
    """Return ``street``, ``number`` (its first figure; -1 without) and ``unit`` of every house near a unit."""
    table = study.addresses
    points = build_points(table["x_m"].to_numpy(dtype=np.float64), table["y_m"].to_numpy(dtype=np.float64))
    house, unit = tree.query_nearest(points, max_distance=OFF_LAND_M, all_matches=False)
    numbers = np.array([read_number(str(text))[0] for text in table["house_number"]], dtype=np.int64)
    streets = table["street"].astype(str).str.strip().to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "street": streets[house].astype(str),
            "number": numbers[house].astype(np.int64),
            "unit": unit.astype(np.int64),
        }
    )


def _list_runs(houses: pd.DataFrame) -> tuple[HouseRun, ...]:
    """Return the runs of one street: each side by itself; a number that stands in two units belongs to both."""
    runs: list[HouseRun] = []
    known = houses[houses["number"] >= 0]
    for odd in (True, False):
        side = known[(known["number"] % 2 == 1) == odd]
        by_number = {
            int(str(number)): tuple(sorted(set(part.tolist()))) for number, part in side.groupby("number")["unit"]
        }
        runs += _join_numbers(by_number, odd=odd)
    return tuple(runs)


def _join_numbers(by_number: dict[int, tuple[int, ...]], *, odd: bool) -> list[HouseRun]:
    """Return neighbouring numbers of the same units as one run for each of these units."""
    runs: list[HouseRun] = []
    open_units: tuple[int, ...] = ()
    first = last = 0
    for number in [*sorted(by_number), None]:
        units = by_number[number] if number is not None else ()
        if units != open_units:
            runs += [HouseRun(odd, first, last, unit) for unit in open_units]
            open_units, first = units, number or 0
        last = number or 0
    return runs


def find_house_units(street: StreetUnits, number: int) -> npt.NDArray[np.int64]:
    """Return the units in which a house number of a street may stand; empty where the number is not known."""
    return np.array(
        sorted({run.unit for run in street.runs if run.odd == (number % 2 == 1) and run.first <= number <= run.last}),
        dtype=np.int64,
    )
