"""Shapes as files bring them, made usable: projected to the study's metres, repaired where they are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geodata.crs import LOCAL, convert_points
from geodata.dictionary import Origin
from geodata.errors import CrsError, DataIssue
from geodata.messages import Message, msg

if TYPE_CHECKING:
    import geopandas as gpd

Shapes = npt.NDArray[np.object_]

OVERLAP_SHARE = 0.01
"""Overlaps of less than this share of the smaller area are the unevenness of drawing, and are not told."""

_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def find_layer_crs(layer: gpd.GeoDataFrame, named: str, crs: str, origin: Origin) -> str:
    """Return the CRS that a layer's coordinates are in: the one ``named`` in the study file, else the layer's own.

    A layer that does not say is taken to be in the study's CRS only where the study is a ``"local"`` grid.
    """
    if named:
        return named
    if layer.crs is not None:
        return str(layer.crs.to_wkt())
    if crs == LOCAL:
        return LOCAL
    raise CrsError(
        DataIssue(
            "layer_crs",
            "error",
            msg("The file does not say which coordinate system it uses."),
            file=origin.file,
            cure=msg("Write crs in the study file, for instance EPSG:4547 or GCJ-02."),
        )
    )


def project_shapes(shapes: Shapes, source: str, target: str) -> Shapes:
    """Return shapes of CRS ``source`` in CRS ``target`` (see :func:`geodata.crs.convert_points`)."""
    if source == target:
        return shapes

    def convert(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(convert_points(places[:, 0], places[:, 1], source, target))

    moved: Shapes = shapely.transform(shapely.force_2d(shapes), convert)
    return moved


def find_unplaced(shapes: Shapes, source: str, target: str) -> npt.NDArray[np.int64]:
    """Return the positions of shapes with a corner that has no place in CRS ``target``: off the Earth, for instance."""
    places, shape = shapely.get_coordinates(shapes, return_index=True)
    x, y = convert_points(places[:, 0], places[:, 1], source, target)
    found: npt.NDArray[np.int64] = np.unique(shape[~(np.isfinite(x) & np.isfinite(y))]).astype(np.int64)
    return found


def build_points(x_m: npt.NDArray[np.float64], y_m: npt.NDArray[np.float64]) -> Shapes:
    """Return an array of points."""
    points: Shapes = np.asarray(shapely.points(np.column_stack([x_m, y_m])), dtype=object)
    return points


def repair_shapes(shapes: Shapes, origin: Origin, ids: npt.NDArray[np.object_]) -> tuple[Shapes, list[DataIssue]]:
    """Return shapes that are valid, and what was found.

    A missing, empty or line shape, and one without area, is an error; a polygon that crosses itself is repaired (its
    areas are kept) with a warning. Heights are dropped. Points pass.
    """
    fixed = shapely.force_2d(shapes)
    issues: list[DataIssue] = []

    def tell(position: int, severity: str, problem: Message, found: str = "") -> None:
        check = "geometry_repaired" if severity == "warning" else "geometry"
        issues.append(
            DataIssue(
                check,
                "warning" if severity == "warning" else "error",
                problem,
                file=origin.file,
                sheet=origin.sheet,
                row=origin.row(position),
                record_id=str(ids[position]),
                found=found,
            )
        )

    empty = shapely.is_missing(fixed) | shapely.is_empty(fixed)
    for position in np.flatnonzero(empty):
        tell(int(position), "error", msg("This row has no shape."))
    broken = ~empty & ~shapely.is_valid(fixed)
    for position in np.flatnonzero(broken):
        reason = shapely.is_valid_reason(fixed[position])
        fixed[position] = _keep_areas(shapely.make_valid(fixed[position]))
        if not shapely.is_empty(fixed[position]):
            tell(int(position), "warning", msg("The outline crosses itself; it was repaired."), reason)
    kinds = shapely.get_type_id(fixed)
    points = kinds == shapely.GeometryType.POINT
    wrong = ~empty & ~points & ~np.isin(kinds, _AREAS)
    wrong |= ~empty & ~points & (shapely.area(fixed) <= 0)
    wrong |= ~empty & ~np.isfinite(shapely.bounds(fixed)).all(axis=1)
    for position in np.flatnonzero(wrong):
        found = "" if fixed[position] is None else fixed[position].geom_type
        tell(int(position), "error", msg("The shape is neither a point nor an area that can be used."), found)
    return fixed, issues


def _keep_areas(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the areal part of a repaired shape."""
    parts = shapely.get_parts(shape)
    parts = parts[np.isin(shapely.get_type_id(parts), _AREAS)]
    return shapely.union_all(parts)


def is_point_layer(shapes: Shapes) -> bool:
    """Tell whether every shape is a point."""
    return len(shapes) > 0 and bool((shapely.get_type_id(shapes) == shapely.GeometryType.POINT).all())


def check_overlaps(shapes: Shapes, ids: npt.NDArray[np.object_], origin: Origin) -> list[DataIssue]:
    """Return a warning for every two areas that lie on each other by more than :data:`OVERLAP_SHARE` of the smaller."""
    tree = shapely.STRtree(shapes)
    pairs = np.hstack([tree.query(shapes, predicate=predicate) for predicate in ("overlaps", "covers")])
    pairs = np.unique(np.sort(pairs[:, pairs[0] != pairs[1]], axis=0), axis=1)
    if not pairs.size:
        return []
    first, second = shapes[pairs[0]], shapes[pairs[1]]
    smaller = np.minimum(shapely.area(first), shapely.area(second))
    share = shapely.area(shapely.intersection(first, second)) / smaller
    return [
        DataIssue(
            "overlap",
            "warning",
            msg(
                "The areas of {first} and {second} lie on each other by {share:.0%} of the smaller one.",
                first=ids[one],
                second=ids[other],
                share=float(part),
            ),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(int(one)),
            record_id=str(ids[one]),
            cure=msg("Correct the outlines; until then the people there are shared out between both."),
        )
        for one, other, part in zip(pairs[0], pairs[1], share, strict=True)
        if part > OVERLAP_SHARE
    ]
