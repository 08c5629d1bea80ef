"""From a study file to a checked :class:`StudyArea`: read everything, connect it, measure it, check across tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from geodata.addresses import read_addresses
from geodata.adjacency import compute_adjacency, find_land
from geodata.cache import DiskCache, WatchedCache, compute_cache_folder
from geodata.calibrate import calibrate_pupils
from geodata.crs import normalise_crs, require_known_crs, require_metric_crs
from geodata.demo import write_demo_files
from geodata.errors import CrsError, DataError, DataIssue, NetworkError
from geodata.locate import choose_study_crs, compute_file_digest
from geodata.measure import RoadFacts, measure_travel, read_road_facts
from geodata.messages import Message, msg
from geodata.osm_pass import keep_features
from geodata.quality import check_study
from geodata.quality_facts import Evidence
from geodata.read_ground import GroundTables, check_ground, read_ground
from geodata.read_planning import PLANNING_TABLES, PlanningTables, join_rolls, read_planning_tables, seat_housing
from geodata.read_population import Population, read_population
from geodata.read_schools import SchoolTables, compute_roll_totals, read_schools
from geodata.read_sites import read_sites
from geodata.read_zones import read_zones
from geodata.schema import build_empty_table
from geodata.seats import find_seats
from geodata.sides import PlaceTable, close_outline, compute_sides, find_parted_pairs
from geodata.study import (
    Adjacency,
    Mode,
    Progress,
    Source,
    StudyArea,
    TravelMatrix,
    build_empty_sides,
    compute_digest,
    no_progress,
)
from geodata.study_file import ROLES, StudySpec, list_sources, read_study_file
from geodata.units import build_units

if TYPE_CHECKING:
    import geopandas as gpd

DATA_VERSION = 12
"""Part of every cache key: raise it when the same files give different facts."""

T = TypeVar("T")


@dataclass
class _Gathered:
    """Every issue met so far."""

    issues: list[DataIssue] = field(default_factory=list)
    road_file: str = ""

    def read(self, reader: Callable[[], T]) -> T | None:
        """Run one reader; keep its issues and go on, so that all problems are told at once."""
        try:
            return reader()
        except DataError as error:
            self.issues += error.issues
        except NetworkError as error:
            problem = next((part for part in error.args if isinstance(part, Message)), msg("{text}", text=str(error)))
            cure = msg("Check the road file, or leave out the mode: [travel] modes.")
            self.issues.append(DataIssue("roads", "error", problem, file=self.road_file, column="[roads]", cure=cure))
        return None

    def require(self) -> None:
        """Raise ``DataError`` with everything found when anything was an error."""
        if any(issue.severity == "error" for issue in self.issues):
            raise DataError(self.issues)


@dataclass(frozen=True)
class _Tables:
    """What the files of a study hold, before anything is measured."""

    schools: SchoolTables
    units: gpd.GeoDataFrame
    zones: pd.DataFrame
    sites: gpd.GeoDataFrame
    addresses: pd.DataFrame
    roads: RoadFacts
    planning: PlanningTables
    ground: GroundTables


def read_study(
    path: str | Path,
    *,
    design_class_size: Mapping[str, float] | None = None,
    cache: DiskCache | None = None,
    progress: Progress = no_progress,
) -> StudyArea:
    """Read a study file and build its study area, or load it from the disk cache when nothing has changed.

    Parameters
    ----------
    path : path of ``study.toml``
    design_class_size : pupils per class by stage, to derive a missing capacity from classes (``Rules`` gives it)
    cache : where to keep results; default: the user's cache folder
    progress : told the name of each step and the share done; may raise ``Cancelled``

    Raises
    ------
    DataError
        Something in the files cannot be used; ``issues`` holds everything found.
    """
    return build_study(read_study_file(path), design_class_size=design_class_size, cache=cache, progress=progress)


def build_study(
    spec: StudySpec,
    *,
    design_class_size: Mapping[str, float] | None = None,
    cache: DiskCache | None = None,
    progress: Progress = no_progress,
) -> StudyArea:
    """Build the study area that ``spec`` describes; see :func:`read_study`."""
    cache = cache or DiskCache(compute_cache_folder())
    if spec.demo is not None:
        spec, progress = _resolve_demo(spec, cache, progress)
    sources = describe_sources(spec)
    key = compute_study_key(spec, design_class_size)
    found = cache.load(key)
    if isinstance(found, StudyArea):
        return found
    watched = WatchedCache(cache)
    try:
        with keep_features(spec):
            study = _build(spec, sources, dict(design_class_size or {}), watched, progress)
    finally:  # what was made of two states of a file is neither kept nor shown, whatever else is wrong
        changed = _find_changed_files(sources, describe_sources(spec))
        if changed:
            watched.take_back()
            raise DataError(changed)
    cache.store(key, study)
    progress(msg("Done"), 1.0)
    return study


def compute_study_key(spec: StudySpec, design_class_size: Mapping[str, float] | None) -> str:
    """Return the cache key of a study: what its file says and what its data files hold."""
    contents = [(source.role, source.digest) for source in describe_sources(spec)]
    settings = replace(spec, folder=Path())
    return "study-" + compute_digest(DATA_VERSION, settings, contents, sorted((design_class_size or {}).items()))


def describe_sources(spec: StudySpec) -> tuple[Source, ...]:
    """Return one :class:`Source` per file that the study names, with the digest of its content."""
    found = []
    for role in ROLES:
        for part in list_sources(spec, role):
            for name in ("path", "polygon", "speeds", "town_totals", "age_totals", "matches"):
                path = getattr(part, name, "")
                if path:
                    found.append(Source(role, Path(path).name, compute_file_digest(spec.resolve(path)), note=name))
    return tuple(found)


def _find_changed_files(before: Iterable[Source], after: Iterable[Source]) -> list[DataIssue]:
    """Report every file whose content is another one than when the reading began."""
    now = {(source.role, source.path, source.note): source.digest for source in after}
    return [
        DataIssue(
            "file_changed",
            "error",
            msg("The file was changed or replaced while it was being read."),
            file=source.path,
            cure=msg("Wait until the other program has finished writing it, then build again."),
        )
        for source in before
        if now.get((source.role, source.path, source.note)) != source.digest
    ]


def _resolve_demo(spec: StudySpec, cache: DiskCache, progress: Progress) -> tuple[StudySpec, Progress]:
    """Return the study file of the demo county, written into the cache folder once, and the progress that is left."""
    assert spec.demo is not None
    code = sorted((Path(__file__).parent / "demo").glob("*.py"))
    digest = compute_digest(*[path.read_bytes() for path in code], spec.demo.seed)
    folder = Path(cache.folder) / f"demo-{digest}"
    if (folder / "study.toml").exists():
        return read_study_file(folder / "study.toml"), progress
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="demo-", dir=folder.parent) as unfinished:
        write_demo_files(Path(unfinished) / folder.name, seed=spec.demo.seed, progress=_within(progress, 0.0, 0.4))
        # Another process may have been quicker; its files are the same.
        with suppress(OSError):
            (Path(unfinished) / folder.name).rename(folder)
    return read_study_file(folder / "study.toml"), _within(progress, 0.4, 1.0)


def _build(
    spec: StudySpec, sources: tuple[Source, ...], class_size: dict[str, float], cache: DiskCache, progress: Progress
) -> StudyArea:
    gathered = _Gathered(road_file=next((source.path for source in sources if source.role == "roads"), ""))
    crs, no_crs = _choose_crs(spec)
    gathered.issues += _check_source_crs(spec)
    gathered.require()
    tables = _read_tables(spec, crs, sources, class_size, cache, gathered, progress)
    if no_crs is not None:  # said only when no file has a worse problem, which it would follow from
        raise no_crs
    schools, units, roads = tables.schools, tables.units, tables.roads
    measured = gathered.read(
        lambda: measure_travel(
            spec, roads.networks, units, schools.schools, tables.sites, cache, _within(progress, 0.55, 0.9)
        )
    )
    gathered.require()
    assert measured is not None
    progress(msg("Finding neighbours"), 0.9)
    adjacency = compute_adjacency(units)
    tables = _seat_all(tables, scattered=adjacency.scattered)
    adjacency, sides = _part(roads, adjacency, units, tables.schools.schools, tables.sites)
    progress(msg("Checking across tables"), 0.95)
    files = {source.role: source.path for source in sources if source.note == "path"}
    seated = (tables.schools.schools, schools.places, schools.rolls, units, tables.zones, tables.sites, measured)
    evidence = _build_evidence(spec, roads)
    gathered.issues += check_study(*seated, crs=crs, files=files, planning=tables.planning, evidence=evidence)
    gathered.require()
    study = _assemble(spec, crs, tables, measured, adjacency, sides)
    return replace(study, issues=tuple(gathered.issues), sources=sources)


def _build_evidence(spec: StudySpec, roads: RoadFacts) -> Evidence:
    """Return what lies around the tables, for the checks."""
    parts = [(role, part) for role in ROLES for part in list_sources(spec, role)]
    declared = {role: part.crs for role, part in reversed(parts) if getattr(part, "crs", "")}
    return Evidence(roads.networks, roads.evidence, roads.barriers, declared)


def _assemble(
    spec: StudySpec,
    crs: str,
    tables: _Tables,
    travel: Mapping[Mode, TravelMatrix],
    adjacency: Adjacency,
    sides: pd.DataFrame,
) -> StudyArea:
    """Return the study area of what was read and measured, with its fingerprint."""
    schools, roads = tables.schools, tables.roads
    planning = {name: getattr(tables.planning, name) for name in PLANNING_TABLES}
    planning |= {name: getattr(tables.ground, name) for name in ("exclusions", "open_land")}
    content = (
        *(schools.schools, schools.places, schools.rolls, tables.units, tables.zones, tables.sites),
        *(roads.barriers, sides, tables.addresses),
        # a table that a study does not have leaves its fingerprint as it was before there were such tables
        *(table for table in planning.values() if len(table)),
    )
    return StudyArea(
        name=spec.name,
        crs=crs,
        schools=schools.schools,
        places=schools.places,
        rolls=schools.rolls,
        units=tables.units,
        zones=tables.zones,
        sites=tables.sites,
        travel=travel,
        adjacency=adjacency,
        basemap=roads.basemap,
        networks=roads.networks,
        road_report=roads.report,
        barriers=roads.barriers,
        sides=sides,
        addresses=tables.addresses,
        **planning,
        attribution=spec.attribution,
        synthetic=spec.synthetic,
        fingerprint=compute_fingerprint(*content, travel=travel),
    )


def _read_tables(
    spec: StudySpec,
    crs: str,
    sources: tuple[Source, ...],
    class_size: dict[str, float],
    cache: DiskCache,
    gathered: _Gathered,
    progress: Progress,
) -> _Tables:
    """Read every file of a study; raises ``DataError`` with all that is wrong in them."""
    progress(msg("Reading schools"), 0.02)
    schools = gathered.read(lambda: read_schools(spec, crs, design_class_size=class_size))
    population = gathered.read(lambda: read_population(spec, crs, progress=_within(progress, 0.05, 0.2)))
    roads = gathered.read(lambda: read_road_facts(spec, crs, sources, cache, _within(progress, 0.2, 0.5)))
    progress(msg("Building planning units"), 0.5)
    built = gathered.read(lambda: _build_units(population, spec, crs, roads, cache))
    nothing = {name: build_empty_table(name) for name in ("sites", "zones", "addresses")}
    sites, site_issues = gathered.read(lambda: read_sites(spec, crs)) or (nothing["sites"], [])
    zones, zone_issues = gathered.read(lambda: _read_zones(spec, crs, built, schools)) or (nothing["zones"], [])
    addresses, address_issues = gathered.read(lambda: read_addresses(spec, crs)) or (nothing["addresses"], [])
    planning = gathered.read(lambda: _read_planning(spec, crs, schools))
    ground = gathered.read(lambda: read_ground(spec, crs))
    read = (schools, roads, planning, ground)
    gathered.issues += [issue for part in read if part is not None for issue in part.issues]
    gathered.issues += [*([] if built is None else built[1]), *site_issues, *zone_issues, *address_issues]
    gathered.require()
    assert schools is not None and built is not None and roads is not None
    assert planning is not None and ground is not None
    schools = replace(schools, rolls=planning.rolls)
    units, calibration_issues = _calibrate(built[0], schools, spec)
    gathered.issues += [*calibration_issues, *check_ground(ground, units)]
    return _Tables(schools, units, zones, sites, addresses, roads, planning, ground)


def _read_planning(spec: StudySpec, crs: str, schools: SchoolTables | None) -> PlanningTables:
    """Read what forecasts and inspections need; ``rolls`` are then those of all years."""
    planning = read_planning_tables(spec, crs)
    if schools is None or spec.schools is None or spec.rolls is None:
        return planning if schools is None else replace(planning, rolls=schools.rolls)
    files = {"file": Path(spec.schools.path).name, "past_file": Path(spec.rolls.path).name}
    return replace(planning, rolls=join_rolls(schools.rolls, planning, **files))


def _seat_all(tables: _Tables, *, scattered: bool) -> _Tables:
    """Return the tables with the planning unit in which each school, site and housing project stands."""
    units, planning = tables.units, tables.planning
    return replace(
        tables,
        schools=replace(tables.schools, schools=_seat(tables.schools.schools, units, scattered=scattered)),
        sites=_seat(tables.sites, units, scattered=scattered),
        planning=replace(planning, housing=seat_housing(planning.housing, units, scattered=scattered)),
    )


def _seat(points: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, scattered: bool) -> gpd.GeoDataFrame:
    """Return schools or sites with the planning unit in which each stands."""
    x_m, y_m = (points[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
    seats = find_seats(units, x_m, y_m, scattered=scattered)
    return points.assign(unit_id=pd.Series(seats, index=points.index, dtype="str"))


def _part(
    roads: RoadFacts,
    adjacency: Adjacency,
    units: gpd.GeoDataFrame,
    schools: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
) -> tuple[Adjacency, pd.DataFrame]:
    """Return the neighbours with what parts them, and the side of each barrier on which every place lies."""
    if not len(roads.barriers) or not len(units):
        return adjacency, build_empty_sides()
    land = find_land(units, scattered=adjacency.scattered)
    outline = close_outline(land)
    barriers, crossed = find_parted_pairs(units, land, outline, adjacency, roads.barriers, roads.crossings)
    places = [
        PlaceTable(name, *(table[column].to_numpy() for column in (f"{name}_id", "x_m", "y_m")))
        for name, table in (("unit", units), ("school", schools), ("site", sites))
    ]
    sides = compute_sides(outline, roads.barriers, roads.crossings, places)
    return replace(adjacency, barriers=barriers, crossed=crossed), sides


def _check_source_crs(spec: StudySpec) -> list[DataIssue]:
    """Report every ``crs`` of the study file that names no coordinate system; files without shapes would not ask."""
    issues: list[DataIssue] = []
    named = ("schools", "roads", "population", "gazetteer", "buildings", "units", "zones", "sites", "barriers")
    for role in (*named, "addresses", "housing", "exclusions", "open_land"):
        for part in list_sources(spec, role):
            try:
                require_known_crs(getattr(part, "crs", ""))
            except CrsError as error:
                issues += [replace(issue, file="study.toml", column=f"{role}.crs") for issue in error.issues]
    return issues


def _choose_crs(spec: StudySpec) -> tuple[str, CrsError | None]:
    """Return the metric CRS to work in; with an error a stand-in, so that the files can still be checked."""
    named = normalise_crs(spec.crs)
    if named:
        require_metric_crs(named)
        return named, None
    try:
        return choose_study_crs(spec), None
    except CrsError as error:
        return "EPSG:3857", error


def _within(progress: Progress, low: float, high: float) -> Progress:
    """Return a progress callback for one part of the work, from ``low`` to ``high``."""

    def report(step: Message, share: float) -> None:
        progress(step, low + (high - low) * share)

    return report


def _build_units(
    population: Population | None, spec: StudySpec, crs: str, roads: RoadFacts | None, cache: DiskCache
) -> tuple[gpd.GeoDataFrame, list[DataIssue]] | None:
    """Make planning units of where people live; ``None`` where population, or the roads of blocks, were refused."""
    if population is None or (roads is None and spec.units.kind == "blocks"):
        return None
    units, issues = build_units(population, spec, crs, roads, cache)
    return units, [*population.issues, *issues]


def _read_zones(
    spec: StudySpec,
    crs: str,
    built: tuple[gpd.GeoDataFrame, list[DataIssue]] | None,
    schools: SchoolTables | None,
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read the zones; a layer of areas needs units and schools, where they could be read."""
    if built is None or schools is None:
        return read_zones(spec, crs)
    return read_zones(spec, crs, units=built[0], schools=schools.schools, places=schools.places)


def _calibrate(
    units: gpd.GeoDataFrame, schools: SchoolTables, spec: StudySpec
) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Scale children by stage to the rolls where the study asks for it."""
    if spec.population is None or not spec.population.calibrate_to_rolls:
        return units, []
    totals = compute_roll_totals(schools.rolls).groupby("stage")["pupils"].sum()
    return calibrate_pupils(units, {str(stage): float(value) for stage, value in totals.items()})


def compute_fingerprint(*tables: pd.DataFrame, travel: Mapping[Mode, TravelMatrix] | None = None) -> str:
    """Return the digest of a study's content: equal facts, equal fingerprint, whatever the files were called."""
    parts: list[object] = []
    for table in tables:
        for column in sorted(table.columns):
            values = table[column]
            is_shape = str(values.dtype) == "geometry"
            parts += [column, b"".join(values.to_wkb()) if is_shape else values.astype(str).str.cat(sep="\x1f")]
    for mode, matrix in sorted((travel or {}).items()):
        parts += [mode, matrix.time_min, matrix.length_m]
    return compute_digest(*parts)
