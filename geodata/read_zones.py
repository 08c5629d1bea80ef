"""Catchments from files: which unit belongs to which school, by stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geodata.crs import LOCAL
from geodata.errors import DataIssue
from geodata.files import LAYER_ENDINGS
from geodata.quality_facts import Facts
from geodata.quality_places import check_zone_gaps, check_zone_stages
from geodata.quality_tables import check_unknown_ids
from geodata.schema import build_empty_table, raise_if_errors
from geodata.study import StudyArea
from geodata.study_file import StudySpec, ZonesSource
from geodata.zone_layer import read_zone_layer
from geodata.zone_table import ZoneTables, read_zone_table

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
    units, schools, places : tables of the study, in which names are looked up and which a layer needs; where one is
        missing (its own file could not be read) a layer gives an empty table, and a table is read as it stands

    Returns
    -------
    DataFrame, list of DataIssue
        ``unit_id``, ``stage``, ``school_id``; warnings. An empty table where the study names no zones. Whether the
        ids of a table exist is checked across tables in ``geodata.quality``.

    Raises
    ------
    DataError
        See :func:`geodata.zone_table.read_zone_table` and :func:`geodata.zone_layer.read_zone_layer`.
    """
    if spec.zones is None:
        return build_empty_table("zones"), []
    path = spec.resolve(spec.zones.path)
    if path.suffix.lower() not in LAYER_ENDINGS:
        if units is None or schools is None or places is None:
            return read_zone_table(path, spec.zones)
        return read_zone_table(path, spec.zones, ZoneTables(units, schools, places))
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
        zones, issues = read_zone_table(path, source, ZoneTables(study.units, study.schools, study.places))
    facts = Facts(*tables, zones, study.sites, study.travel, study.crs, {"zones": path.name})
    issues = [*issues, *check_unknown_ids(facts), *check_zone_stages(facts), *check_zone_gaps(facts)]
    raise_if_errors(issues)
    return zones, issues
