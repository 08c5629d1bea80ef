"""Outlines of zones: the land of all units that belong to one school, or to one group that shares a zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.shapes import Shapes

if TYPE_CHECKING:
    import geopandas as gpd

OUTLINE_COLUMNS = ("stage", "school_id", "shared", "units", "area_m2", "parts")


def build_zone_outlines(
    units: gpd.GeoDataFrame, zones: pd.DataFrame, *, scattered: bool | None = None
) -> gpd.GeoDataFrame:
    """Return one area per stage and school, or group of schools that share units.

    Parameters
    ----------
    units : the units table (``unit_id``, ``kind``, ``x_m``, ``y_m``, polygons in metres)
    zones : ``unit_id``, ``stage``, ``school_id``; several rows of a unit and stage = shared zone. Rows of units that
        are not in ``units`` are passed over. A column ``name`` is kept: names of a group are joined like its ids
    scattered : ``Adjacency.scattered``; ``None`` finds out, which measures all borders. Scattered units have the
        Voronoi cells of their demand points as land

    Returns
    -------
    GeoDataFrame
        ``stage``, ``school_id`` (of a group: ids in order, joined by ";"), ``name`` where given, ``shared``,
        ``units`` (how many), ``area_m2``, ``parts`` (pieces of land: more than 1 = not connected), sorted by stage and
        ``school_id``; (multi)polygons in the CRS of the units.
    """
    import geopandas as gpd

    from geodata.adjacency import find_land

    where = {str(key): position for position, key in enumerate(units["unit_id"])}
    named = ["name"] if "name" in zones else []
    known = zones[zones["unit_id"].astype(str).isin(where)].sort_values(["stage", "unit_id", "school_id"])
    by_unit = known.groupby(["stage", "unit_id"], sort=True)
    groups = by_unit[["school_id", *named]].agg(_join_words)
    groups = groups.assign(shared=by_unit["school_id"].nunique() > 1).reset_index()
    land = find_land(units, scattered=scattered)
    rows, shapes = [], []
    for (stage, school_id, shared), members in groups.groupby(["stage", "school_id", "shared"], sort=True):
        shape = unite_shapes(land[[where[str(key)] for key in members["unit_id"]]])
        row = {"stage": stage, "school_id": school_id, "shared": bool(shared), "units": len(members)}
        names = {"name": members["name"].iloc[0]} if named else {}
        rows.append(row | names | {"area_m2": float(shapely.area(shape)), "parts": len(shapely.get_parts(shape))})
        shapes.append(shape)
    columns = [*OUTLINE_COLUMNS[:2], *named, *OUTLINE_COLUMNS[2:]]
    table = pd.DataFrame(rows, columns=columns)
    words = dict.fromkeys(("stage", "school_id", *named), "str")
    table = table.astype(words | {"shared": bool, "units": "int64", "area_m2": "float64", "parts": "int64"})
    return gpd.GeoDataFrame(table, geometry=shapes, crs=units.crs)


def _join_words(words: pd.Series[str]) -> str:
    return ";".join(dict.fromkeys(str(word) for word in words))


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
