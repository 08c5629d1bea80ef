"""Outlines of zones: the land of all units that belong to one school, or to one group that shares a zone.

The units of the whole study are cleaned together (:mod:`geodata.coverage`), so that zones of all stages share their
borders vertex for vertex; simplified outlines are simplified together too (:mod:`geodata.simplify`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.coverage import clean_coverage
from geodata.outline_checks import check_outlines
from geodata.shapes import Shapes
from geodata.simplify import simplify_coverage

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["OUTLINE_COLUMNS", "build_zone_outlines", "check_outlines", "unite_shapes"]

OUTLINE_COLUMNS = ("stage", "school_id", "shared", "units", "area_m2", "parts")


def build_zone_outlines(
    units: gpd.GeoDataFrame, zones: pd.DataFrame, *, scattered: bool | None = None, tolerance_m: float = 0.0
) -> gpd.GeoDataFrame:
    """Return one area per stage and school, or group of schools that share units.

    Parameters
    ----------
    units : all units of the study (``unit_id``, ``kind``, ``x_m``, ``y_m``, polygons in metres)
    zones : ``unit_id``, ``stage``, ``school_id``; several rows of a unit and stage = shared zone. Rows of units that
        are not in ``units`` are passed over. A column ``name`` is kept: names of a group are joined like its ids
    scattered : ``Adjacency.scattered``; ``None`` finds out, which measures all borders. Scattered units have the
        Voronoi cells of their demand points as land
    tolerance_m : 0 keeps every vertex; else borders are simplified and none moves further than this

    Returns
    -------
    GeoDataFrame
        ``stage``, ``school_id`` (of a group: ids in order, joined by ";"), ``name`` where given, ``shared``,
        ``units`` (how many), ``area_m2``, ``parts`` (pieces of land: more than 1 = not connected), sorted by stage and
        ``school_id``; (multi)polygons in the CRS of the units. The outlines of one stage do not overlap and have the
        same vertices on both sides of a border. Outlines of a stage depend on the stages given with it where they are
        simplified, by less than the tolerance: a place where borders of any stage meet stays.
    """
    import geopandas as gpd

    from geodata.adjacency import find_land

    named = ["name"] if "name" in zones else []
    groups = _list_groups(units, zones, named)
    land = clean_coverage(find_land(units, scattered=scattered))
    keys = ["stage", "school_id", "shared"]
    parted = [group for _, group in groups.groupby(keys, sort=True)]
    members = [group["position"].to_numpy(dtype=np.int64) for group in parted]
    firsts = [group.iloc[0] for group in parted]
    shapes = _unite_members(land, members, [first["stage"] for first in firsts], tolerance_m)
    columns = [*OUTLINE_COLUMNS[:2], *named, *OUTLINE_COLUMNS[2:]]
    rows = [
        {column: first[column] for column in (*keys, *named)}
        | {"units": len(inside), "area_m2": float(shapely.area(shape)), "parts": len(shapely.get_parts(shape))}
        for first, inside, shape in zip(firsts, members, shapes, strict=True)
    ]
    table = pd.DataFrame(rows, columns=columns)
    words = dict.fromkeys(("stage", "school_id", *named), "str")
    table = table.astype(words | {"shared": bool, "units": "int64", "area_m2": "float64", "parts": "int64"})
    return gpd.GeoDataFrame(table, geometry=shapes, crs=units.crs)


def _list_groups(units: gpd.GeoDataFrame, zones: pd.DataFrame, named: list[str]) -> pd.DataFrame:
    """Return one row per stage and unit.

    ``stage``, ``unit_id``, ``position`` (in ``units``), ``school_id`` and name (those of a group joined), ``shared``.
    """
    keys = ["stage", "unit_id"]
    where = {str(key): position for position, key in enumerate(units["unit_id"])}
    zones = zones[[*keys, "school_id", *named]].assign(position=zones["unit_id"].astype(str).map(where))
    known = zones[zones["position"].notna()]
    several = known.duplicated(keys, keep=False)
    by_unit = known[several].sort_values([*keys, "school_id"]).groupby([*keys, "position"], sort=True)
    joined = by_unit[["school_id", *named]].agg(_join_words)
    joined = joined.assign(shared=by_unit["school_id"].nunique() > 1).reset_index()
    return pd.concat([known[~several].assign(shared=False), joined]).sort_values(keys, ignore_index=True)


def _join_words(words: pd.Series[str]) -> str:
    return ";".join(dict.fromkeys(str(word) for word in words))


def _unite_members(
    land: Shapes, members: list[npt.NDArray[np.int64]], stages: list[str], tolerance_m: float
) -> list[shapely.Geometry]:
    """Return the union of the land of each group's members, simplified together."""
    if tolerance_m > 0 and members:
        # Units that are in the same zone at every stage are one area. Units without a zone are areas too: they hold
        # their place beside the zones.
        names = {stage: number for number, stage in enumerate(dict.fromkeys(stages))}
        zone = np.full((len(land), len(names)), -1, dtype=np.int64)
        for number, (stage, inside) in enumerate(zip(stages, members, strict=True)):
            zone[inside, names[stage]] = number
        _, area = np.unique(zone, axis=0, return_inverse=True)
        order = np.argsort(area, kind="stable")
        areas = np.split(order, np.flatnonzero(np.diff(area[order])) + 1)
        land = simplify_coverage(np.array([_unite_clean(land[inside]) for inside in areas], dtype=object), tolerance_m)
        members = [np.unique(area[inside]) for inside in members]
    return [_unite_clean(land[inside]) for inside in members]


def _unite_clean(shapes: Shapes) -> shapely.Geometry:
    """Return the union of areas that are known to be a valid coverage."""
    united: shapely.Geometry = shapes[0] if len(shapes) == 1 else shapely.coverage_union_all(shapes)
    return united


def unite_shapes(shapes: Shapes) -> shapely.Geometry:
    """Return the union of areas: along their common edges where they are a valid coverage, else by overlay."""
    shapes = np.asarray(shapes, dtype=object)
    if len(shapes) == 1:
        united: shapely.Geometry = shapes[0]
    elif bool(shapely.coverage_is_valid(shapes)):
        united = shapely.coverage_union_all(shapes)
    else:
        united = shapely.union_all(shapes)
    return united
