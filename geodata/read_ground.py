"""Ground on which schools may or may not stand: layers of what keeps them away, and of open land."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.crs import LOCAL
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataError, DataIssue
from geodata.files import LAYER_ENDINGS, read_layer
from geodata.locate_points import locate_rows
from geodata.messages import Message, msg
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_doubled,
    check_mapping,
    check_table,
    convert_column,
    match_columns,
    raise_if_errors,
)
from geodata.school_sheets import Sheet, build_layer_sheet, open_sheets
from geodata.shapes import Shapes, build_points, find_layer_crs, find_unplaced, project_shapes, repair_shapes
from geodata.site_exclusions import name_kind
from geodata.study_file import ExclusionsSource, OpenLandSource, StudySpec
from geodata.values import is_missing

if TYPE_CHECKING:
    import geopandas as gpd

FAR_M = 20_000.0
"""A layer that begins farther than this from the county is taken to have a wrong coordinate system."""
_USABLE = (
    *(shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT),
    *(shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING),
    *(shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
)


def _build_nothing(name: str) -> Callable[[], Any]:
    return lambda: build_empty_table(name)


@dataclass(frozen=True, eq=False)
class GroundTables:
    """Tables ``exclusions`` and ``open_land``, each empty where the study does not name it, and warnings on them."""

    exclusions: gpd.GeoDataFrame = field(default_factory=_build_nothing("exclusions"))
    open_land: gpd.GeoDataFrame = field(default_factory=_build_nothing("open_land"))
    issues: tuple[DataIssue, ...] = ()


@dataclass(eq=False)
class _Layer:
    """One file: its cells as text, one shape for each row in the study's CRS, and what was found so far."""

    name: str
    sheet: Sheet
    shapes: Shapes
    origin: Origin
    issues: list[DataIssue]
    values: dict[str, list[Any]] = field(default_factory=dict)

    def column(self, name: str, blank: Any = "") -> list[Any]:
        """Return the values of a column; ``blank`` in every row where the file does not have it."""
        return self.values.get(name, [blank] * len(self.sheet.frame))


def read_ground(spec: StudySpec, crs: str) -> GroundTables:
    """Read the files that ``[exclusions]`` (one or several) and ``[open_land]`` name.

    Parameters
    ----------
    spec : the study
    crs : its metric CRS, or ``"local"``

    Raises
    ------
    DataError
        A file cannot be read, or holds words or shapes that are not understood; all of all files at once.
    """
    issues: list[DataIssue] = []
    parts: list[gpd.GeoDataFrame] = []
    land = build_empty_table("open_land", crs)
    for source in spec.exclusions:
        try:
            found, told = _read_exclusions(spec.resolve(source.path), source, crs)
            parts.append(found)
            issues += told
        except DataError as error:
            issues += error.issues
    if spec.open_land is not None:
        try:
            land, told = _read_open_land(spec.resolve(spec.open_land.path), spec.open_land, crs)
            issues += told
        except DataError as error:
            issues += error.issues
    raise_if_errors(issues)
    return GroundTables(_number(parts, crs), land, tuple(issues))


def check_ground(ground: GroundTables, units: gpd.GeoDataFrame) -> list[DataIssue]:
    """Warn of what lies far outside the county as a whole: a wrong coordinate system would leave every site clear."""
    if not len(units):
        return []
    county = shapely.box(*units.total_bounds)
    layers = [(name_kind(str(kind)), part) for kind, part in ground.exclusions.groupby("kind", sort=False)]
    layers += [(msg("open land"), ground.open_land)] if len(ground.open_land) else []
    issues = []
    for what, part in layers:
        away_m = float(shapely.distance(county, shapely.box(*part.total_bounds)))
        if away_m > FAR_M:
            problem = msg("All of it lies {km:,.0f} km outside the county: {what}.", km=away_m / 1000, what=what)
            cure = msg("Check the coordinates of the file, or write its crs in the study file.")
            issues.append(DataIssue("ground_far", "warning", problem, cure=cure))
    return issues


def _number(parts: list[gpd.GeoDataFrame], crs: str) -> gpd.GeoDataFrame:
    """Return the layers as one table, each thing with a code of its own: ``flood-1``, ``flood-2`` …"""
    import geopandas as gpd

    empty = build_empty_table("exclusions", crs)
    if not parts:
        return empty
    table = pd.concat(parts, ignore_index=True)
    counted = table.groupby("kind").cumcount() + 1
    table["exclusion_id"] = (table["kind"].astype(str) + "-" + counted.astype(str)).astype("str")
    columns = [*empty.columns[empty.columns != "geometry"], "geometry"]
    return gpd.GeoDataFrame(table[columns], geometry="geometry", crs=None if crs == LOCAL else crs)


def _read_exclusions(path: Path, source: ExclusionsSource, crs: str) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    import geopandas as gpd

    layer = _open(path, source, "exclusions", crs)
    schema, issues = read_table_schema("exclusions").column("kind"), layer.issues
    one = _read_kind(source, issues)
    if "kind" in layer.origin.headers:
        header, words = layer.origin.headers["kind"], source.values.get("kind")
        texts = [source.kind if is_missing(cell) else cell for cell in layer.sheet.frame[header].tolist()]
        layer.values["kind"], found = convert_column(texts, schema, layer.origin, words=words)
        issues += found
        issues += _report_empty(layer, texts)
    elif one is None:
        issue = build_missing_column("exclusions", "kind", layer.origin)
        issues.append(_with_cure(issue, msg("Add the column, or write kind for the whole layer in the study file.")))
    for position in np.flatnonzero(~np.isin(shapely.get_type_id(layer.shapes), _USABLE) & ~_lost(layer)):
        found_type = layer.shapes[position].geom_type
        issues.append(_report_shape(layer.origin, int(position), msg("The shape cannot be used here."), found_type))
    raise_if_errors(issues)
    kinds = layer.column("kind", one)
    frame = pd.DataFrame({"kind": kinds, "name": layer.column("name")}, dtype="str")
    return gpd.GeoDataFrame(frame, geometry=list(layer.shapes)), issues


def _read_kind(source: ExclusionsSource, issues: list[DataIssue]) -> str | None:
    """Return the kind of the whole layer as the data dictionary calls it; None where the study file names none."""
    if not source.kind:
        return None
    origin = Origin("study.toml", headers={"kind": "exclusions.kind"})
    found, told = convert_column([source.kind], read_table_schema("exclusions").column("kind"), origin)
    issues += told
    return str(found[0] or "")


def _report_empty(layer: _Layer, texts: list[str]) -> list[DataIssue]:
    cure = msg("Fill in the cell, or write kind for the whole layer in the study file.")
    header = layer.origin.headers["kind"]
    return [
        DataIssue("required_value", "error", msg("An entry is missing here."), layer.origin.file, layer.origin.sheet,
                  layer.origin.row(position), header, cure=cure)
        for position, text in enumerate(texts)
        if is_missing(text)
    ]  # fmt: skip


def _read_open_land(path: Path, source: OpenLandSource, crs: str) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    import geopandas as gpd

    layer = _open(path, source, "open_land", crs)
    areas = np.isin(
        shapely.get_type_id(layer.shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    )
    for position in np.flatnonzero(~areas & ~_lost(layer)):
        problem = msg("The shape is not an area.")
        found_type = layer.shapes[position].geom_type
        layer.issues.append(_report_shape(layer.origin, int(position), problem, found_type))
    raise_if_errors(layer.issues)
    given = np.array([np.nan if cell is None else cell for cell in layer.column("area_m2", None)], dtype=np.float64)
    ids = [key or f"land-{position}" for position, key in enumerate(layer.column("land_id"), 1)]
    names = [name or key for name, key in zip(layer.column("name"), ids, strict=True)]
    frame = pd.DataFrame({"land_id": ids, "name": names}, dtype="str")
    frame["area_m2"] = np.where(given > 0, given, shapely.area(layer.shapes))
    origin = layer.origin
    found = check_table(frame, "open_land", file=origin.file, rows=origin.rows, headers=origin.headers)
    told = {(issue.row, issue.column) for issue in layer.issues}
    layer.issues += [issue for issue in found if (issue.row, issue.column) not in told]
    raise_if_errors(layer.issues)
    return gpd.GeoDataFrame(frame, geometry=list(layer.shapes), crs=None if crs == LOCAL else crs), layer.issues


def _open(path: Path, source: ExclusionsSource | OpenLandSource, name: str, crs: str) -> _Layer:
    """Return the rows of a file with their shapes, and names, codes and areas as values."""
    is_layer = path.name.lower().endswith(LAYER_ENDINGS) or isinstance(source, OpenLandSource)
    shapes = None
    if is_layer:
        found = read_layer(path, layer=source.layer)
        shapes, sheet = np.asarray(found.geometry.to_numpy(), dtype=object), build_layer_sheet(found, path.name)
    else:
        sheet = open_sheets(path, sheet=getattr(source, "sheet", ""))[0]
    schema = read_table_schema(name)
    headers = match_columns(sheet.frame.columns, name, source.columns)
    origin = Origin(sheet.file, sheet.name, sheet.rows, headers)
    columns = [column.name for column in schema.columns]
    issues = check_mapping(source.columns, sheet.frame.columns, columns, origin, table=name)
    issues += check_doubled(headers, sheet.frame, origin)
    values: dict[str, list[Any]] = {}
    for column in schema.columns:
        if column.name in headers and column.name != "kind":
            texts = sheet.frame[headers[column.name]].tolist()
            if not column.is_numeric:
                texts = ["" if is_missing(text) else text for text in texts]
            values[column.name], told = convert_column(texts, column, origin)
            issues += told
    if shapes is None:
        x, y, told = locate_rows(sheet, values, headers, source.columns, source.crs, crs, origin, table=name)
        shapes = build_points(x, y)
        issues += told
    else:
        shapes, told = _place_shapes(shapes, find_layer_crs(found, source.crs, crs, origin), crs, origin)
        issues += told
    return _Layer(name, sheet, shapes, origin, issues, values)


def _place_shapes(shapes: Shapes, source_crs: str, crs: str, origin: Origin) -> tuple[Shapes, list[DataIssue]]:
    """Return the shapes in the study's CRS; areas are repaired where they cross themselves."""
    shapes = shapely.force_2d(shapes)
    issues: list[DataIssue] = []
    areas = shapely.get_dimensions(shapes) == 2
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    issues += [_report_shape(origin, int(at), msg("This row has no shape."), "") for at in np.flatnonzero(empty)]
    off = find_unplaced(shapes[~empty], source_crs, crs)
    problem = msg("The shape lies outside what its coordinate system can hold.")
    issues += [_report_shape(origin, int(at), problem, "") for at in np.flatnonzero(~empty)[off]]
    if any(issue.severity == "error" for issue in issues):
        return shapes, issues
    placed = project_shapes(shapes, source_crs, crs)
    fix = np.flatnonzero(areas & ~empty)
    rows = origin.rows
    part = Origin(origin.file, origin.sheet, None if rows is None else np.asarray(rows)[fix], origin.headers)
    placed = np.array(placed, dtype=object)
    placed[fix], told = repair_shapes(placed[fix], part, np.full(len(fix), "", dtype=object))
    return placed, [*issues, *told]


def _lost(layer: _Layer) -> Any:
    """Return which rows have no shape: that is told already."""
    return shapely.is_missing(layer.shapes) | shapely.is_empty(layer.shapes)


def _with_cure(issue: DataIssue, cure: Message) -> DataIssue:
    return replace(issue, cure=cure)


def _report_shape(origin: Origin, position: int, problem: Message, found: str) -> DataIssue:
    cure = msg("Correct the shape, or delete the row.")
    return DataIssue(
        "geometry", "error", problem, origin.file, origin.sheet, origin.row(position), found=found, cure=cure
    )
