"""Catchments from files: which unit belongs to which school, by stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geodata.crs import LOCAL
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.files import LAYER_ENDINGS, read_raw_table
from geodata.messages import msg
from geodata.quality_facts import Facts
from geodata.quality_places import check_zone_gaps, check_zone_stages
from geodata.quality_tables import check_unknown_ids
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_mapping,
    convert_column,
    match_columns,
    raise_if_errors,
)
from geodata.study import StudyArea
from geodata.study_file import StudySpec, ZonesSource
from geodata.values import is_missing
from geodata.zone_layer import read_zone_layer

if TYPE_CHECKING:
    import geopandas as gpd


def read_zones(
    spec: StudySpec,
    crs: str = LOCAL,
    *,
    units: gpd.GeoDataFrame | None = None,
    schools: gpd.GeoDataFrame | None = None,
    places: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read the catchments that a study names: a table, or a layer of areas.

    Parameters
    ----------
    spec : ``spec.zones`` names the file
    crs : the study's metric CRS, or ``"local"``
    units, schools, places : tables of the study, which a layer needs; where one is missing (its own file could not be
        read) a layer gives an empty table

    Returns
    -------
    DataFrame, list of DataIssue
        ``unit_id``, ``stage``, ``school_id``; warnings. An empty table where the study names no zones. Whether the
        ids of a table exist is checked across tables in ``geodata.quality``.

    Raises
    ------
    DataError
        See :func:`read_zone_table` and :func:`geodata.zone_layer.read_zone_layer`.
    """
    if spec.zones is None:
        return build_empty_table("zones"), []
    path = spec.resolve(spec.zones.path)
    if path.suffix.lower() not in LAYER_ENDINGS:
        return read_zone_table(path, spec.zones)
    if units is None or schools is None or places is None:
        return build_empty_table("zones"), []
    return read_zone_layer(path, spec.zones, crs, units=units, schools=schools, places=places)


def import_zones(
    path: str | Path, study: StudyArea, source: ZonesSource | None = None
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read catchments from a file beside the study, as a start for planning: a table or a layer of areas.

    Parameters
    ----------
    path : the file
    study : the units and schools that the file must name
    source : how to read it (``layer``, ``crs``, ``stage``, ``columns``); its ``path`` is not used

    Returns
    -------
    DataFrame, list of DataIssue
        ``unit_id``, ``stage``, ``school_id``; warnings, such as units with children but without a zone.

    Raises
    ------
    DataError
        The file cannot be read, or names units or schools that the study does not have; all at once.
    """
    path, source = Path(path), source or ZonesSource(str(path))
    tables = (study.schools, study.places, study.rolls, study.units)
    if path.suffix.lower() in LAYER_ENDINGS:
        zones, issues = read_zone_layer(
            path, source, study.crs, units=study.units, schools=study.schools, places=study.places
        )
    else:
        zones, issues = read_zone_table(path, source)
    facts = Facts(*tables, zones, study.sites, study.travel, study.crs, {"zones": path.name})
    issues = [*issues, *check_unknown_ids(facts), *check_zone_stages(facts), *check_zone_gaps(facts)]
    raise_if_errors(issues)
    return zones, issues


def read_zone_table(path: Path, source: ZonesSource) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read a table of catchments: one row per unit, stage and school; several rows = a shared zone (多校划片).

    Raises
    ------
    DataError
        The file cannot be read, a column is missing, or cells are empty or not understood; all at once.
    """
    raw = read_raw_table(path)
    headers = match_columns(raw.frame.columns, "zones", source.columns)
    origin = Origin(raw.file, raw.sheet, raw.rows, headers)
    schema = read_table_schema("zones")
    names = [column.name for column in schema.columns]
    issues = check_mapping(source.columns, raw.frame.columns, names, origin, table="zones")
    table = {}
    for column in schema.columns:
        if column.name not in headers:
            if column.name == "stage" and source.stage:
                table["stage"] = [source.stage] * len(raw.frame)
                continue
            issues.append(build_missing_column("zones", column.name, origin))
            continue
        texts = raw.frame[headers[column.name]].tolist()
        issues += _report_empty(texts, column.name, origin)
        table[column.name], found = convert_column(texts, column, origin)
        issues += found
    raise_if_errors(issues)
    zones = pd.DataFrame(table, columns=names, dtype="str")
    twice = zones.duplicated().to_numpy()
    issues += [_build_twice(origin, position, zones) for position, again in enumerate(twice) if again]
    return zones[~twice].reset_index(drop=True), issues


def _report_empty(texts: list[str], column: str, origin: Origin) -> list[DataIssue]:
    return [
        DataIssue(
            "required_value",
            "error",
            msg("An entry is missing here."),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(position),
            column=origin.headers[column],
            cure=msg("Fill in the cell."),
        )
        for position, text in enumerate(texts)
        if is_missing(text)
    ]


def _build_twice(origin: Origin, position: int, zones: pd.DataFrame) -> DataIssue:
    return DataIssue(
        "duplicate_row",
        "warning",
        msg("The same row stands twice; it counts once."),
        file=origin.file,
        sheet=origin.sheet,
        row=origin.row(position),
        found=" / ".join(zones.iloc[position]),
        record_id=str(zones["unit_id"].iloc[position]),
    )
