"""People put into buildings: known totals of municipalities, shared out by floor area inside each of them.

Map coverage differs between neighbours, so people never cross a municipal border: a village where every shed is drawn
must not draw people from a town where few houses are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.crs import WGS84
from geodata.dictionary import Origin
from geodata.errors import DataError, DataIssue
from geodata.files import read_raw_table
from geodata.messages import msg
from geodata.osm_borders import read_osm_cut_areas
from geodata.osm_features import read_osm_admin_areas, read_osm_buildings, read_osm_places
from geodata.population_layers import build_frame
from geodata.population_table import PUPIL_COLUMNS, Population, Values, fill_pupils, limit_issues
from geodata.schema import convert_column, match_columns, raise_if_errors, read_table_schema
from geodata.shapes import Shapes, project_shapes
from geodata.study import STAGES
from geodata.study_file import StudySpec

if TYPE_CHECKING:
    import geopandas as gpd

PLACE_RADIUS_M = 100.0
"""Radius of the disc that stands for a municipality in which no building is drawn."""
TOWN_LEVELS = (8, 6, 7)
"""``admin_level`` of municipalities, in the order in which they are tried; countries differ."""


@dataclass(frozen=True)
class _Towns:
    """Municipalities with their total and where it was found."""

    names: list[str]
    shapes: Shapes
    people: Values
    issues: list[DataIssue]


def read_osm_population(spec: StudySpec, crs: str) -> Population:
    """Read building outlines of an OpenStreetMap file and put the people of each municipality into them.

    Municipalities are the areas of ``admin_level`` 8 where the file has totals for some of them, else those of level
    6 or 7 (:func:`_choose_areas`). Their totals come from the study's ``town_totals``, else from the ``population`` tag
    of the area, else of the place node that has the area's name, else of the largest place node inside. A municipality
    whose border leaves the file is taken only when ``town_totals`` names it: its tags count people who live outside
    the file too. Other place nodes are parts of a municipality and are not counted again. Inside a municipality people
    go to inhabited buildings in proportion to floor area; where there is none, to all buildings; where none is drawn at
    all, to a disc of :data:`PLACE_RADIUS_M` around a point inside the area.
    """
    source = spec.population
    assert source is not None
    path = spec.resolve(source.path)
    buildings, places = read_osm_buildings(path), read_osm_places(path)
    totals = read_town_totals(spec.resolve(source.town_totals)) if source.town_totals else None
    areas = _choose_areas(path, buildings, places, totals)
    towns = _find_totals(areas, places, totals, path.name)
    raise_if_errors(towns.issues)
    table, issues = _share_out(buildings, towns, path.name)
    pupils, modelled = fill_pupils({}, {}, table["population_people"].to_numpy(), source.share)
    for stage in STAGES:
        table[PUPIL_COLUMNS[stage]] = pupils.get(stage, np.nan)
    shapes = project_shapes(table.geometry.to_numpy(), WGS84, crs)
    frame = build_frame(pd.DataFrame(table.drop(columns="geometry")), shapes, crs)
    return Population(frame, tuple(limit_issues([*towns.issues, *issues])), None, modelled, fits_towns=True)


def read_town_totals(path: Path) -> pd.DataFrame:
    """Read a table of known totals: ``town`` and any of ``population_people``, ``primary_pupils`` … (NaN = unknown).

    Headers are those of the units table of the data dictionary (乡镇, 人口, 小学生数 …).

    Raises ``DataError`` for cells that are not numbers, a missing ``town``, or a town that stands twice.
    """
    raw = read_raw_table(path)
    columns = match_columns(raw.frame.columns, "units")
    if "town" not in columns and {"name"} & set(columns):
        columns["town"] = columns.pop("name")
    origin = Origin(raw.file, raw.sheet, raw.rows, columns)
    if "town" not in columns:
        raise DataError(
            DataIssue(
                "required_column",
                "error",
                msg("The table of totals has no column of townships."),
                file=raw.file,
                expected=msg("a header such as 乡镇 or town"),
            )
        )
    table = pd.DataFrame({"town": raw.frame[columns["town"]].str.strip()})
    issues: list[DataIssue] = []
    for name in ("population_people", *PUPIL_COLUMNS.values()):
        if name in columns:
            schema = read_table_schema("units").column(name)
            values, found = convert_column(list(raw.frame[columns[name]]), schema, origin)
            table[name] = pd.Series(values, dtype="float64", index=table.index)
            issues += found
    for position in np.flatnonzero(table["town"].duplicated().to_numpy()):
        text = msg("This township stands twice in the table of totals.")
        town = str(table["town"].iloc[position])
        row = origin.row(int(position))
        issues.append(DataIssue("duplicate_id", "error", text, file=raw.file, row=row, found=town))
    raise_if_errors(issues)
    return table


def _choose_areas(
    path: Path, buildings: gpd.GeoDataFrame, places: gpd.GeoDataFrame, totals: pd.DataFrame | None
) -> gpd.GeoDataFrame:
    """Return the municipalities: of the ``admin_level`` at which most totals are known; of equals the first of 8, 6, 7.

    With a table of totals those count whose name it has, and areas that the file's edge has cut open are there too
    (:func:`geodata.osm_borders.read_osm_cut_areas`); without, the whole areas with a total of their own.
    """
    named = set(totals["town"]) if totals is not None and "population_people" in totals else None
    best, most = None, -1
    for level in TOWN_LEVELS:
        areas = read_osm_admin_areas(path, level)
        if named is not None and not named <= set(areas["name"]) and len(buildings):
            cut = read_osm_cut_areas(path, level, tuple(buildings.total_bounds), places)
            cut = cut[cut["name"].isin(named - set(areas["name"]))]
            areas = pd.concat([areas, cut], ignore_index=True) if len(cut) else areas
        if named is None:
            known = sum(
                not np.isnan(_choose_total(name, tagged, _find_places(places, shape)))
                for name, shape, tagged in zip(areas["name"], areas.geometry, areas["population_people"], strict=True)
            )
        else:
            known = int(areas["name"].isin(named).sum())
        if known > most:
            best, most = areas, known
        if named is not None and named <= set(areas["name"]):
            break
    assert best is not None
    return best


def _find_places(places: gpd.GeoDataFrame, shape: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return the places with a number of inhabitants inside an area."""
    return places[places["population_people"].notna() & places.within(shape)]


def _find_totals(areas: gpd.GeoDataFrame, places: gpd.GeoDataFrame, given: pd.DataFrame | None, file: str) -> _Towns:
    """Return the total of every municipality; an error for one without."""
    issues: list[DataIssue] = []
    names, shapes = areas["name"].tolist(), areas.geometry.to_numpy()
    if not names:
        text = msg("The file holds no municipality with a whole border (admin_level 8).")
        issues.append(DataIssue("municipalities", "error", text, file=file))
    use_given = given is not None and "population_people" in given
    known = dict(zip(given["town"], given["population_people"], strict=True)) if given is not None and use_given else {}
    for name in set(known) - set(names):
        text = msg("The totals name a township that is not on the map: {town}.", town=name)
        issues.append(DataIssue("town_unknown", "warning", text, file=file, found=name))
    people = []
    for name, shape, tagged in zip(names, shapes, areas["population_people"], strict=True):
        inside = _find_places(places, shape)
        total = known.get(name, np.nan) if use_given else _choose_total(name, tagged, inside)
        if np.isnan(total):
            problem = msg("The number of inhabitants of {town} is not known.", town=name)
            cure = msg("Add it to a table and name that table in the study file: [population] town_totals.")
            issues.append(DataIssue("town_total_missing", "error", problem, file=file, found=name, cure=cure))
        people.append(total)
    return _Towns(names, shapes, np.array(people, dtype=np.float64), issues)


def _choose_total(name: str, tagged: float, inside: gpd.GeoDataFrame) -> float:
    """Return a municipality's inhabitants: its own tag, its namesake's, or its largest place's; else NaN."""
    if not np.isnan(tagged):
        return tagged
    namesakes = inside.loc[inside["name"].str.casefold() == name.casefold(), "population_people"]
    numbers = namesakes if len(namesakes) else inside["population_people"]
    return float(numbers.max()) if len(numbers) else float("nan")


def _share_out(buildings: gpd.GeoDataFrame, towns: _Towns, file: str) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Return buildings with ``population_people`` and ``town``, and discs for municipalities without buildings."""
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    pairs = shapely.STRtree(points).query(towns.shapes, predicate="intersects")  # prepares the few large outlines
    town = np.full(len(buildings), -1)
    town[pairs[1][::-1]] = pairs[0][::-1]
    floor = buildings["floor_area_m2"].to_numpy(dtype=np.float64)
    weight = np.where(buildings["inhabited"].to_numpy(), floor, 0.0)
    n = len(towns.names)
    empty = np.bincount(town[town >= 0], weight[town >= 0], minlength=n) <= 0
    weight = np.where((town >= 0) & empty[town], floor, weight)
    sums = np.bincount(town[town >= 0], weight[town >= 0], minlength=n)
    kept = (town >= 0) & (weight > 0)
    shared = buildings[kept].rename(columns={"building_id": "unit_id"})
    of = town[kept]
    shared = shared.assign(
        name="",
        kind="building",
        town=np.array(towns.names, dtype=object)[of],
        population_people=towns.people[of] * weight[kept] / sums[of],
    )[["unit_id", "name", "kind", "town", "population_people", "geometry"]]
    issues = _tell_left_out(int((town < 0).sum()), file)
    bare = np.flatnonzero((sums <= 0) & (towns.people > 0))
    if len(bare):
        shared = pd.concat([shared, _build_discs(towns, bare)], ignore_index=True)
    for position in bare:
        text = msg("No building is drawn in {town}; its people are put at one place.", town=towns.names[position])
        issues.append(DataIssue("town_without_buildings", "warning", text, file=file, found=towns.names[position]))
    return shared, issues


def _tell_left_out(count: int, file: str) -> list[DataIssue]:
    if not count:
        return []
    text = msg("{count:,} buildings lie in no municipality of the file and are left out.", count=count)
    return [DataIssue("buildings_outside", "note", text, file=file)]


def _build_discs(towns: _Towns, bare: npt.NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Return a disc inside each municipality that has no building."""
    import geopandas as gpd

    middles = shapely.point_on_surface(towns.shapes[bare])
    squeeze = np.cos(np.radians(shapely.get_y(middles)))
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = PLACE_RADIUS_M / 111_195.0
    rings = [
        shapely.polygons(np.column_stack([middle.x + radius / narrow * np.cos(turn), middle.y + radius * np.sin(turn)]))
        for middle, narrow in zip(middles, squeeze, strict=True)
    ]
    names = [towns.names[position] for position in bare]
    return gpd.GeoDataFrame(
        {
            "unit_id": [f"town-{name}" for name in names],
            "name": names,
            "kind": "other",
            "town": names,
            "population_people": towns.people[bare],
        },
        geometry=rings,
        crs=WGS84,
    )
