"""People of areas, cells and places put into the buildings that stand there (dasymetric mapping).

A village's outline holds fields and hills; its people live in its houses. Every building belongs to the one area in
which a point inside it lies, and takes a share of that area's people in proportion to its floor area: outline × storeys
× the part of it that is lived in (Wright 1936; with volumes: Lwin and Murayama 2009). Nobody leaves their area, nobody
is lost: an area without any building keeps its people spread over itself, and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.crs import WGS84
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataError, DataIssue
from geodata.files import read_layer
from geodata.messages import msg
from geodata.osm_features import read_osm_buildings
from geodata.osm_tags import OTHER_DWELLING_LEVELS
from geodata.population_table import Parts, Population, Values, limit_issues
from geodata.schema import check_mapping, convert_column, match_columns, raise_if_errors
from geodata.shapes import Shapes, find_layer_crs, find_unplaced, is_point_layer, project_shapes, repair_shapes
from geodata.study_file import BuildingsSource, StudySpec
from geodata.tessellate import build_voronoi_cells, separate_points

OSM_ENDINGS = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
LIVED_SHARE = {"dwelling": 1.0, "mixed": 0.5, "other": 0.0}
"""Part of the floor area that is lived in, by use. The half of mixed houses is a planning assumption."""


@dataclass(frozen=True, eq=False)
class Footprints:
    """Buildings as points inside them: ``x_m``, ``y_m`` in the study's CRS.

    ``dwelling_m2`` is the floor area lived in (or ``people_weight``), ``floor_m2`` all of it.
    """

    x_m: Values
    y_m: Values
    dwelling_m2: Values
    floor_m2: Values
    file: str = ""
    issues: tuple[DataIssue, ...] = ()


def read_footprints(spec: StudySpec, crs: str) -> Footprints:
    """Read the buildings of a study from an OpenStreetMap file or a layer of areas.

    Untagged storeys are those of ``osm_tags.DWELLING_LEVELS`` in OSM, and two in a layer. ``people_weight`` (people,
    households, dwellings), where a building has it, stands for its floor area; then all buildings without one weigh
    nothing, as long as another building has one.

    Raises ``DataError`` for a file that cannot be read or has no areas, and for cells that are not numbers.
    """
    source = spec.buildings
    assert source is not None
    path = spec.resolve(source.path)
    if path.name.lower().endswith(OSM_ENDINGS):
        buildings = read_osm_buildings(path)
        shapes = project_shapes(buildings.geometry.to_numpy(), WGS84, crs)
        floor = buildings["floor_area_m2"].to_numpy(dtype=np.float64)
        return _build_footprints(shapes, np.where(buildings["inhabited"], floor, 0.0), floor, path.name, ())
    return _read_layer(spec, source, crs)


def _read_layer(spec: StudySpec, source: BuildingsSource, crs: str) -> Footprints:
    path = spec.resolve(source.path)
    layer = read_layer(path, layer=source.layer)
    table = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    table.columns = [str(header) for header in table.columns]
    origin = Origin(path.name, source.layer, np.arange(1, len(layer) + 1))
    known = [column.name for column in read_table_schema("buildings").columns]
    issues = check_mapping(source.columns, table.columns, known, origin, table="buildings")
    raise_if_errors(issues)
    columns = match_columns(table.columns, "buildings", source.columns)
    origin = replace(origin, headers=columns)
    found = {}
    for name in ("floors", "use", "people_weight"):
        if name in columns:
            cells = [_tell_cell(value) for value in table[columns[name]]]
            words = source.values.get(name)
            found[name], more = convert_column(cells, read_table_schema("buildings").column(name), origin, words=words)
            issues += more
    shapes, more = repair_shapes(layer.geometry.to_numpy().copy(), origin, np.arange(1, len(layer) + 1).astype(object))
    system = find_layer_crs(layer, source.crs, crs, origin)
    issues += [*more, *_check_areas(shapes, find_unplaced(shapes, system, crs), path.name)]
    issues = limit_issues(issues)
    raise_if_errors(issues)
    shapes = project_shapes(shapes, system, crs)
    floors = np.array([n or np.nan for n in found.get("floors", [None] * len(layer))], dtype=np.float64)
    floor = shapely.area(shapes) * np.where(np.isnan(floors), OTHER_DWELLING_LEVELS, floors)
    lived = np.array([LIVED_SHARE.get(str(use), 1.0) for use in found.get("use", ["dwelling"] * len(layer))])
    weight = np.array([np.nan if n is None else n for n in found.get("people_weight", [])], dtype=np.float64)
    dwelling = floor * lived if not np.nansum(weight) > 0 else np.nan_to_num(weight)
    return _build_footprints(shapes, dwelling, floor, path.name, tuple(issues))


def _tell_cell(value: Any) -> str:
    """Return a cell of a layer as text; whole numbers without a point."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def _check_areas(shapes: Shapes, unplaced: npt.NDArray[np.int64], file: str) -> list[DataIssue]:
    """Return an error for a layer without areas, or with shapes outside its coordinate system."""
    issues = []
    if not len(shapes) or not (shapely.area(shapes) > 0).any():
        problem = msg("The layer of buildings has no areas.")
        issues.append(DataIssue("buildings", "error", problem, file=file, column="[buildings]"))
    if len(unplaced):
        problem = msg("{count:,} shapes lie outside what their coordinate system can hold.", count=len(unplaced))
        cure = msg("Correct the coordinates, or write crs in the study file, for instance EPSG:4547.")
        issues.append(DataIssue("geometry", "error", problem, file=file, column="[buildings]", cure=cure))
    return issues


def _build_footprints(
    shapes: Shapes, dwelling: Values, floor: Values, file: str, issues: tuple[DataIssue, ...]
) -> Footprints:
    """Return footprints of the shapes that are areas."""
    real = shapely.area(shapes) > 0
    inner = shapely.point_on_surface(shapes[real])
    return Footprints(shapely.get_x(inner), shapely.get_y(inner), dwelling[real], floor[real], file, issues)


def put_into_buildings(population: Population, footprints: Footprints) -> Population:
    """Return the population with the ``parts`` of each place: the buildings in it and their share of its people.

    Parameters
    ----------
    population : areas, raster cells, or points; a point has the land that is nearer to it than to any other point.
        A population that is counted in buildings already is returned as it is.
    footprints : buildings, in the same CRS

    Returns
    -------
    Population
        The same table. A place's people go to the dwellings in it, by floor area lived in; where there is none, to all
        its buildings; where none stands, they stay with the place (``parts.bare``). Shares of a place add up to one.
    """
    table = population.table
    shapes = table.geometry.to_numpy()
    if (table["kind"] == "building").all() or not len(table):
        return population
    if is_point_layer(shapes):
        ids = table["unit_id"].to_numpy(dtype=object)
        x_m, y_m, _ = separate_points(shapely.get_x(shapes), shapely.get_y(shapes), ids)
        shapes = build_voronoi_cells(x_m, y_m)
    owner = _find_owners(footprints, shapes, table["unit_id"].to_numpy(dtype=object))
    weight = _choose_weights(footprints, owner, len(table))
    kept = (owner >= 0) & (weight > 0)
    total = np.bincount(owner[kept], weight[kept], minlength=len(table))
    bare = np.flatnonzero(total <= 0)
    parts = Parts(owner[kept], weight[kept] / total[owner[kept]], footprints.x_m[kept], footprints.y_m[kept], bare)
    found = _tell(population, parts, int((owner < 0).sum()), footprints.file)
    return replace(population, parts=parts, issues=(*population.issues, *footprints.issues, *found))


def _find_owners(footprints: Footprints, shapes: Shapes, ids: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return the place in which each building lies, -1 for none; where places overlap, that whose id comes first."""
    points = shapely.points(footprints.x_m, footprints.y_m)
    building, place = shapely.STRtree(shapes).query(points, predicate="intersects")
    rank = np.argsort(np.argsort(ids.astype(str), kind="stable"), kind="stable")
    order = np.lexsort((-rank[place], building))
    owner = np.full(len(footprints.x_m), -1, dtype=np.int64)
    owner[building[order]] = place[order]
    return owner


def _choose_weights(footprints: Footprints, owner: npt.NDArray[np.int64], n_places: int) -> Values:
    """Return what each building weighs in its place: lived-in floor area, or all of it where nobody would live."""
    inside = owner >= 0
    lived = np.bincount(owner[inside], footprints.dwelling_m2[inside], minlength=n_places)
    without = np.append(lived <= 0, False)[owner]
    return np.where(without, footprints.floor_m2, footprints.dwelling_m2)


def _tell(population: Population, parts: Parts, outside: int, file: str) -> list[DataIssue]:
    """Say how many buildings took people, and how many people stay in places without buildings."""
    from geodata.aggregate import compute_weights

    weight = compute_weights(pd.DataFrame(population.table.drop(columns="geometry")))
    note = msg(
        "{buildings:,} buildings take the people of {places:,} places; {outside:,} lie in none.",
        buildings=len(parts.source),
        places=len(weight) - len(parts.bare),
        outside=outside,
    )
    issues = [DataIssue("people_in_buildings", "note", note, file=file)]
    lived_in = parts.bare[weight[parts.bare] > 0]
    if len(lived_in):
        share = float(weight[lived_in].sum() / weight.sum())
        text = msg(
            "{places:,} places with people have no building; their {people:,.0f} people ({share:.1%}) stay spread "
            "over them.",
            places=len(lived_in),
            people=float(weight[lived_in].sum()),
            share=share,
        )
        issues.append(DataIssue("places_without_buildings", "warning" if share > 0.05 else "note", text, file=file))
    return issues


def require_buildings(population: Population, file: str) -> None:
    """Raise ``DataError`` where no building at all stands where people live: the layers do not fit each other."""
    if population.parts is not None and not len(population.parts.source):
        problem = msg("No building lies where people live.")
        cure = msg("Check the coordinate systems of the population and of the buildings.")
        raise DataError(
            [*population.issues, DataIssue("buildings", "error", problem, file=file, column="[buildings]", cure=cure)]
        )
