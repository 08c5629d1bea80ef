"""Population from vector files: points, polygons, hexagons, footprints with counts in their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.dictionary import Origin
from geodata.errors import DataIssue, MissingColumnError
from geodata.features import column_of, read_features
from geodata.gazetteer import place_by_name
from geodata.messages import msg
from geodata.population_table import (
    COUNT_COLUMNS,
    PUPIL_COLUMNS,
    Population,
    fill_pupils,
    limit_issues,
)
from geodata.shapes import (
    Shapes,
    is_point_layer,
)
from geodata.study import STAGES, Stage
from geodata.study_file import StudySpec
from geodata.tessellate import build_hexagons, separate_points

if TYPE_CHECKING:
    import geopandas as gpd

_KIND_ENDINGS = (("村", "village"), ("社区", "community"), ("小区", "estate"), ("花园", "estate"), ("家园", "estate"))
_DEFAULT_KINDS = {"hexagons": "hexagon", "buildings": "building"}


def read_population_layer(spec: StudySpec, crs: str) -> Population:
    """Read points, polygons, hexagons or footprints with counts; see ``PopulationSource``.

    Children by stage come from counts where there are any, else from age bands (columns ``age_5_9`` …), else from the
    study's ``share`` of the inhabitants. A list of names without positions gets them from the study's gazetteer.

    Raises
    ------
    DataError
        With every cell, id and shape that cannot be used.
    """
    source = spec.population
    assert source is not None
    features = read_features(spec, source, crs, may_lack_places=spec.gazetteer is not None)
    if not features.placed:
        features = place_by_name(spec, features, crs)
    frame, shapes, issues = features.frame, features.shapes, list(features.issues)
    if source.kind == "hexagons" and is_point_layer(shapes):
        ids = frame["unit_id"].to_numpy(dtype=object)
        x_m, y_m, moved = separate_points(shapely.get_x(shapes), shapely.get_y(shapes), ids)
        shapes = build_hexagons(x_m, y_m)
        if moved:
            text = msg("{count:,} places stand on the spot of another; they were set half a metre apart.", count=moved)
            issues.append(DataIssue("coincident_places", "warning", text, file=features.origin.file))
    counted = {stage: column_of(frame, PUPIL_COLUMNS[stage]) for stage in STAGES if PUPIL_COLUMNS[stage] in frame}
    people = column_of(frame, "population_people") if "population_people" in frame else None
    pupils, modelled = fill_pupils(counted, features.bands, people, source.share)
    if people is None and not pupils:
        raise MissingColumnError([*issues, _build_no_counts(features.origin)])
    if "kind" not in frame:
        frame["kind"] = _guess_kinds(frame["name"], _DEFAULT_KINDS.get(source.kind, ""))
    frame["population_people"] = np.nan if people is None else people
    for stage in STAGES:
        frame[PUPIL_COLUMNS[stage]] = pupils.get(stage, np.nan)
    listed = frame.iloc[: len(frame) - features.unlisted]
    issues += _check_missing_counts(listed, features.origin, [*pupils], people is not None)
    return Population(build_frame(frame, shapes, crs), tuple(limit_issues(issues)), None, modelled)


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
