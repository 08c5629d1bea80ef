"""Population from vector files: points, polygons, hexagons, footprints with counts in their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.crs import WGS84, convert_points
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue, MissingColumnError
from geodata.files import TABLE_ENDINGS, read_layer, read_raw_table
from geodata.locate_points import report_swapped
from geodata.messages import msg
from geodata.population_table import (
    COUNT_COLUMNS,
    PUPIL_COLUMNS,
    Band,
    Population,
    Values,
    check_bands_disjoint,
    fill_pupils,
    limit_issues,
)
from geodata.schema import check_doubled, check_mapping, convert_column, match_columns, raise_if_errors
from geodata.shapes import (
    Shapes,
    build_points,
    find_layer_crs,
    find_unplaced,
    is_point_layer,
    project_shapes,
    repair_shapes,
)
from geodata.study import STAGES, Stage
from geodata.study_file import PopulationSource, StudySpec, UnitsSource
from geodata.tessellate import build_hexagons, separate_points
from geodata.values import is_missing, is_total

if TYPE_CHECKING:
    import geopandas as gpd

NODATA = frozenset(["-9999", "-99999", "-32768", "-2147483648"])
"""Numbers that stand for "not known" in exported layers; they are read as missing, with a warning."""

_AGE_COLUMN = re.compile(r"age_?(\d{1,2})_(\d{1,2})")
_KIND_ENDINGS = (("村", "village"), ("社区", "community"), ("小区", "estate"), ("花园", "estate"), ("家园", "estate"))
_DEFAULT_KINDS = {"hexagons": "hexagon", "buildings": "building"}


@dataclass(frozen=True)
class FeatureTable:
    """Places of one file with our column names, every cell checked; ``shapes`` are in the study's CRS."""

    frame: pd.DataFrame
    shapes: Shapes
    origin: Origin
    bands: Mapping[Band, Values]
    issues: tuple[DataIssue, ...]


def read_population_layer(spec: StudySpec, crs: str) -> Population:
    """Read points, polygons, hexagons or footprints with counts; see ``PopulationSource``.

    Children by stage come from counts where there are any, else from age bands (columns ``age_5_9`` …), else from the
    study's ``share`` of the inhabitants.

    Raises
    ------
    DataError
        With every cell, id and shape that cannot be used.
    """
    source = spec.population
    assert source is not None
    features = read_features(spec, source, crs)
    frame, shapes, issues = features.frame, features.shapes, list(features.issues)
    if source.kind == "hexagons" and is_point_layer(shapes):
        ids = frame["unit_id"].to_numpy(dtype=object)
        x_m, y_m, moved = separate_points(shapely.get_x(shapes), shapely.get_y(shapes), ids)
        shapes = build_hexagons(x_m, y_m)
        if moved:
            text = msg("{count:,} places stand on the spot of another; they were set half a metre apart.", count=moved)
            issues.append(DataIssue("coincident_places", "warning", text, file=features.origin.file))
    counted = {stage: _column(frame, PUPIL_COLUMNS[stage]) for stage in STAGES if PUPIL_COLUMNS[stage] in frame}
    people = _column(frame, "population_people") if "population_people" in frame else None
    pupils, modelled = fill_pupils(counted, features.bands, people, source.share)
    if people is None and not pupils:
        raise MissingColumnError([*issues, _build_no_counts(features.origin)])
    if "kind" not in frame:
        frame["kind"] = _guess_kinds(frame["name"], _DEFAULT_KINDS.get(source.kind, ""))
    frame["population_people"] = np.nan if people is None else people
    for stage in STAGES:
        frame[PUPIL_COLUMNS[stage]] = pupils.get(stage, np.nan)
    issues += _check_missing_counts(frame, features.origin, [*pupils], people is not None)
    return Population(build_frame(frame, shapes, crs), tuple(limit_issues(issues)), None, modelled)


def read_features(spec: StudySpec, source: PopulationSource | UnitsSource, crs: str) -> FeatureTable:
    """Read a table or layer of places, match its headers and convert its cells and shapes.

    Ids that the file lacks are the labels of its rows: 0, 1, 2 … where the file has no index of its own.
    """
    path = spec.resolve(source.path)
    if path.suffix.lower() in TABLE_ENDINGS:
        raw = read_raw_table(path)
        table, origin, layer = raw.frame, Origin(raw.file, raw.sheet, raw.rows), None
    else:
        layer = read_layer(path, layer=source.layer)
        rows = np.arange(1, len(layer) + 1)
        table, origin = pd.DataFrame(layer.drop(columns=layer.geometry.name)), Origin(path.name, source.layer, rows)
    table.columns = [str(header) for header in table.columns]
    aged = {ours: header for ours, header in source.columns.items() if _AGE_COLUMN.fullmatch(ours)}
    mapping = {ours: header for ours, header in source.columns.items() if ours not in aged}
    known = [column.name for column in read_table_schema("units").columns]
    issues = check_mapping(mapping, table.columns, known, origin, table="units")
    issues += check_mapping(aged, table.columns, list(aged), origin, table="units")
    raise_if_errors(issues)
    columns = match_columns(table.columns, "units", mapping)
    origin = Origin(origin.file, origin.sheet, origin.rows, columns)
    if layer is None:
        table, origin, issues = _leave_out_totals(table, columns, origin)
        issues += check_doubled(columns, table, origin)
    frame, cell_issues = _convert_cells(table, columns, origin)
    bands, band_issues = _read_bands(table, aged, origin)
    shapes, shape_issues = _read_shapes(layer, frame, source.crs, crs, origin)
    issues += [*cell_issues, *band_issues, *check_bands_disjoint(list(bands), origin.file), *shape_issues]
    issues += _check_ids(frame["unit_id"], origin)
    issues = limit_issues(issues)
    raise_if_errors(issues)
    return FeatureTable(frame, shapes, origin, bands, tuple(issues))


def _leave_out_totals(
    table: pd.DataFrame, columns: Mapping[str, str], origin: Origin
) -> tuple[pd.DataFrame, Origin, list[DataIssue]]:
    """Leave out rows of totals, which have no position, and say so."""
    names = [columns[name] for name in ("unit_id", "name", "town") if name in columns]
    places = [columns[name] for name in ("lon_deg", "x_m") if name in columns]
    if not names or not places:
        return table, origin, []
    named = np.any([[is_total(cell) for cell in table[name]] for name in names], axis=0)
    totals = named & np.all([[is_missing(cell) for cell in table[place]] for place in places], axis=0)
    problem = msg("This is a row of totals, not a place; it is left out.")
    issues = [
        DataIssue("totals_row", "warning", problem, origin.file, origin.sheet, origin.row(int(at)), names[0])
        for at in np.flatnonzero(totals)
    ]
    rows = None if origin.rows is None else np.asarray(origin.rows)[~totals]
    kept = Origin(origin.file, origin.sheet, rows, origin.headers)
    return table[~totals].reset_index(drop=True), kept, issues


def build_frame(frame: pd.DataFrame, shapes: Shapes, crs: str) -> gpd.GeoDataFrame:
    """Return the population table in its fixed order of columns."""
    import geopandas as gpd

    for column in ("name", "kind", "setting", "town"):
        if column not in frame:
            frame[column] = ""
    for column in ("x_m", "y_m", *COUNT_COLUMNS):
        if column not in frame:
            frame[column] = np.nan
    wanted = ["unit_id", "name", "kind", "setting", "town", "x_m", "y_m", *COUNT_COLUMNS]
    return gpd.GeoDataFrame(frame[wanted].reset_index(drop=True), geometry=shapes, crs=None if crs == "local" else crs)


def _column(frame: pd.DataFrame, name: str) -> Values:
    return frame[name].to_numpy(dtype=np.float64)


def _convert_cells(
    table: pd.DataFrame, columns: Mapping[str, str], origin: Origin
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Return our columns with text and numbers in them, and every cell that could not be read."""
    schema = read_table_schema("units")
    found: dict[str, Any] = {}
    issues: list[DataIssue] = []
    for ours, header in columns.items():
        texts, cell_issues = _read_texts(table[header], origin, header)
        column = schema.column(ours)
        values, more = convert_column(texts, column, origin)
        issues += cell_issues + more
        is_text = not column.is_numeric
        found[ours] = pd.Series(values, dtype=object if is_text else "float64")
    frame = pd.DataFrame(found, index=range(len(table)))
    if "unit_id" not in frame:
        frame["unit_id"] = [str(label) for label in table.index]
    if "name" not in frame:
        frame["name"] = ""
    return frame, issues


def _read_texts(values: pd.Series[Any], origin: Origin, header: str) -> tuple[list[str], list[DataIssue]]:
    """Return the cells of a column as text: whole numbers without a point, nothing for missing and nodata cells."""
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        texts = [
            "" if np.isnan(n) else str(int(n)) if n == np.floor(n) and abs(n) < 1e15 else repr(float(n))
            for n in numbers
        ]
    else:
        texts = ["" if missing else str(value) for value, missing in zip(values, values.isna(), strict=True)]
    lost = [position for position, text in enumerate(texts) if text in NODATA]
    issues = []
    for position in lost:
        problem = msg("This number stands for “not known” in many programs; it is read as missing.")
        issues.append(
            DataIssue(
                "nodata_number",
                "warning",
                problem,
                file=origin.file,
                sheet=origin.sheet,
                row=origin.row(position),
                column=header,
                found=texts[position],
            )
        )
        texts[position] = ""
    return texts, issues


def _read_bands(
    table: pd.DataFrame, mapped: Mapping[str, str], origin: Origin
) -> tuple[dict[Band, Values], list[DataIssue]]:
    """Return people by age band from columns named ``age_<first>_<last>``, by header or by the study file."""
    headers = {header: header for header in table.columns if _AGE_COLUMN.fullmatch(header)} | dict(mapped)
    people = read_table_schema("units").column("population_people")
    bands: dict[Band, Values] = {}
    issues: list[DataIssue] = []
    for ours, header in headers.items():
        match = _AGE_COLUMN.fullmatch(ours)
        assert match is not None
        texts, cell_issues = _read_texts(table[header], origin, header)
        named = Origin(origin.file, origin.sheet, origin.rows, {"population_people": header})
        values, more = convert_column(texts, people, named)
        issues += cell_issues + more
        bands[int(match[1]), int(match[2])] = pd.Series(values, dtype="float64").to_numpy()
    return bands, issues


def _read_shapes(
    layer: gpd.GeoDataFrame | None, frame: pd.DataFrame, named: str, crs: str, origin: Origin
) -> tuple[Shapes, list[DataIssue]]:
    """Return shapes in the study's CRS and set the demand points ``x_m``, ``y_m`` in ``frame``."""
    ids = frame["unit_id"].to_numpy(dtype=object)
    if layer is not None:
        source = find_layer_crs(layer, named, crs, origin)
        shapes, issues = repair_shapes(layer.geometry.to_numpy().copy(), origin, ids)
        issues += _report_unplaced(find_unplaced(shapes, source, crs), ids, source, origin)
        if any(issue.severity == "error" for issue in issues):
            return shapes, issues
        shapes = project_shapes(shapes, source, crs)
        if {"x_m", "y_m"} <= set(frame.columns):
            frame["x_m"], frame["y_m"] = convert_points(_column(frame, "x_m"), _column(frame, "y_m"), source, crs)
        if is_point_layer(shapes):
            frame["x_m"], frame["y_m"] = shapely.get_x(shapes), shapely.get_y(shapes)
        return shapes, issues
    if {"lon_deg", "lat_deg"} <= set(frame.columns):
        pair, source = ("lon_deg", "lat_deg"), named or WGS84
    elif {"x_m", "y_m"} <= set(frame.columns):
        pair, source = ("x_m", "y_m"), named or crs
    else:
        raise MissingColumnError(_build_no_place(origin))
    first, second = _column(frame, pair[0]), _column(frame, pair[1])
    swapped = report_swapped(first, second, origin) if pair[0] == "lon_deg" else []
    nowhere = (first == 0) & (second == 0) & (pair[0] == "lon_deg")  # what an empty position is often exported as
    x_m, y_m = convert_points(np.where(nowhere, np.nan, first), second, source, crs)
    frame["x_m"], frame["y_m"] = x_m, y_m
    return build_points(x_m, y_m), swapped or _check_places(x_m, y_m, ids, origin)


def _report_unplaced(positions: npt.NDArray[np.int64], ids: Shapes, crs: str, origin: Origin) -> list[DataIssue]:
    return [
        DataIssue(
            "geometry",
            "error",
            msg("The shape lies outside what its coordinate system can hold."),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(int(position)),
            found=crs.split('"')[1] if '"' in crs else crs,
            cure=msg("Correct the coordinates, or write crs in the study file, for instance EPSG:4547."),
            record_id=str(ids[position]),
        )
        for position in positions
    ]


def _check_places(x_m: Values, y_m: Values, ids: Shapes, origin: Origin) -> list[DataIssue]:
    return [
        DataIssue(
            "geometry",
            "error",
            msg("This row has no place: a coordinate is missing or impossible."),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(int(position)),
            record_id=str(ids[position]),
        )
        for position in np.flatnonzero(~(np.isfinite(x_m) & np.isfinite(y_m)))
    ]


def _check_ids(ids: pd.Series[Any], origin: Origin) -> list[DataIssue]:
    """Return an error for every missing or repeated id."""
    issues = []
    repeated = ids.duplicated() & (ids != "")
    for position in np.flatnonzero((repeated | (ids == "")).to_numpy()):
        missing = ids.iloc[position] == ""
        issues.append(
            DataIssue(
                "required_value" if missing else "duplicate_id",
                "error",
                msg("An entry is missing here.") if missing else msg("The same id stands twice."),
                file=origin.file,
                sheet=origin.sheet,
                row=origin.row(int(position)),
                column=origin.headers.get("unit_id", "unit_id"),
                found=str(ids.iloc[position]),
            )
        )
    return issues


def _check_missing_counts(
    frame: pd.DataFrame, origin: Origin, stages: Sequence[Stage], has_people: bool
) -> list[DataIssue]:
    """Return a warning for every place whose people or children are not known while others' are."""
    issues: list[DataIssue] = []
    for column in (["population_people"] if has_people else []) + [PUPIL_COLUMNS[stage] for stage in stages]:
        issues += [
            DataIssue(
                "count_missing",
                "warning",
                msg("The number is missing for this place; it counts as unknown, not as nobody."),
                file=origin.file,
                sheet=origin.sheet,
                row=origin.row(int(position)),
                column=origin.headers.get(column, column),
                record_id=str(frame["unit_id"].iloc[position]),
            )
            for position in np.flatnonzero(frame[column].isna().to_numpy())
        ]
    return issues


def _guess_kinds(names: pd.Series[Any], default: str) -> list[str]:
    """Return the kind of each place from the ending of its name, where the file has no column for it."""
    if default:
        return [default] * len(names)
    return [next((kind for ending, kind in _KIND_ENDINGS if name.endswith(ending)), "other") for name in names]


def _build_no_counts(origin: Origin) -> DataIssue:
    return DataIssue(
        "required_column",
        "error",
        msg("The population file has no column of people or children that is understood."),
        file=origin.file,
        sheet=origin.sheet,
        expected=msg("a header such as 人口, population, 小学生数, age_5_9"),
        cure=msg("Name the header in the study file: [population.columns] population_people = “…”."),
    )


def _build_no_place(origin: Origin) -> DataIssue:
    return DataIssue(
        "required_column",
        "error",
        msg("The population file does not say where its places are."),
        file=origin.file,
        sheet=origin.sheet,
        expected=msg("headers such as 经度 and 纬度, lon and lat, x_m and y_m"),
    )
