"""Catchments drawn as areas: every unit belongs to the area that holds its demand point.

Where areas lie on each other the unit belongs to all of them, as it does where an area names several schools (a shared
zone, 多校划片). A demand point on the border of two areas that only touch belongs to the one of the school whose id
comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.files import read_layer
from geodata.messages import Message, msg
from geodata.population_table import limit_issues
from geodata.quality_facts import STAGE_NAMES
from geodata.schema import build_missing_column, check_mapping, convert_column, match_headers, raise_if_errors
from geodata.school_sheets import build_layer_sheet
from geodata.shapes import Shapes, build_points, find_layer_crs, project_shapes, repair_shapes
from geodata.study_file import ZonesSource
from geodata.values import find_near_id, is_missing, normalise_text

if TYPE_CHECKING:
    import geopandas as gpd

_BETWEEN_SCHOOLS = re.compile(r"[;；、|]")


@dataclass(frozen=True)
class _Area:
    """One area for one stage: its row in the layer and its schools."""

    row: int
    stage: str
    school_ids: tuple[str, ...]


def read_zone_layer(
    path: Path,
    source: ZonesSource,
    crs: str,
    *,
    units: gpd.GeoDataFrame,
    schools: gpd.GeoDataFrame,
    places: pd.DataFrame,
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read a layer of catchments (GeoPackage, GeoJSON, GeoParquet, shapefile) as a table of zones.

    Parameters
    ----------
    path : the file
    source : ``layer``, ``crs`` and ``columns`` of the file; ``stage`` of all areas where no column tells it
    crs : the study's metric CRS, or ``"local"``
    units, schools, places : tables of the study

    Returns
    -------
    DataFrame, list of DataIssue
        ``unit_id``, ``stage``, ``school_id`` in the order of the units, then stages and schools; warnings and notes on
        areas that overlap, areas without units, and units outside all areas.

    Raises
    ------
    DataError
        The layer cannot be read; a school is not known by id or by a name that only one school has; a shape is no area;
        nobody says for which stage an area is, and its school teaches several. All at once.
    """
    layer = read_layer(path, layer=source.layer)
    sheet = build_layer_sheet(layer.set_geometry(shapely.points(np.zeros((len(layer), 2))), crs=layer.crs), path.name)
    headers = _match_columns([str(header) for header in sheet.frame.columns], source)
    origin = Origin(path.name, source.layer, sheet.rows, headers)
    names = [column.name for column in read_table_schema("zones").columns]
    issues = check_mapping(source.columns, sheet.frame.columns, names, origin, table="zones")
    if "school_id" not in headers:
        raise_if_errors([*issues, build_missing_column("zones", "school_id", origin)])
    texts = sheet.frame[headers["school_id"]].tolist()
    stages, found = _read_stages(sheet.frame, source, origin)
    issues += found
    shapes, found = repair_shapes(np.asarray(layer.geometry.to_numpy(), dtype=object).copy(), origin, np.array(texts))
    issues += [*found, *_report_points(shapes, origin)]
    areas, found = _name_areas(texts, stages, schools, places, origin)
    issues += found
    raise_if_errors(issues)
    shapes = project_shapes(shapes, find_layer_crs(layer, source.crs, crs, origin), crs)
    zones, found = _fill_areas(areas, shapes, units, origin)
    return zones, limit_issues([*issues, *found])


def _match_columns(headers: Sequence[str], source: ZonesSource) -> dict[str, str]:
    """Return our columns among the headers; a column of school names serves where there are no ids."""
    zones, schools = read_table_schema("zones"), read_table_schema("schools")
    wanted = {
        "school_id": (*zones.column("school_id").headers, *schools.column("name").headers),
        "stage": zones.column("stage").headers,
    }
    return match_headers(headers, wanted, source.columns)


def _read_stages(frame: pd.DataFrame, source: ZonesSource, origin: Origin) -> tuple[list[str], list[DataIssue]]:
    """Return the stage of every row; ``""`` where nobody says."""
    if "stage" not in origin.headers:
        return [source.stage] * len(frame), []
    texts = [source.stage if is_missing(cell) else cell for cell in frame[origin.headers["stage"]]]
    found, issues = convert_column(texts, read_table_schema("zones").column("stage"), origin)
    return [str(stage) for stage in found], issues


def _report_points(shapes: Shapes, origin: Origin) -> list[DataIssue]:
    return [
        _issue(origin, int(at), "geometry", msg("The shape is neither a point nor an area that can be used."), "Point")
        for at in np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.POINT)
    ]


def _issue(
    origin: Origin, row: int, check: str, problem: Message, found: str = "", cure: Message | None = None
) -> DataIssue:
    header = origin.headers.get("school_id", "")
    return DataIssue(check, "error", problem, origin.file, origin.sheet, origin.row(row), header, found, cure=cure)


def _name_areas(
    texts: Sequence[str], stages: Sequence[str], schools: gpd.GeoDataFrame, places: pd.DataFrame, origin: Origin
) -> tuple[list[_Area], list[DataIssue]]:
    """Return the areas with their stages and schools, and every cell that names no school or no stage."""
    taught: dict[str, list[str]] = {}
    for key, stage in zip(places["school_id"], places["stage"], strict=True):
        taught.setdefault(str(key), []).append(str(stage))
    ids = [str(key) for key in schools["school_id"]]
    by_name: dict[str, list[str]] = {}
    for key, name in zip(ids, schools["name"], strict=True):
        by_name.setdefault(normalise_text(str(name)), []).append(key)
    known = [*ids, *(str(name) for name in schools["name"])]
    areas: list[_Area] = []
    issues: list[DataIssue] = []
    for row, (text, stage) in enumerate(zip(texts, stages, strict=True)):
        if is_missing(text):
            cure = msg("Fill in the cell.")
            issues.append(_issue(origin, row, "required_value", msg("An entry is missing here."), cure=cure))
            continue
        parts = [text] if _find_schools(text, ids, by_name) else [p for p in _BETWEEN_SCHOOLS.split(text) if p.strip()]
        found: dict[str, list[str]] = {}
        for part in parts:
            keys = _find_schools(part.strip(), ids, by_name)
            teaching = [key for key in keys if stage in taught.get(key, [])]
            keys = teaching if len(keys) > 1 and teaching else keys
            for each in [stage] if stage else taught.get(keys[0], []) if len(keys) == 1 else []:
                found.setdefault(each, []).append(keys[0] if keys else "")
            issues += _check_school(part.strip(), keys, stage, taught, row, origin, known)
        areas += [_Area(row, each, tuple(sorted(set(keys)))) for each, keys in found.items()]
    return areas, issues


def _find_schools(text: str, ids: Sequence[str], by_name: dict[str, list[str]]) -> list[str]:
    """Return the ids that a cell may mean: the id itself, else every school of that name."""
    return [text] if text in ids else by_name.get(normalise_text(text), [])


def _check_school(
    text: str,
    keys: Sequence[str],
    stage: str,
    taught: dict[str, list[str]],
    row: int,
    origin: Origin,
    known: Sequence[str],
) -> list[DataIssue]:
    """Report a cell that means no school, several, or one that teaches several stages where no stage is given."""
    if not keys:
        near = find_near_id(text, known)
        cure = msg("Correct the code, or add the missing school or unit.")
        if near:
            cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
        problem = msg("The table {table} names {id}, which is not known.", table="zones", id=text)
        return [_issue(origin, row, "unknown_ids", problem, text, cure)]
    if len(keys) > 1:
        problem = msg("{count} schools have this name.", count=len(keys))
        cure = msg("Write the code of the school: one of {names}.", names=", ".join(keys))
        return [_issue(origin, row, "unknown_ids", problem, text, cure)]
    if not stage and len(taught.get(keys[0], [])) != 1:
        problem = msg("Nobody says for which stage this area is.")
        cure = msg('Add a column of stages, or write stage = "primary" under [zones] in the study file.')
        return [_issue(origin, row, "required_value", problem, text, cure)]
    return []


def _fill_areas(
    areas: Sequence[_Area], shapes: Shapes, units: gpd.GeoDataFrame, origin: Origin
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Return the zones of all units, and what was found on the way."""
    points = build_points(units["x_m"].to_numpy(dtype=np.float64), units["y_m"].to_numpy(dtype=np.float64))
    tree = shapely.STRtree(shapes)
    inner = set(zip(*tree.query(points, predicate="within").tolist(), strict=True))
    touched: dict[int, list[int]] = {}
    for point, shape in zip(*tree.query(points, predicate="intersects").tolist(), strict=True):
        touched.setdefault(point, []).append(shape)
    ids = [str(key) for key in units["unit_id"]]
    rows: list[tuple[str, str, str]] = []
    issues: list[DataIssue] = []
    for stage in dict.fromkeys(area.stage for area in areas):
        of_row = {area.row: area.school_ids for area in areas if area.stage == stage}
        doubled: dict[tuple[str, str], int] = {}
        filled: set[int] = set()
        outside = 0
        for point, unit_id in enumerate(ids):
            near = [shape for shape in touched.get(point, []) if shape in of_row]
            holding = [shape for shape in near if (point, shape) in inner]
            holding = holding or sorted(near, key=lambda shape: of_row[shape])[:1]
            outside += not holding
            filled.update(holding)
            rows += [(unit_id, stage, key) for key in sorted({key for shape in holding for key in of_row[shape]})]
            for pair in combinations(sorted(";".join(of_row[shape]) for shape in holding), 2):
                doubled[pair] = doubled.get(pair, 0) + 1
        issues += _report_areas(of_row, stage, doubled, filled, outside, origin)
    order = {key: position for position, key in enumerate(ids)}
    rows.sort(key=lambda row: order[row[0]])
    return pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"], dtype="str"), issues


def _report_areas(
    of_row: dict[int, tuple[str, ...]],
    stage: str,
    doubled: dict[tuple[str, str], int],
    filled: set[int],
    outside: int,
    origin: Origin,
) -> list[DataIssue]:
    """Tell which areas lie on each other, which hold no unit, and how many units lie outside all of them."""
    issues = []
    for (first, second), count in doubled.items():
        if first != second:
            problem = msg(
                "The areas of {first} and {second} lie on each other; {count:,} units belong to both ({stage}).",
                first=first,
                second=second,
                count=count,
                stage=STAGE_NAMES[stage],
            )
            cure = msg("Correct the outlines, unless the zone is meant to be shared.")
            issues.append(DataIssue("zone_overlap", "warning", problem, origin.file, origin.sheet, cure=cure))
    for row, keys in of_row.items():
        if row not in filled:
            name = ";".join(keys)
            problem = msg("The area of {name} holds no planning unit ({stage}).", name=name, stage=STAGE_NAMES[stage])
            place = (origin.file, origin.sheet, origin.row(row))
            issues.append(DataIssue("zone_empty", "warning", problem, *place))
    if outside:
        taught = STAGE_NAMES[stage]
        problem = msg("{count:,} units lie outside every area of the layer ({stage}).", count=outside, stage=taught)
        issues.append(DataIssue("zone_outside", "warning", problem, origin.file, origin.sheet))
    return issues
