"""Catchments from a table of communities: by code or by name, one column of schools or one per stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.files import RawTable, read_raw_table
from geodata.messages import Message, msg
from geodata.names import build_stem, normalise_name, normalise_town
from geodata.population_table import limit_issues
from geodata.schema import build_missing_column, check_mapping, convert_column, match_headers, raise_if_errors
from geodata.study import STAGES
from geodata.study_file import ZonesSource
from geodata.values import find_near_id, is_missing, is_total, narrow_id, normalise_text

if TYPE_CHECKING:
    import geopandas as gpd

_BETWEEN = re.compile(r"[;；、，,|\n]")
_STAGE_WORDS = {"kindergarten": "幼儿园", "primary": "小学", "junior": "初中", "senior": "高中"}
_SCHOOL_STARTS = ("对口", "划片", "服务", "所属", "学区", "片区", "招生")
_Key: TypeAlias = Callable[[str, str], str]


def _plain(name: str, _town: str) -> str:
    return normalise_text(name)


_UNIT_KEYS: tuple[_Key, ...] = (_plain, normalise_name, build_stem)
"""How names of units are compared, the strictest first."""


@dataclass(frozen=True)
class ZoneTables:
    """The tables of a study that names are looked up in; ``None`` where they could not be read."""

    units: gpd.GeoDataFrame
    schools: gpd.GeoDataFrame
    places: pd.DataFrame


@dataclass(frozen=True)
class _Entry:
    """One community and school as a row tells them; ``header`` is that of the school."""

    position: int
    unit: str
    town: str
    stage: str
    school: str
    header: str


def read_zone_table(
    path: Path, source: ZonesSource, tables: ZoneTables | None = None
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read a table of catchments: one row per unit, stage and school; several rows = a shared zone (多校划片).

    Parameters
    ----------
    path : the file
    source : ``columns`` of the file, and the ``stage`` of all rows where no column tells it
    tables : units, schools and places of the study. With them units and schools may be called by their names, a cell
        may list several (甲社区、乙村), and a school of one stage needs no word for it. Schools may stand in a column
        per stage (对口小学, 对口初中)

    Raises
    ------
    DataError
        The file cannot be read, a column is missing, cells are empty or not understood, or a name means nothing or
        several things; all at once.
    """
    raw = read_raw_table(path)
    headers = _match(raw, source)
    origin = Origin(raw.file, raw.sheet, raw.rows, headers)
    names = [column.name for column in read_table_schema("zones").columns]
    issues = check_mapping(source.columns, raw.frame.columns, names, origin, table="zones")
    wide: dict[str, str] = {stage: header for stage in STAGES if (header := headers.get(f"{stage}_school_id"))}
    issues += [
        build_missing_column("zones", name, origin)
        for name in names
        if name not in headers
        and not (name == "stage" and (source.stage or wide or tables is not None))
        and not (name == "school_id" and wide)
    ]
    if "unit_id" not in headers or not ("school_id" in headers or wide):
        raise_if_errors(issues)
    entries, found = _list_entries(raw, source, origin, wide, tables is not None)
    issues += found
    finder = None if tables is None else _Finder(tables, origin)
    rows: list[tuple[str, str, str, int]] = []
    for entry in entries:
        rows += [(entry.unit, entry.stage, entry.school, entry.position)] if finder is None else finder.resolve(entry)
    issues += [] if finder is None else finder.issues
    issues.sort(key=lambda issue: issue.row or 0)
    raise_if_errors(issues)
    zones = pd.DataFrame([row[:3] for row in rows], columns=names, dtype="str")
    twice = zones.duplicated().to_numpy()
    issues += [_build_twice(origin, rows[at][3], zones.iloc[at]) for at in np.flatnonzero(twice).tolist()]
    return zones[~twice].reset_index(drop=True), limit_issues(issues)


def _match(raw: RawTable, source: ZonesSource) -> dict[str, str]:
    """Return our columns among the headers: code or name of the unit, township, stage, school, school by stage."""
    zones, units = read_table_schema("zones"), read_table_schema("units")
    wanted = {column.name: column.headers for column in zones.columns}
    wanted |= {"town": units.column("town").headers}
    for stage, word in _STAGE_WORDS.items():
        wide = [f"{start}{word}" for start in _SCHOOL_STARTS] + [f"{word}学区", f"{word}学校", word]
        wanted[f"{stage}_school_id"] = (f"{stage}_school_id", *wide)
    return match_headers(raw.frame.columns, wanted, source.columns)


def _list_entries(
    raw: RawTable, source: ZonesSource, origin: Origin, wide: Mapping[str, str], lenient: bool
) -> tuple[list[_Entry], list[DataIssue]]:
    """Return every pair of unit and school that the cells tell, and the cells that are empty or not understood.

    ``lenient``: an empty stage is no error, for the school may tell it.
    """
    headers, frame = origin.headers, raw.frame
    issues: list[DataIssue] = []
    schema = read_table_schema("zones")
    stages: Sequence[str] = [source.stage] * len(frame)
    texts: Sequence[str] = stages
    if "stage" in headers:
        texts = [source.stage if source.stage and is_missing(cell) else cell for cell in frame[headers["stage"]]]
        stages, issues = convert_column(texts, schema.column("stage"), origin)
    towns = frame[headers["town"]].tolist() if "town" in headers else [""] * len(frame)
    entries = []
    for at, unit in enumerate(frame[headers["unit_id"]].tolist()):
        if is_total(unit):
            continue
        if is_missing(unit):
            issues += _report_empty([unit], headers["unit_id"], origin, at)
        if "stage" in headers and not lenient:
            issues += _report_empty([texts[at]], headers["stage"], origin, at)
        cells = [(stage, header, frame[header].iloc[at]) for stage, header in wide.items()]
        if "school_id" in headers:
            school = frame[headers["school_id"]].iloc[at]
            issues += _report_empty([school], headers["school_id"], origin, at)
            cells.append((str(stages[at] or ""), headers["school_id"], school))
        entries += [
            _Entry(at, narrow_id(unit.strip()), towns[at], stage, narrow_id(school.strip()), header)
            for stage, header, school in cells
            if not is_missing(school) and not is_missing(unit)
        ]
    return entries, issues


def _report_empty(texts: Sequence[str], header: str, origin: Origin, first: int = 0) -> list[DataIssue]:
    problem, cure = msg("An entry is missing here."), msg("Fill in the cell.")
    return [
        DataIssue(
            "required_value", "error", problem, origin.file, origin.sheet, origin.row(first + at), header, cure=cure
        )
        for at, text in enumerate(texts)
        if is_missing(text)
    ]


def _build_twice(origin: Origin, position: int, row: pd.Series[str]) -> DataIssue:
    return DataIssue(
        "duplicate_row",
        "warning",
        msg("The same row stands twice; it counts once."),
        file=origin.file,
        sheet=origin.sheet,
        row=origin.row(position),
        found=" / ".join(row),
        record_id=str(row["unit_id"]),
    )


@dataclass
class _Finder:
    """Looks up units and schools by code, then by name; ``issues`` gathers what means nothing, or several things."""

    tables: ZoneTables
    origin: Origin
    issues: list[DataIssue] = field(default_factory=list)

    def __post_init__(self) -> None:
        units, schools = self.tables.units, self.tables.schools
        self.unit_ids = [str(key) for key in units["unit_id"]]
        self.unit_names = [str(name) for name in units["name"]]
        self.towns = [str(town) for town in units["town"]] if "town" in units.columns else [""] * len(units)
        self.known_towns = {normalise_town(town) for town in self.towns} - {""}
        self.school_ids = [str(key) for key in schools["school_id"]]
        self.school_names = [str(name) for name in schools["name"]]
        self.taught: dict[str, list[str]] = {}
        for key, stage in zip(self.tables.places["school_id"], self.tables.places["stage"], strict=True):
            self.taught.setdefault(str(key), []).append(str(stage))
        self.by_unit = [self._index(self.unit_names, self.towns, key) for key in _UNIT_KEYS]
        self.by_school = self._index(self.school_names, [""] * len(schools), _UNIT_KEYS[0])
        self.known_units, self.known_schools = set(self.unit_ids), set(self.school_ids)

    @staticmethod
    def _index(names: Sequence[str], towns: Sequence[str], key: _Key) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, (name, town) in enumerate(zip(names, towns, strict=True)):
            if name:
                found.setdefault(key(name, town), []).append(at)
        return found

    def resolve(self, entry: _Entry) -> list[tuple[str, str, str, int]]:
        """Return unit, stage, school and position for all that a row names."""
        units = self._split(entry.unit, lambda text: self._find_unit(text, entry.town))
        schools = self._split(entry.school, lambda text: self._find_school(text, entry.stage))
        pairs = []
        for text, keys in schools:
            stage = entry.stage
            if len(keys) == 1 and not stage:
                taught = self.taught.get(keys[0], [])
                stage = taught[0] if len(taught) == 1 else ""
            self._report(entry, text, keys, entry.header, [*self.school_ids, *self.school_names])
            if len(keys) == 1 and not stage:
                problem = msg("Nobody says for which stage this row is.")
                cure = msg('Add a column of stages, or write stage = "primary" under [zones] in the study file.')
                self._add(entry, "required_value", problem, entry.header, text, cure)
            pairs += [(stage, key) for key in keys[:1]]
        for text, keys in units:
            self._report(entry, text, keys, self.origin.headers["unit_id"], [*self.unit_ids, *self.unit_names])
        return [(keys[0], stage, school, entry.position) for _, keys in units if keys for stage, school in pairs]

    @staticmethod
    def _split(text: str, find: Callable[[str], list[str]]) -> list[tuple[str, list[str]]]:
        """Return the parts of a cell with what each may mean: the cell as a whole comes first."""
        whole = find(text)
        parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
        if whole or len(parts) < 2:
            return [(text, whole)]
        return [(part, find(part)) for part in parts]

    def _find_unit(self, text: str, town: str) -> list[str]:
        if text in self.known_units:
            return [text]
        for names, key in zip(self.by_unit, _UNIT_KEYS, strict=True):
            found = names.get(key(text, town), [])
            if normalise_town(town) in self.known_towns:  # a namesake of another township is not meant
                near = [at for at in found if normalise_town(self.towns[at]) == normalise_town(town)]
                found = near or [at for at in found if not self.towns[at]]
            if found:
                return [self.unit_ids[at] for at in found]
        return []

    def _find_school(self, text: str, stage: str) -> list[str]:
        if text in self.known_schools:
            return [text]
        found = [self.school_ids[at] for at in self.by_school.get(normalise_text(text), [])]
        teaching = [key for key in found if stage in self.taught.get(key, [])]
        return teaching if len(found) > 1 and teaching else found

    def _report(self, entry: _Entry, text: str, keys: Sequence[str], header: str, known: Sequence[str]) -> None:
        """Report a text that means nothing, or several records."""
        if not keys:
            near = find_near_id(text, known)
            cure = msg("Correct the code, or add the missing school or unit.")
            if near:
                cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
            problem = msg("The table {table} names {id}, which is not known.", table="zones", id=text)
            self._add(entry, "unknown_ids", problem, header, text, cure)
        elif len(keys) > 1:
            problem = msg("{count} schools or units have this name.", count=len(keys))
            cure = msg(
                "Write the code: one of {names}. A column of townships tells units apart.", names=", ".join(keys[:9])
            )
            self._add(entry, "unknown_ids", problem, header, text, cure)

    def _add(self, entry: _Entry, check: str, problem: Message, header: str, found: str, cure: Message) -> None:
        place = (self.origin.file, self.origin.sheet, self.origin.row(entry.position), header)
        self.issues.append(DataIssue(check, "error", problem, *place, found, cure=cure))
