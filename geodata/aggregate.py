"""People and children of places, cells and buildings given to planning units; nobody lost, nobody doubled.

Everything here ends in one small table of pairs: this share of that source lies in this unit, around this point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.population_table import COUNT_COLUMNS, Values
from geodata.shapes import Shapes, build_points

NEAREST_M = 500.0
"""A place outside every unit is given to the nearest one within this distance; beyond, it is left out and reported."""
ROUNDING = 1e-5
"""Parts of a raster cell are added up to this accuracy."""
MOSTLY_INSIDE = 0.5
"""A polygon of which at least this share lies in units gives them all its people; below, only that share."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shares:
    """Pairs of unit and source (positions in their tables).

    ``share`` of the source's people (0 to 1) lives in the unit, around ``x_m``, ``y_m``. ``moved`` counts the sources
    that lay outside every unit and were given to the nearest.
    """

    unit: Positions
    source: Positions
    share: Values
    x_m: Values
    y_m: Values
    moved: int = 0


def compute_point_shares(x_m: Values, y_m: Values, units: Shapes, unit_ids: npt.NDArray[np.object_]) -> Shares:
    """Give every point to the unit it lies in; on a border to the unit whose id comes first.

    Points outside every unit go to the nearest within :data:`NEAREST_M`, or nowhere.
    """
    points, tree = build_points(x_m, y_m), shapely.STRtree(units)
    rank = np.argsort(np.argsort(unit_ids.astype(str), kind="stable"), kind="stable")
    source, unit = tree.query(points, predicate="intersects")
    outside = np.setdiff1d(np.arange(len(points)), source)
    if len(outside):
        near, near_unit = tree.query_nearest(points[outside], max_distance=NEAREST_M)
        source, unit = np.append(source, outside[near]), np.append(unit, near_unit)
    order = np.lexsort((rank[unit], source))
    source, unit = source[order], unit[order]
    first = np.ones(len(source), dtype=bool)
    first[1:] = source[1:] != source[:-1]
    source, unit = source[first], unit[first]
    moved = int(np.isin(source, outside).sum())
    return Shares(unit, source, np.ones(len(source)), x_m[source], y_m[source], moved)


def compute_area_shares(sources: Shapes, units: Shapes, unit_ids: npt.NDArray[np.object_]) -> Shares:
    """Give every polygon's people to units in proportion to area; see :data:`MOSTLY_INSIDE` for the rim.

    Polygons that meet no unit, and points among the polygons, are treated as points.
    """
    source, unit = shapely.STRtree(units).query(sources, predicate="intersects")
    pieces = shapely.intersection(sources[source], units[unit])
    area = shapely.area(pieces)
    kept = area > 0
    source, unit, area, pieces = source[kept], unit[kept], area[kept], pieces[kept]
    whole = shapely.area(sources)
    covered = np.bincount(source, area, minlength=len(sources)) / np.where(whole > 0, whole, 1.0)
    # Where units overlap each other, or the rim is ragged, the shares of a source are brought to exactly one.
    scale = np.where(covered >= MOSTLY_INSIDE, covered, 1.0)
    middle = shapely.centroid(pieces)
    share = area / whole[source] / scale[source]
    found = Shares(unit, source, share, shapely.get_x(middle), shapely.get_y(middle))
    lone = np.flatnonzero(covered <= 0)
    if not len(lone):
        return found
    inner = shapely.point_on_surface(sources[lone])
    rest = compute_point_shares(shapely.get_x(inner), shapely.get_y(inner), units, unit_ids)
    return join_shares(found, Shares(rest.unit, lone[rest.source], rest.share, rest.x_m, rest.y_m, rest.moved))


def join_shares(first: Shares, second: Shares) -> Shares:
    """Return the pairs of both."""
    return Shares(
        np.append(first.unit, second.unit),
        np.append(first.source, second.source),
        np.append(first.share, second.share),
        np.append(first.x_m, second.x_m),
        np.append(first.y_m, second.y_m),
        first.moved + second.moved,
    )


def sum_counts(shares: Shares, counts: pd.DataFrame, n_units: int) -> pd.DataFrame:
    """Return :data:`COUNT_COLUMNS` per unit.

    A unit without any source holds nobody (0); a unit whose sources are all unknown is unknown (NaN), and so is every
    unit where no source at all is known.
    """
    columns = {}
    for name in COUNT_COLUMNS:
        values = counts[name].to_numpy(dtype=np.float64)[shares.source]
        known = ~np.isnan(values)
        total = np.bincount(shares.unit[known], (shares.share * values)[known], minlength=n_units)
        blind = np.bincount(shares.unit[~known], minlength=n_units) > 0
        sighted = np.bincount(shares.unit[known], minlength=n_units) > 0
        columns[name] = np.where(blind & ~sighted, np.nan, total)
        if not counts[name].notna().any():
            columns[name] = np.full(n_units, np.nan)
    return pd.DataFrame(columns)


def compute_weights(counts: pd.DataFrame) -> Values:
    """Return what a place weighs: its people, else its children; 0 where nothing is known."""
    people = counts["population_people"]
    pupils = counts[list(COUNT_COLUMNS[1:])].sum(axis=1, min_count=1)
    return people.fillna(pupils).fillna(0.0).to_numpy(dtype=np.float64)


def compute_centres(shares: Shares, weight: Values, n_units: int) -> tuple[Values, Values]:
    """Return the middle of the people of each unit; NaN for units without people. ``weight`` is per source."""
    mass = shares.share * weight[shares.source]
    total = np.bincount(shares.unit, mass, minlength=n_units)
    peopled = total > 0
    safe = np.where(peopled, total, 1.0)
    x_m = np.bincount(shares.unit, mass * shares.x_m, minlength=n_units) / safe
    y_m = np.bincount(shares.unit, mass * shares.y_m, minlength=n_units) / safe
    return np.where(peopled, x_m, np.nan), np.where(peopled, y_m, np.nan)


def choose_majority(shares: Shares, words: pd.Series[str], weight: Values, n_units: int) -> list[str]:
    """Return for each unit the word (town, setting) of most of its people; of equals the first in the alphabet."""
    if (words == "").all():
        return [""] * n_units
    mass = shares.share * (weight[shares.source] + 1e-9)
    pairs = pd.DataFrame({"unit": shares.unit, "word": words.to_numpy()[shares.source], "mass": mass})
    pairs = pairs[pairs["word"] != ""]
    sums = pairs.groupby(["unit", "word"], sort=True)["mass"].sum().reset_index()
    # Rounding keeps sums that differ only by the order of addition equal.
    sums["mass"] = sums["mass"].round(9)
    best = sums.sort_values(["unit", "mass", "word"], ascending=[True, False, True]).drop_duplicates("unit")
    chosen = dict(zip(best["unit"], best["word"], strict=True))
    return [str(chosen.get(position, "")) for position in range(n_units)]
