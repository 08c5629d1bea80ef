"""Whether zones cover the study area: units without a zone, and land that is no unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.coverage import clean_coverage
from geodata.messages import Message, msg
from geodata.outlines import unite_shapes
from geodata.quality_facts import join_words
from geodata.shapes import Shapes

if TYPE_CHECKING:
    import geopandas as gpd

COVER_COLUMNS = ("kind", "name", "unit_ids", "pupils", "area_m2")
MAX_NAMES = 5
MAX_PLACES = 10

Positions = npt.NDArray[np.int64]


def find_uncovered(
    units: gpd.GeoDataFrame, zones: pd.DataFrame, stage: str, *, scattered: bool | None = None
) -> gpd.GeoDataFrame:
    """Return the land that no zone of a stage covers.

    Parameters
    ----------
    units : all units of the study (``unit_id``, ``name``, ``kind``, ``x_m``, ``y_m``, pupils, polygons in metres)
    zones : ``unit_id``, ``stage``, ``school_id``
    stage : the stage asked about
    scattered : as for :func:`geodata.outlines.build_zone_outlines`

    Returns
    -------
    GeoDataFrame
        One row per place, units first, then the most pupils, then the largest area. ``kind``: ``"no_zone"``
        (neighbouring units without a zone) or ``"hole"`` (land enclosed by units that is itself no unit: a lake, or
        land that was left out). ``unit_ids`` and ``name``: these units, or those around the hole, the longest border
        first; joined by ";". A unit without a name is called by its id. ``pupils``: of the stage, NaN where unknown,
        0 for a hole. ``area_m2``, (multi)polygons in the CRS of the units. Land outside the outer border of all units
        is not known to be part of the study and not listed.
    """
    import geopandas as gpd

    from geodata.adjacency import find_land

    land = clean_coverage(find_land(units, scattered=scattered))
    zoned = set(zones.loc[zones["stage"].astype(str) == stage, "unit_id"].astype(str))
    missing = np.flatnonzero(~units["unit_id"].astype(str).isin(zoned).to_numpy())
    column = f"{stage}_pupils"
    pupils = units[column].to_numpy(dtype=np.float64) if column in units else np.full(len(units), np.nan)
    rows: list[dict[str, Any]] = []
    for place in _group_neighbours(land, missing):
        known = pupils[place][np.isfinite(pupils[place])]
        inside_pupils = float(known.sum()) if len(known) else np.nan
        rows.append(_describe(units, place, unite_shapes(land[place]), "no_zone", inside_pupils))
    rows += [_describe(units, _find_around(land, hole), hole, "hole", 0.0) for hole in _find_holes(land)]
    table = pd.DataFrame(rows, columns=[*COVER_COLUMNS, "geometry"])
    table = table.astype({"kind": "str", "name": "str", "unit_ids": "str", "pupils": "float64", "area_m2": "float64"})
    table = table.assign(hole=table["kind"] == "hole")
    table = table.sort_values(["hole", "pupils", "area_m2", "unit_ids"], ascending=[True, False, False, True])
    table = table.drop(columns="hole").reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=units.crs)


def _describe(
    units: gpd.GeoDataFrame, place: Positions, shape: shapely.Geometry, kind: str, pupils: float
) -> dict[str, Any]:
    ids = units["unit_id"].iloc[place].astype(str).tolist()
    names = units["name"].iloc[place].fillna("").astype(str).tolist() if "name" in units else [""] * len(ids)
    called = [name.strip() or key for name, key in zip(names, ids, strict=True)]
    return {
        "kind": kind,
        "name": ";".join(called),
        "unit_ids": ";".join(ids),
        "pupils": float(pupils),
        "area_m2": float(shapely.area(shape)),
        "geometry": shape,
    }


def _group_neighbours(land: Shapes, members: Positions) -> list[Positions]:
    """Return units in groups of those that hang together by common borders."""
    if not len(members):
        return []
    first, second = shapely.STRtree(land[members]).query(land[members], predicate="intersects")
    first, second = first[first < second], second[first < second]
    touching = shapely.length(shapely.intersection(land[members[first]], land[members[second]])) > 0
    links = coo_matrix((np.ones(int(touching.sum())), (first[touching], second[touching])), shape=(len(members),) * 2)
    count, group = connected_components(links, directed=False)
    return [members[group == number] for number in range(count)]


def _find_holes(land: Shapes) -> list[shapely.Geometry]:
    """Return land that units enclose on all sides and that is none of them."""
    whole = unite_shapes(land)
    rings = [ring for part in shapely.get_parts(whole) for ring in part.interiors]
    inside = [shapely.difference(shapely.Polygon(ring), whole) for ring in rings]
    return [hole for hole in inside if not hole.is_empty]


def _find_around(land: Shapes, hole: shapely.Geometry) -> Positions:
    """Return the units that border a hole, the longest border first."""
    near = np.sort(shapely.STRtree(land).query(hole, predicate="intersects"))
    border_m = shapely.length(shapely.intersection(land[near], shapely.boundary(hole)))
    order = np.argsort(-border_m, kind="stable")
    found: Positions = near[order][border_m[order] > 0]
    return found


def tell_cover(uncovered: gpd.GeoDataFrame) -> list[Message]:
    """Return sentences on what :func:`find_uncovered` found: the zones cover the study area, or where not."""
    holes = uncovered[uncovered["kind"] == "hole"]
    units = uncovered[uncovered["kind"] == "no_zone"]
    if uncovered.empty:
        return [msg("The zones cover the whole study area.")]
    said = [_tell_units(units) if len(units) else msg("Every unit has a zone.")]
    shown = units.head(MAX_PLACES)
    said += map(_tell_place, shown["name"], shown["area_m2"] / 1e4, shown["pupils"])
    shown = holes.head(MAX_PLACES)
    said += map(_tell_hole, shown["name"], shown["area_m2"] / 1e4)
    more = max(len(units) - MAX_PLACES, 0) + max(len(holes) - MAX_PLACES, 0)
    if more:
        said.append(msg("{more:,} more such places are not listed here.", more=more))
    return said


def _tell_units(units: gpd.GeoDataFrame) -> Message:
    count = sum(len(text.split(";")) for text in units["unit_ids"])
    if units["pupils"].isna().all():
        return msg("{units:,} units have no zone; how many pupils live there is not known.", units=count)
    pupils = float(units["pupils"].sum())
    return msg("{units:,} units with {pupils:,.0f} pupils have no zone.", units=count, pupils=pupils)


def _tell_place(name: str, area_ha: float, pupils: float) -> Message:
    names = _list_names(name)
    if not np.isfinite(pupils):
        return msg("Without a zone: {names} ({area:,.1f} ha).", names=names, area=area_ha)
    return msg(
        "Without a zone: {names} ({area:,.1f} ha, {pupils:,.0f} pupils).", names=names, area=area_ha, pupils=pupils
    )


def _tell_hole(name: str, area_ha: float) -> Message:
    return msg(
        "{area:,.1f} ha of enclosed land beside {names} are no unit: water, or land left out.",
        area=area_ha,
        names=_list_names(name),
    )


def _list_names(name: str) -> Message:
    """Return the first few of several names as one word."""
    names = name.split(";")
    shown = join_words([msg("{name}", name=each) for each in names[:MAX_NAMES]])
    if len(names) <= MAX_NAMES:
        return shown
    return msg("{names} and {more:,} more", names=shown, more=len(names) - MAX_NAMES)
