"""Where people and children live, from whatever the study has: rasters, layers, tables, building outlines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geodata.dasymetric import put_into_buildings, read_footprints, require_buildings
from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.population_buildings import read_osm_population
from geodata.population_layers import build_frame, read_population_layer
from geodata.population_raster import (
    build_raster_cells,
    build_raster_land,
    build_raster_tiles,
    read_age_rasters,
    read_total_raster,
)
from geodata.population_table import Population, RasterCounts, limit_issues
from geodata.raster_window import StudyWindow
from geodata.study import Progress, no_progress
from geodata.study_file import StudySpec

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Population", "read_population"]

MANY_CELLS = 300_000
"""More cells than these are drawn in larger pieces, unless they are the units."""
OSM_ENDINGS = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")


def read_population(spec: StudySpec, crs: str, *, progress: Progress = no_progress) -> Population:
    """Read the population of a study.

    Parameters
    ----------
    spec : the study; ``spec.population.kind`` says what the file is
    crs : the study's metric CRS, or ``"local"``
    progress : told the step and the share done

    Returns
    -------
    Population
        One row per place, in the study's CRS, with people and children by stage where known. Totals of the study file
        are applied later, to units (:mod:`geodata.calibrate`); only ``buildings`` need them here.

    Raises
    ------
    DataError
        Something in the file cannot be used; ``issues`` holds everything found.
    """
    source = spec.population
    if source is None or not source.path:
        raise DataError(DataIssue("population_file", "error", msg("The study names no population file.")))
    progress(msg("Reading population"), 0.0)
    if source.kind in ("raster", "age_rasters"):
        population = _read_raster(spec, crs, progress)
    elif source.kind == "buildings" and source.path.endswith(OSM_ENDINGS):
        population = read_osm_population(spec, crs)
    else:
        population = read_population_layer(spec, crs)
    if spec.buildings is not None:
        progress(msg("Reading buildings"), 0.95)
        population = put_into_buildings(population, read_footprints(spec, crs))
        require_buildings(population, spec.buildings.path)
    return population


def _read_raster(spec: StudySpec, crs: str, progress: Progress) -> Population:
    """Read one raster of totals, or a raster per age band."""
    source = spec.population
    assert source is not None
    path = spec.resolve(source.path)
    window = StudyWindow(spec, crs)
    if source.kind == "raster":
        raster, modelled, issues = read_total_raster(path, share=source.share, year=source.year, window=window)
    else:
        raster, modelled, issues = read_age_rasters(
            path, share=source.share, year=source.year, window=window, progress=progress
        )
    progress(msg("Drawing the cells of the raster"), 0.9)
    if not len(raster.cells):
        problem = msg("The raster holds no people.")
        raise DataError([*issues, DataIssue("population_raster", "error", problem, file=raster.file)])
    cells = _draw_raster(raster, spec, crs)
    cells["kind"] = "cell"
    people = float(np.nansum(raster.values["population_people"])) if "population_people" in raster.values else None
    if people is not None:
        note = msg("{people:,.0f} people in {cells:,} cells.", people=people, cells=len(raster.cells))
        issues.append(DataIssue("population_sum", "note", note, file=raster.file))
    table = build_frame(cells.drop(columns="geometry"), cells.geometry.to_numpy(), crs)
    return Population(table, tuple(limit_issues(issues)), raster, modelled)


def _draw_raster(raster: RasterCounts, spec: StudySpec, crs: str) -> gpd.GeoDataFrame:
    """Return the land of a raster's people: its cells, or where they are many and not needed, larger pieces."""
    if spec.units.kind == "population" or spec.buildings is not None or len(raster.cells) <= MANY_CELLS:
        return build_raster_cells(raster, crs)
    if spec.units.kind == "polygons":  # given units need no land of their own
        return build_raster_tiles(replace(raster, cells=raster.cells[:1]), crs)
    return build_raster_land(raster, crs) if spec.units.kind == "blocks" else build_raster_tiles(raster, crs)
