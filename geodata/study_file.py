"""``study.toml``: where the data of one county are. Documented in ``docs/terminal.md``; kept stable for scripts."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg
from geodata.paths import find_path_problem
from geodata.study import MODES, STAGES
from geodata.study_sources import (
    AddressesSource,
    BarriersSource,
    BuildingsSource,
    DemoSource,
    ElevationSource,
    ExclusionsSource,
    GazetteerSource,
    HousingSource,
    OpenLandSource,
    PopulationSource,
    RoadsSource,
    RowsSource,
    SchoolsSource,
    SitesSource,
    TravelSource,
    UnitsSource,
    YearRowsSource,
    ZonesSource,
)

__all__ = [
    "CASES_DEFAULT",
    "CASES_VARIABLE",
    "ROLES",
    "AddressesSource",
    "BarriersSource",
    "BuildingsSource",
    "DemoSource",
    "ElevationSource",
    "ExclusionsSource",
    "GazetteerSource",
    "HousingSource",
    "OpenLandSource",
    "PopulationSource",
    "RoadsSource",
    "RowsSource",
    "SchoolsSource",
    "SitesSource",
    "StudySpec",
    "TravelSource",
    "UnitsSource",
    "YearRowsSource",
    "ZonesSource",
    "build_study_spec",
    "compute_cases_folder",
    "list_sources",
    "read_study_file",
]

CASES_VARIABLE = "BUJU_CASES"
CASES_DEFAULT = "../shared/data"
ROLES: tuple[str, ...] = (
    *("schools", "roads", "population", "gazetteer", "buildings", "units", "zones", "sites", "barriers", "addresses"),
    *("exclusions", "open_land"),
    *("rolls", "births", "housing", "assets", "groups", "evidence", "elevation", "travel"),
)
"""The tables of a study file that may name files, in the order in which sources are listed."""

_KEYS: dict[str, tuple[str, ...]] = {
    "population.share": STAGES,
    "population.totals": STAGES,
    "travel.cutoff_min": MODES,
    "travel.crossing_penalty_s": ("main_road", "railway", "river"),
}
"""Tables whose keys are stages, modes, or what a child has to cross."""
_RANGES: dict[str, tuple[float, float]] = {
    "population.share": (0.0, 1.0),
    "population.totals": (0.0, 1e8),
    "schools.year": (1900, 2199),
    "population.year": (0, 2199),
    "roads.snap_m": (0.0, 100.0),
    "rolls.year": (1900, 2199),
    "births.year": (1990, 2199),
    "assets.year": (1900, 2199),
    "travel.crossing_penalty_s": (0.0, 600.0),
    "travel.cutoff_min": (0.1, 10_000),
    "travel.detour_factor": (1.0, 10.0),
    "travel.max_snap_m": (0.0, 1e6),
    "units.cell_m": (10.0, 1e5),
    "units.block_m2": (1_000.0, 1e8),
    "units.compactness": (0.0, 1.0),
    "demo.seed": (0, 2**32 - 1),
}
"""Least and greatest value of every number; of tables, of each number in them."""
_PATHS = frozenset(["path", "polygon", "speeds", "town_totals", "age_totals", "matches"])


@dataclass(frozen=True)
class StudySpec:
    """One study as its file describes it. Paths are resolved against ``folder`` by :meth:`resolve`."""

    name: str
    crs: str = ""
    description: str = ""
    description_zh: str = ""
    demo: DemoSource | None = None
    schools: SchoolsSource | None = None
    roads: RoadsSource | None = None
    population: PopulationSource | None = None
    gazetteer: GazetteerSource | None = None
    buildings: BuildingsSource | None = None
    units: UnitsSource = field(default_factory=UnitsSource)
    zones: ZonesSource | None = None
    sites: SitesSource | None = None
    barriers: BarriersSource | None = None
    addresses: AddressesSource | None = None
    exclusions: tuple[ExclusionsSource, ...] = ()
    open_land: OpenLandSource | None = None
    rolls: YearRowsSource | None = None
    births: YearRowsSource | None = None
    housing: HousingSource | None = None
    assets: YearRowsSource | None = None
    groups: RowsSource | None = None
    evidence: RowsSource | None = None
    elevation: ElevationSource | None = None
    travel: TravelSource = field(default_factory=TravelSource)
    attribution: str = ""
    synthetic: bool = False
    folder: Path = Path()

    def resolve(self, path: str) -> Path:
        """Return the file meant by ``path``: relative to the study file; ``$BUJU_CASES/…`` names the case folder."""
        prefix = "$" + CASES_VARIABLE
        if path == prefix or path.startswith(prefix + "/"):
            return compute_cases_folder() / path[len(prefix) + 1 :]
        return self.folder / path


def list_sources(spec: StudySpec, role: str) -> tuple[Any, ...]:
    """Return the tables of the study file for a role: none, one, or (layers of exclusions) several."""
    part = getattr(spec, role)
    if isinstance(part, tuple):
        return part
    return () if part is None else (part,)


def compute_cases_folder() -> Path:
    """Return the folder of real cases: ``BUJU_CASES``, else ``../shared/data`` beside the project."""
    named = os.environ.get(CASES_VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parent.parent / CASES_DEFAULT


def read_study_file(path: str | Path) -> StudySpec:
    """Read ``study.toml``.

    Raises
    ------
    DataError
        The file is missing, is not TOML, lacks a required key, or has a key or value that is not known; all at once.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(
            DataIssue(
                "study_file",
                "error",
                msg("The study file cannot be opened."),
                file=path.name,
                found=str(error.strerror),
                cure=msg("Give the path of a study.toml file; docs/terminal.md describes one."),
            )
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            DataIssue("study_file", "error", msg("The study file is not valid TOML."), file=path.name, found=str(error))
        ) from error
    return build_study_spec(document, folder=path.resolve().parent, file=path.name)


def build_study_spec(document: dict[str, Any], *, folder: Path, file: str = "study.toml") -> StudySpec:
    """Check a parsed study file and return its :class:`StudySpec`; raises ``DataError`` with every problem."""
    issues: list[DataIssue] = []
    spec: StudySpec = _build(StudySpec, document, "", file, issues, skip=("folder",))
    issues += _check_missing(document, file)
    if issues:
        raise DataError(issues)
    return dataclasses.replace(spec, folder=folder)


def _check_missing(document: dict[str, Any], file: str) -> list[DataIssue]:
    """Report tables and paths without which a study says nothing; the demo needs none."""
    if "demo" in document:
        return []
    issues = [
        _issue(file, f"[{table}]", msg("A required table is missing."), msg("Add it; docs/terminal.md describes it."))
        for table in ("schools", "population")
        if table not in document
    ]
    tables = {name: table for name, table in document.items() if isinstance(table, dict)}
    listed = [item for item in document.items() if isinstance(item[1], list)]
    tables |= {name: table for name, parts in listed for table in parts if isinstance(table, dict) and _lacks(table)}
    own_file = [role for role in ROLES if role not in ("population", "roads", "units", "travel")]
    wanted = [role for role in own_file if "path" in tables.get(role, {})]
    wanted += [name for name in ("population",) if name in tables]
    wanted += [name for name in ("units",) if tables.get(name, {}).get("kind") == "polygons"]
    issues += [
        _issue(file, f"{name}.path", msg("A required key is missing."), msg("Give the path of a file."))
        for name in wanted
        if not tables[name].get("path")
    ]
    if tables.get("units", {}).get("kind") == "blocks" and "roads" not in tables:
        cure = msg("Street blocks are cut by roads: give a road file under [roads].")
        issues.append(_issue(file, "[roads]", msg("A required table is missing."), cure))
    if "roads" in tables and not any(tables["roads"].get(key) for key in ("path", "place", "polygon")):
        cure = msg("Give path, place or polygon under [roads], or delete the table.")
        issues.append(_issue(file, "roads.path", msg("A required key is missing."), cure))
    return issues


def _lacks(table: dict[str, Any]) -> bool:
    """Whether one of several layers names no file."""
    return "path" in table and not table["path"]


def _issue(file: str, key: str, problem: Message, cure: Message, found: str = "") -> DataIssue:
    return DataIssue("study_file", "error", problem, file=file, column=key, found=found, cure=cure)


def _build(cls: type, table: Any, prefix: str, file: str, issues: list[DataIssue], skip: tuple[str, ...] = ()) -> Any:
    """Build dataclass ``cls`` from a TOML table; add what is wrong to ``issues``."""
    if not isinstance(table, dict):
        cure = msg("Write [{table}], with its keys below.", table=prefix)
        issues.append(_issue(file, prefix, msg("A table was expected here."), cure, str(table)))
        return None
    hints = get_type_hints(cls)
    known = {item.name: item for item in dataclasses.fields(cls) if item.name not in skip}
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{prefix}.{key}" if prefix else key
        if key not in known:
            issues.append(_issue(file, where, msg("Unknown key."), _suggest(key, known)))
            continue
        values[key] = _convert(hints[key], value, where, file, issues)
    for key, item in known.items():
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if required and key not in table:
            where = f"{prefix}.{key}" if prefix else key
            issues.append(_issue(file, where, msg("A required key is missing."), msg("Add it.")))
            values[key] = None
    return cls(**values)


def _suggest(key: str, known: Iterable[str]) -> Message:
    near = difflib.get_close_matches(key, list(known), n=1)
    if near:
        return msg("Did you mean '{name}'?", name=near[0])
    return msg("Known keys: {names}.", names=", ".join(sorted(known)))


_WANTED: dict[object, Message] = {
    bool: msg("Write true or false."),
    int: msg("Write a whole number."),
    float: msg("Write a number."),
    dict: msg("Write a table of names and values."),
    tuple: msg("Write a list: [value, value]."),
}


def _convert(hint: Any, value: Any, where: str, file: str, issues: list[DataIssue]) -> Any:
    """Return ``value`` as ``hint`` asks, or report it."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    origin, inner = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where, file, issues)  # type: ignore[arg-type]
    if origin is Literal:
        if value in inner:
            return value
        cure = msg("Use one of: {values}.", values=", ".join(map(str, inner)))
        issues.append(_issue(file, where, msg("Unknown value."), cure, str(value)))
        return inner[0]
    if origin is tuple and dataclasses.is_dataclass(inner[0]):  # one table, or several of one name
        parts = value if isinstance(value, list) else [value]
        built = [_build(inner[0], part, where, file, issues) for part in parts]  # type: ignore[arg-type]
        return tuple(part for part in built if part is not None)
    if origin is tuple and isinstance(value, list):
        if not value:
            issues.append(
                _issue(file, where, msg("The list is empty."), msg("Write at least one value, or delete it."))
            )
        return tuple(dict.fromkeys(_convert(inner[0], item, where, file, issues) for item in value))
    if origin is dict and isinstance(value, dict):
        known = {key: item for key, item in value.items() if _check_key(where, key, file, issues)}
        return {key: _convert(inner[1], item, f"{where}.{key}", file, issues) for key, item in known.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(min(max(value, -(10**300)), 10**300))  # TOML integers have no limit; floats have
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool) == isinstance(value, bool):
        _check_value(where, value, file, issues)
        return value
    cure = _WANTED.get(origin or hint, msg("Write a text in quotes."))
    issues.append(_issue(file, where, msg("A value of the wrong kind."), cure, repr(value)))
    return None


def _check_key(where: str, key: str, file: str, issues: list[DataIssue]) -> bool:
    """Report a key that a table of stages or modes does not know; return whether it may stand there."""
    known = _KEYS.get(where)
    if known is None or key in known:
        return True
    issues.append(_issue(file, f"{where}.{key}", msg("Unknown key."), _suggest(key, known)))
    return False


def _check_value(where: str, value: object, file: str, issues: list[DataIssue]) -> None:
    """Report a number outside its range, and a path that cannot be one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _RANGES.get(where) or _RANGES.get(where.rpartition(".")[0]) or (value, value)
        if not low <= value <= high:
            cure = msg("Write a number from {low:,.10g} to {high:,.10g}.", low=low, high=high)
            issues.append(_issue(file, where, msg("The number lies outside what is possible."), cure, f"{value}"))
    if isinstance(value, str) and where.rpartition(".")[2] in _PATHS:
        found = find_path_problem(value)
        if found is not None:
            issues.append(_issue(file, where, *found, value[:200]))
