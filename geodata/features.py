"""Places of one file as a checked table with shapes: what population, planning units and gazetteers are read from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.coordinate_columns import LONLAT, METRES, Pair, place_pair
from geodata.crs import convert_points
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue, MissingColumnError
from geodata.files import TABLE_ENDINGS, read_layer, read_raw_table
from geodata.messages import msg
from geodata.population_table import Band, Values, check_bands_disjoint, limit_issues
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
from geodata.study_file import GazetteerSource, PopulationSource, StudySpec, UnitsSource
from geodata.values import is_missing, is_total

if TYPE_CHECKING:
    import geopandas as gpd

NODATA = frozenset(["-9999", "-99999", "-32768", "-2147483648"])
"""Numbers that stand for "not known" in exported layers; they are read as missing, with a warning."""
LEAST_NUMBER = -2e9
"""So are all below this: the least whole number and the least float, also after something was added to them."""

_AGE_COLUMN = re.compile(r"age_?(\d{1,2})_(\d{1,2})")


@dataclass(frozen=True)
class FeatureTable:
    """Places of one file with our column names, every cell checked; ``shapes`` are in the study's CRS.

    A table that is not ``placed`` has names only: its shapes are empty points. The last
    ``unlisted`` rows stand in no row of the file: they are places that a gazetteer has besides.
    """

    frame: pd.DataFrame
    shapes: Shapes
    origin: Origin
    bands: Mapping[Band, Values]
    issues: tuple[DataIssue, ...]
    placed: bool = True
    unlisted: int = 0


def read_features(
    spec: StudySpec,
    source: PopulationSource | UnitsSource | GazetteerSource,
    crs: str,
    *,
    may_lack_places: bool = False,
) -> FeatureTable:
    """Read a table or layer of places, match its headers and convert its cells and shapes.

    Ids that the file lacks are the labels of its rows: 0, 1, 2 … where the file has no index of its own. A table
    without columns of positions is an error, or with ``may_lack_places`` a table that is not ``placed``.
    """
    path = spec.resolve(source.path)
    if path.suffix.lower() in TABLE_ENDINGS:
        raw = read_raw_table(path, sheet=getattr(source, "sheet", ""))
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
    placed = not (may_lack_places and layer is None and _lacks_places(columns))
    if placed:
        shapes, shape_issues = _read_shapes(layer, frame, source.crs, crs, origin)
    else:
        nowhere = np.full(len(frame), np.nan)
        shapes, shape_issues = build_points(nowhere, nowhere), []
    issues += [*cell_issues, *band_issues, *check_bands_disjoint(list(bands), origin.file), *shape_issues]
    issues += _check_ids(frame["unit_id"], origin)
    issues = limit_issues(issues)
    raise_if_errors(issues)
    return FeatureTable(frame, shapes, origin, bands, tuple(issues), placed)


def _leave_out_totals(
    table: pd.DataFrame, columns: Mapping[str, str], origin: Origin
) -> tuple[pd.DataFrame, Origin, list[DataIssue]]:
    """Leave out rows of totals, which have no position, and say so."""
    names = [columns[name] for name in ("unit_id", "name", "town") if name in columns]
    places = [columns[name] for name in ("lon_deg", "x_m") if name in columns]
    if not names:
        return table, origin, []
    named = np.any([[is_total(cell) for cell in table[name]] for name in names], axis=0)
    totals = named
    for place in places:
        totals &= np.array([is_missing(cell) for cell in table[place]], dtype=bool)
    problem = msg("This is a row of totals, not a place; it is left out.")
    issues = [
        DataIssue("totals_row", "warning", problem, origin.file, origin.sheet, origin.row(int(at)), names[0])
        for at in np.flatnonzero(totals)
    ]
    rows = None if origin.rows is None else np.asarray(origin.rows)[~totals]
    kept = Origin(origin.file, origin.sheet, rows, origin.headers)
    return table[~totals].reset_index(drop=True), kept, issues


def column_of(frame: pd.DataFrame, name: str) -> Values:
    """Return a column of numbers as an array; NaN = unknown."""
    return frame[name].to_numpy(dtype=np.float64)


def _lacks_places(columns: Mapping[str, str]) -> bool:
    """Whether a table has no pair of columns that says where its rows are."""
    return not ({"lon_deg", "lat_deg"} <= set(columns) or {"x_m", "y_m"} <= set(columns))


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
    lost = [position for position, text in enumerate(texts) if _is_nodata(text)]
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


def _is_nodata(text: str) -> bool:
    """Whether a cell holds a number that stands for "not known"."""
    if text in NODATA:
        return True
    if not (text.startswith("-") and len(text) > 9):
        return False
    with suppress(ValueError):
        return float(text) <= LEAST_NUMBER
    return False


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
            frame["x_m"], frame["y_m"] = convert_points(column_of(frame, "x_m"), column_of(frame, "y_m"), source, crs)
        if is_point_layer(shapes):
            frame["x_m"], frame["y_m"] = shapely.get_x(shapes), shapely.get_y(shapes)
        return shapes, issues
    if {"lon_deg", "lat_deg"} <= set(frame.columns):
        columns = LONLAT
    elif {"x_m", "y_m"} <= set(frame.columns):
        columns = METRES
    else:
        raise MissingColumnError(_build_no_place(origin))
    first, second = column_of(frame, columns[0]), column_of(frame, columns[1])
    nowhere = (first == 0) & (second == 0) & (columns == LONLAT)  # what an empty position is often exported as
    placed = place_pair(Pair(np.where(nowhere, np.nan, first), second, columns, named, crs, origin))
    x_m, y_m = placed.x_m, placed.y_m
    frame["x_m"], frame["y_m"] = x_m, y_m
    if not placed.usable:
        return build_points(x_m, y_m), placed.issues
    return build_points(x_m, y_m), placed.issues + _check_places(x_m, y_m, ids, origin)


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


def _build_no_place(origin: Origin) -> DataIssue:
    return DataIssue(
        "required_column",
        "error",
        msg("The population file does not say where its places are."),
        file=origin.file,
        sheet=origin.sheet,
        expected=msg("headers such as 经度 and 纬度, lon and lat, x_m and y_m"),
        cure=msg("Add the positions, or a layer with the same names under [gazetteer]."),
    )
