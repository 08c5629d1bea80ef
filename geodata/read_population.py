"""Where people and children live, from whatever the study has: rasters, layers, tables, building outlines."""

from __future__ import annotations

import numpy as np

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.population_buildings import read_osm_population
from geodata.population_layers import build_frame, read_population_layer
from geodata.population_raster import build_raster_cells, read_age_rasters, read_total_raster
from geodata.population_table import Population, limit_issues
from geodata.study import Progress, no_progress
from geodata.study_file import StudySpec

__all__ = ["Population", "read_population"]

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
        return _read_raster(spec, crs, progress)
    if source.kind == "buildings" and source.path.endswith(OSM_ENDINGS):
        return read_osm_population(spec, crs)
    return read_population_layer(spec, crs)


def _read_raster(spec: StudySpec, crs: str, progress: Progress) -> Population:
    """Read one raster of totals, or a raster per age band."""
    source = spec.population
    assert source is not None
    path = spec.resolve(source.path)
    if source.kind == "raster":
        raster, modelled, issues = read_total_raster(path, share=source.share)
    else:
        raster, modelled, issues = read_age_rasters(path, share=source.share, progress=progress)
    progress(msg("Drawing the cells of the raster"), 0.9)
    cells = build_raster_cells(raster, crs)
    if not len(cells):
        problem = msg("The raster holds no people.")
        raise DataError([*issues, DataIssue("population_raster", "error", problem, file=raster.file)])
    cells["kind"] = "cell"
    people = float(np.nansum(cells["population_people"])) if "population_people" in raster.values else None
    if people is not None:
        note = msg("{people:,.0f} people in {cells:,} cells.", people=people, cells=len(cells))
        issues.append(DataIssue("population_sum", "note", note, file=raster.file))
    table = build_frame(cells.drop(columns="geometry"), cells.geometry.to_numpy(), crs)
    return Population(table, tuple(limit_issues(issues)), raster, modelled)
