"""Outlines of zones checked from the outside: by overlay and edge by edge, not the way in which they were built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geodata.adjacency import TOLERANCE_M
from geodata.coverage import NEEDLE_M
from geodata.messages import Message, msg
from geodata.population_table import Values
from geodata.quality_facts import STAGE_NAMES
from geodata.shapes import Shapes

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

AREA_SHARE = 0.001
"""An outline may differ by this share from the areas of its units together: what cleaning may change."""
_NEAR_M = 1e-4
_LEAST_M2 = 1e-3

Positions = npt.NDArray[np.int64]


def check_outlines(
    units: gpd.GeoDataFrame,
    outlines: gpd.GeoDataFrame,
    zones: pd.DataFrame,
    *,
    scattered: bool | None = None,
    tolerance_m: float = 0.0,
) -> list[Message]:
    """Return what is wrong with outlines of zones; empty = nothing.

    Parameters
    ----------
    units, zones, scattered : as for :func:`geodata.outlines.build_zone_outlines`
    outlines : what is checked: ``stage``, ``school_id`` (ids of a group joined by ";"), polygons
    tolerance_m : how far borders may lie from those of the units, where the outlines were simplified

    Returns
    -------
    list of Message
        Zones without an outline and outlines without a zone; shapes that cross themselves; overlaps; land of units
        with a zone that no outline covers, and outlines on land of no such unit (both where wider than the cleaning
        tolerance and ``tolerance_m`` allow); areas that differ from those of the units by more than
        :data:`AREA_SHARE`, with a tolerance by more than perimeter times tolerance; borders that are not the same,
        edge by edge, on both sides.
    """
    from geodata.adjacency import find_land

    land = find_land(units, scattered=scattered)
    where = {str(key): position for position, key in enumerate(units["unit_id"])}
    found: list[Message] = []
    expected = _list_members(zones, where)
    for stage in sorted({stage for stage, _ in expected} | set(outlines["stage"].astype(str))):
        here = outlines[outlines["stage"].astype(str) == stage]
        names = here["school_id"].astype(str).tolist()
        shapes = np.asarray(here.geometry.to_numpy(), dtype=object)
        members = {key: inside for (one, key), inside in expected.items() if one == stage}
        found += [*_check_names(names, members, stage), *_check_shapes(names, shapes, stage)]
        if shapely.is_valid(shapes).all():
            found += _check_overlaps(names, shapes, stage)
            found += _check_cover(shapes, land, np.unique([p for m in members.values() for p in m]), stage, tolerance_m)
            found += _check_areas(names, shapes, land, members, stage, tolerance_m)
            found += _check_borders(names, shapes, stage, tolerance_m)
    return found


def _list_members(zones: pd.DataFrame, where: dict[str, int]) -> dict[tuple[str, str], list[int]]:
    """Return the positions of the units of each stage and group."""
    schools: dict[tuple[str, str], set[str]] = {}
    for unit_id, stage, school_id in zip(zones["unit_id"], zones["stage"], zones["school_id"], strict=True):
        if str(unit_id) in where:
            schools.setdefault((str(stage), str(unit_id)), set()).add(str(school_id))
    members: dict[tuple[str, str], list[int]] = {}
    for (stage, unit_id), ids in schools.items():
        members.setdefault((stage, ";".join(sorted(ids))), []).append(where[unit_id])
    return members


def _check_names(names: list[str], members: dict[str, list[int]], stage: str) -> Iterator[Message]:
    stage_name = _name_stage(stage)
    for name in sorted(members.keys() - set(names)):
        yield msg("The zone of {name} has no outline ({stage}).", name=name, stage=stage_name)
    for name in sorted(name for name in set(names) if name not in members or names.count(name) > 1):
        yield msg("The outline of {name} belongs to no zone, or stands twice ({stage}).", name=name, stage=stage_name)


def _name_stage(stage: str) -> Message | str:
    return STAGE_NAMES.get(stage, stage)


def _check_shapes(names: list[str], shapes: Shapes, stage: str) -> Iterator[Message]:
    areal = np.isin(shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    for position in np.flatnonzero(~areal | shapely.is_empty(shapes) | ~shapely.is_valid(shapes)):
        yield msg(
            "The outline of {name} is empty or crosses itself ({stage}).",
            name=names[position],
            stage=_name_stage(stage),
        )


def _check_overlaps(names: list[str], shapes: Shapes, stage: str) -> Iterator[Message]:
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared_m2 = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    for one, other, area_m2 in zip(first, second, shared_m2, strict=True):
        if area_m2 > _LEAST_M2:
            yield msg(
                "The outlines of {first} and {second} lie on each other ({area:,.1f} m², {stage}).",
                first=names[one],
                second=names[other],
                area=float(area_m2),
                stage=_name_stage(stage),
            )


def _check_cover(shapes: Shapes, land: Shapes, zoned: Positions, stage: str, tolerance_m: float) -> Iterator[Message]:
    """Tell land of zoned units that is left out, and outlines on other land, where wider than is allowed."""
    covered, wanted = shapely.union_all(shapes), shapely.union_all(land[zoned])
    # Half the width: a strip along a border that moved is as wide as the move, a strip on both sides twice that.
    half_m = TOLERANCE_M / 2 + tolerance_m
    # Land that lies on that of a unit without a zone is not left open.
    covered_too = shapely.union(covered, shapely.union_all(np.delete(land, zoned)))
    left_m2 = float(shapely.area(shapely.buffer(shapely.difference(wanted, covered_too), -half_m)))
    beyond_m2 = float(shapely.area(shapely.buffer(shapely.difference(covered, wanted), -half_m)))
    if left_m2 > 0:
        yield msg(
            "The outlines leave out land of units that have a zone (more than {area:,.1f} m², {stage}).",
            area=left_m2,
            stage=_name_stage(stage),
        )
    if beyond_m2 > 0:
        yield msg(
            "The outlines cover land of no unit of theirs (more than {area:,.1f} m², {stage}).",
            area=beyond_m2,
            stage=_name_stage(stage),
        )


def _check_areas(
    names: list[str],
    shapes: Shapes,
    land: Shapes,
    members: dict[str, list[int]],
    stage: str,
    tolerance_m: float,
) -> Iterator[Message]:
    for name, shape in zip(names, shapes, strict=True):
        if name in members:
            wanted_m2 = float(shapely.area(land[members[name]]).sum())
            allowed_m2 = AREA_SHARE * wanted_m2 + tolerance_m * float(shapely.length(shape))
            if abs(shape.area - wanted_m2) > allowed_m2:
                yield msg(
                    "The outline of {name} has {area:,.0f} m², its units together {wanted:,.0f} m² ({stage}).",
                    name=name,
                    area=float(shape.area),
                    wanted=wanted_m2,
                    stage=_name_stage(stage),
                )


def _check_borders(names: list[str], shapes: Shapes, stage: str, tolerance_m: float) -> Iterator[Message]:
    """Tell edges that run along another outline which does not have the same edge: on it, or across a narrow gap.

    Of simplified outlines only the first is told: a gap of the land may have become narrower.
    """
    edges, owner = _list_edges(shapes)
    _, number, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    alone = np.flatnonzero(count[number] == 1)
    length_m = np.hypot(edges[alone, 0] - edges[alone, 2], edges[alone, 1] - edges[alone, 3])
    # A shorter edge may lie beside the corner of another outline.
    uneven = _find_beside(shapes, edges[alone], owner[alone], _NEAR_M) & (length_m > 100 * _NEAR_M)
    for position in np.unique(np.append(owner[alone][uneven], owner[count[number] > 2])):
        yield msg(
            "The border of {name} is not the same on both sides ({stage}).",
            name=names[position],
            stage=_name_stage(stage),
        )
    if tolerance_m > 0:
        return
    apart = _find_beside(shapes, edges[alone], owner[alone], TOLERANCE_M) & (length_m > NEEDLE_M)
    for position in np.setdiff1d(owner[alone][apart], owner[alone][uneven]):
        yield msg(
            "A narrow gap parts {name} from the zone beside it ({stage}).",
            name=names[position],
            stage=_name_stage(stage),
        )


def _find_beside(shapes: Shapes, edges: Values, owner: Positions, distance_m: float) -> npt.NDArray[np.bool_]:
    """Whether an edge of ``owner`` has one other outline near both its ends and its middle."""
    tree = shapely.STRtree(shapes)
    pairs: list[set[tuple[int, int]]] = []
    for places in (edges[:, :2], (edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:]):
        edge, other = tree.query(shapely.points(places), predicate="dwithin", distance=distance_m)
        apart = owner[edge] != other
        pairs.append(set(zip(edge[apart].tolist(), other[apart].tolist(), strict=True)))
    beside = np.zeros(len(edges), dtype=bool)
    beside[[edge for edge, _ in set.intersection(*pairs)]] = True
    return beside


def _list_edges(shapes: Shapes) -> tuple[Values, Positions]:
    """Return every edge as its two ends, the lower one first, shape (n, 4), and the shape that it bounds."""
    edges: list[Values] = []
    owner: list[int] = []
    for position, shape in enumerate(shapes):
        for part in shapely.get_parts(shape):
            for ring in (part.exterior, *part.interiors):
                places = np.asarray(ring.coords)[:, :2]
                low, high = places[:-1], places[1:]
                swap = (low[:, 0] > high[:, 0]) | ((low[:, 0] == high[:, 0]) & (low[:, 1] > high[:, 1]))
                edges.append(np.where(swap[:, None], np.hstack([high, low]), np.hstack([low, high])))
                owner += [position] * len(low)
    return np.concatenate(edges) if edges else np.empty((0, 4)), np.array(owner, dtype=np.int64)
