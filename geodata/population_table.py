"""What is read about where people live, before it becomes planning units; and children by stage from ages.

Ages to stages (rule P5): an age band is spread evenly over its years, and a stage takes the years that are its own.
Whole years of age: kindergarten 3-5, primary 6-11, junior 12-14, senior 15-17. So of five-year bands

========================  =============================================
kindergarten              0.5 × [1-4] + 0.2 × [5-9], or 0.4 × [0-4] + 0.2 × [5-9]
primary                   0.8 × [5-9] + 0.4 × [10-14]
junior                    0.6 × [10-14]
senior                    0.6 × [15-19]
========================  =============================================

A stage is computed only where the bands cover every one of its years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.raster_grid import RasterGrid
from geodata.study import STAGES, Stage

if TYPE_CHECKING:
    import geopandas as gpd

Values: TypeAlias = npt.NDArray[np.float64]
Band: TypeAlias = tuple[int, int]
"""First and last whole year of age, both included."""

STAGE_AGES: dict[Stage, Band] = {"kindergarten": (3, 5), "primary": (6, 11), "junior": (12, 14), "senior": (15, 17)}
PUPIL_COLUMNS: dict[Stage, str] = {stage: f"{stage}_pupils" for stage in STAGES}
COUNT_COLUMNS: tuple[str, ...] = ("population_people", *PUPIL_COLUMNS.values())
TEXT_COLUMNS: tuple[str, ...] = ("unit_id", "name", "kind", "setting", "town")
MAX_LISTED = 20
"""Findings of one kind that are told row by row; the rest are counted."""


@dataclass(frozen=True, eq=False)
class RasterCounts:
    """Counts of the cells of one raster grid in which anybody lives.

    ``cells`` are their positions in the grid, rising; ``values`` maps the names in :data:`COUNT_COLUMNS` that are known
    to one number per such cell. All other cells are empty.
    """

    grid: RasterGrid
    cells: npt.NDArray[np.int64]
    values: Mapping[str, Values]
    file: str = ""


@dataclass(frozen=True, eq=False)
class Parts:
    """Where in each place its people live: ``share`` of the people of row ``source`` at ``x_m``, ``y_m``.

    Shares of a row add up to one. Rows in ``bare`` have no parts: their people are spread over them.
    """

    source: npt.NDArray[np.int64]
    share: Values
    x_m: Values
    y_m: Values
    bare: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Population:
    """Where people and children live, in the study's CRS.

    ``table`` has one row per village, estate, block, cell or building: :data:`TEXT_COLUMNS`, ``x_m``, ``y_m`` (NaN
    where only the shape is known), :data:`COUNT_COLUMNS` (NaN = unknown) and a point or polygon geometry. A raster is
    kept whole in ``raster`` besides, so that units may cut its cells. ``modelled`` names the stages whose children
    were derived from ages or from a share of the inhabitants, not counted. ``fits_towns`` says that the people are
    those of the study's ``town_totals`` already. ``parts`` are the buildings in each row of ``table``, where the study
    has any (:mod:`geodata.dasymetric`); a raster's cells are then taken from ``table``.
    """

    table: gpd.GeoDataFrame
    issues: tuple[DataIssue, ...] = ()
    raster: RasterCounts | None = None
    modelled: tuple[Stage, ...] = field(default=())
    fits_towns: bool = False
    parts: Parts | None = None


def compute_band_share(stage: Stage, band: Band) -> float:
    """Return the share (0 to 1) of the people of an age band who are of the stage's ages."""
    first, last = STAGE_AGES[stage]
    shared = min(last, band[1]) - max(first, band[0]) + 1
    return max(0, shared) / (band[1] - band[0] + 1)


def compute_stage_pupils(bands: Mapping[Band, Values]) -> dict[Stage, Values]:
    """Return children by stage from people by age band; arrays of any one shape.

    Stages with a year of age that no band covers are left out. Bands must not overlap
    (:func:`check_bands_disjoint`).
    """
    found: dict[Stage, Values] = {}
    for stage, (first, last) in STAGE_AGES.items():
        parts = [(compute_band_share(stage, band), people) for band, people in bands.items()]
        covered = sum(max(0, min(last, band[1]) - max(first, band[0]) + 1) for band in bands)
        if covered == last - first + 1:
            found[stage] = np.sum([share * people for share, people in parts if share > 0], axis=0)
    return found


def check_bands_disjoint(bands: Sequence[Band], file: str) -> list[DataIssue]:
    """Return an error for every two age bands that share a year of age."""
    ordered = sorted(bands)
    return [
        DataIssue(
            "age_bands_overlap",
            "error",
            msg("Two age bands overlap, so children would be counted twice."),
            file=file,
            found=f"{first[0]}-{first[1]}, {second[0]}-{second[1]}",
            cure=msg("Keep one set of age bands."),
        )
        for first, second in pairwise(ordered)
        if second[0] <= first[1]
    ]


def fill_pupils(
    counted: Mapping[Stage, Values],
    bands: Mapping[Band, Values],
    people: Values | None,
    share: Mapping[str, float],
) -> tuple[dict[Stage, Values], tuple[Stage, ...]]:
    """Return children by stage, and the stages that were modelled.

    The first source that is known wins, stage by stage and place by place: counts, else age bands, else ``share`` of
    the inhabitants. What no source knows stays NaN.
    """
    from_ages = compute_stage_pupils(bands) if bands else {}
    found: dict[Stage, Values] = {}
    modelled: list[Stage] = []
    for stage in STAGES:
        options = [counted.get(stage), from_ages.get(stage)]
        if people is not None and stage in share:
            options.append(people * share[stage])
        known = [option for option in options if option is not None]
        if not known:
            continue
        result = known[0].astype(np.float64, copy=stage in counted)
        for option in known[1:]:
            result = np.where(np.isnan(result), option, result)
        found[stage] = result
        if stage not in counted:
            modelled.append(stage)
    return found, tuple(modelled)


def limit_issues(issues: list[DataIssue]) -> list[DataIssue]:
    """Return the first :data:`MAX_LISTED` issues of each check and column, and one that counts the others."""
    seen: dict[tuple[str, str, str], int] = {}
    kept: list[DataIssue] = []
    for issue in issues:
        key = (issue.check, issue.column, issue.severity)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= MAX_LISTED:
            kept.append(issue)
    for (check, column, severity), count in seen.items():
        if count > MAX_LISTED:
            last = next(i for i in reversed(issues) if (i.check, i.column, i.severity) == (check, column, severity))
            text = msg("And {count} more findings of this kind.", count=count - MAX_LISTED)
            kept.append(DataIssue(check, last.severity, text, file=last.file, sheet=last.sheet, column=column))
    return kept
