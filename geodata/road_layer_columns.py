"""What the columns of a road layer say: class, name, direction, speed, access and level of every line.

Words are looked up once each, however many lines carry them, and a word that is not known is told once with the number
of its lines. Directions are coded in several ways, which the words of the whole column tell apart:

==========================  ======================================================================
words                       meaning
==========================  ======================================================================
yes, no, -1, 单向, 双向 …    as in OpenStreetMap
F, T, B                     along the line (from), against it (to), both: Geofabrik, HERE
T, F alone                  true, false: one-way, not (also F where nothing else stands)
0, 1, 2, 3                  not surveyed, both, along, against: NavInfo; only where 2 or 3 occurs
==========================  ======================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.road_access import parse_speed
from geodata.schema import check_mapping, match_columns
from geodata.study_file import RoadsSource
from geodata.values import is_missing, normalise_header, parse_number

if TYPE_CHECKING:
    import geopandas as gpd

Texts = npt.NDArray[np.object_]

UNKNOWN_CLASS = "road"
"""Class of a line that tells none."""
NO_ROAD = "none"
ACCESS = ("access", "access_walk", "access_bicycle", "access_drive")
LEAST_LINES = 20
MOST_ONE_WAY = 0.5
"""Share of one-way lines, of at least :data:`LEAST_LINES`, above which the words of the column are doubted."""
MAX_WORDS = 30
"""Unknown words of a column that are told one by one."""

_OTHER_TAG = re.compile(r'"([^"]+)"=>"((?:[^"\\]|\\.)*)"')
_SPREAD_TAGS = (
    *("oneway", "bridge", "tunnel", "layer", "maxspeed", "ref"),
    *("access", "foot", "bicycle", "motor_vehicle"),
)
_FROM_TO = {"f": "yes", "t": "reverse", "b": "no", "ft": "yes", "tf": "reverse"}
_NAVINFO = {"0": "no", "1": "no", "2": "yes", "3": "reverse", "4": "no"}


@dataclass(frozen=True, eq=False)
class RoadColumns:
    """One entry per row of the layer. ``oneway`` is yes, no, -1 or "" (as the class says), ``speed`` as tagged."""

    road_class: Texts
    name: Texts
    ref: Texts
    oneway: Texts
    speed: Texts
    access: Mapping[str, Texts]
    level: npt.NDArray[np.int64]
    tells_levels: bool
    origin: Origin
    issues: list[DataIssue]


def read_road_columns(layer: gpd.GeoDataFrame, file: str, source: RoadsSource) -> RoadColumns:
    """Read the columns of a layer by ``columns`` and ``values`` of ``[roads]``; what is wrong is in ``issues``."""
    table = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    table.columns = [str(header) for header in table.columns]
    table = _spread_other_tags(table)
    schema = read_table_schema("roads")
    known = [column.name for column in schema.columns]
    headers = match_columns(table.columns, "roads", source.columns)
    headers = _prefer_words(headers, table, source)
    origin = Origin(file, source.layer, np.arange(1, len(table) + 1), headers)
    issues = check_mapping(source.columns, table.columns, known, origin, table="roads")
    issues += _check_values(source.values, known)
    reader = _Reader(table, origin, source.values, issues)
    nothing = np.full(len(table), "", dtype=object)
    road_class = reader.read_words("road_class")
    blank_is_none = (
        normalise_header(headers.get("road_class", "")) == "highway"
    )  # all ways of an OSM file, not only roads
    road_class = np.where(road_class == "", NO_ROAD if blank_is_none else UNKNOWN_CLASS, road_class)
    bridge, tunnel, level = reader.read_words("bridge"), reader.read_words("tunnel"), reader.read_levels()
    levels = np.where((level == 0) & (bridge == "yes"), 1, np.where((level == 0) & (tunnel == "yes"), -1, level))
    told = any(name in headers for name in ("bridge", "tunnel", "level")) and bool((levels != 0).any())
    return RoadColumns(
        road_class=road_class,
        name=reader.read_texts("name") if "name" in headers else nothing,
        ref=reader.read_texts("ref") if "ref" in headers else nothing,
        oneway=reader.read_directions(road_class),
        speed=reader.read_speeds(),
        access={name: reader.read_words(name) for name in ACCESS},
        level=levels.astype(np.int64),
        tells_levels=told,
        origin=origin,
        issues=reader.issues,
    )


def _spread_other_tags(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with columns of the tags that GDAL and QGIS put into ``other_tags`` of an OSM file.

    They write one-way streets, bridges and limits there (``"oneway"=>"yes","bridge"=>"yes"``); a roundabout is one-way.
    """
    if "other_tags" not in table.columns or not table["other_tags"].notna().any():
        return table
    found = [dict(_OTHER_TAG.findall(str(cell))) if cell else {} for cell in table["other_tags"].fillna("")]
    for tags in found:
        if tags.get("junction") in ("roundabout", "circular"):
            tags.setdefault("oneway", "yes")
    fresh = {name: [tags.get(name, "") for tags in found] for name in _SPREAD_TAGS if name not in table.columns}
    return table.assign(**{name: cells for name, cells in fresh.items() if any(cells)})


def _prefer_words(headers: dict[str, str], table: pd.DataFrame, source: RoadsSource) -> dict[str, str]:
    """Return the headers, with the header among those understood for the class that holds the most known words."""
    if "road_class" in source.columns:
        return headers
    column = read_table_schema("roads").column("road_class")
    accepted = {normalise_header(header) for header in column.headers}
    taken = {header for ours, header in headers.items() if ours != "road_class"}
    rivals = [header for header in table.columns if normalise_header(header) in accepted and header not in taken]
    if len(rivals) < 2:
        return headers
    shares = [
        float(np.mean([normalise_header(text) in column.words for text in _list_texts(table[header])]))
        for header in rivals
    ]
    return {**headers, "road_class": rivals[int(np.argmax(shares))]}


def _list_texts(series: pd.Series) -> list[str]:
    """Return the different cells of a column as text."""
    return [_say(value) for value in pd.unique(series.astype(object))]


def _say(value: Any) -> str:
    """Return a cell as text: 2.0 as ``2``, missing as ``""``."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if is_missing(text) else text


def _check_values(values: Mapping[str, Mapping[str, str]], known: list[str]) -> list[DataIssue]:
    """Report entries of ``[roads.values]`` for a column or a word of ours that does not exist."""
    issues = []
    schema = read_table_schema("roads")
    for name, words in values.items():
        if name not in known:
            problem = msg("The study file maps words of a column that the table {table} does not have.", table="roads")
            expected = msg("one of: {names}", names=", ".join(known))
            issues.append(
                DataIssue(
                    "value_mapping", "error", problem, "study.toml", column=f"roads.values.{name}", expected=expected
                )
            )
            continue
        allowed = schema.column(name).values
        for word, meaning in words.items():
            if allowed and meaning not in allowed:
                problem = msg("The study file maps a word to one that is not known here.")
                expected = msg("one of: {names}", names=", ".join(allowed))
                issues.append(
                    DataIssue(
                        *("value_mapping", "error", problem, "study.toml"),
                        column=f"roads.values.{name}",
                        found=f"{word} = {meaning}",
                        expected=expected,
                    )
                )
    return issues


@dataclass
class _Reader:
    """Reads columns cell by cell, each different cell once."""

    table: pd.DataFrame
    origin: Origin
    values: Mapping[str, Mapping[str, str]]
    issues: list[DataIssue]

    def read_texts(self, name: str) -> Texts:
        """Return a column as text; "" in every row where the layer does not have it."""
        header = self.origin.headers.get(name)
        if header is None:
            return np.full(len(self.table), "", dtype=object)
        codes, words = pd.factorize(self.table[header].astype(object), use_na_sentinel=False)
        return np.array([_say(word) for word in words], dtype=object)[codes]

    def read_words(self, name: str, more: Mapping[str, str] | None = None) -> Texts:
        """Return the meaning of every cell; "" where it is empty or not known (which is told once per word)."""
        texts = self.read_texts(name)
        column = read_table_schema("roads").column(name)
        own = {normalise_header(word): meaning for word, meaning in self.values.get(name, {}).items()}
        meanings = {**column.words, **(more or {}), **own}
        codes, words = pd.factorize(texts)
        found: list[str] = []
        unknown: list[int] = []
        for number, word in enumerate(words):
            meaning = meanings.get(normalise_header(word), "") if word else ""
            if name == "oneway" and word == "-1":  # headers and words are compared without their signs
                meaning = "reverse"
            if word and not meaning:
                unknown.append(number)
            found.append(meaning)
        counts = np.bincount(codes, minlength=len(words))
        for number in sorted(unknown, key=lambda one: -counts[one])[:MAX_WORDS]:
            self._tell_word(name, str(words[number]), int(counts[number]), int(np.flatnonzero(codes == number)[0]))
        if len(unknown) > MAX_WORDS:
            text = msg("And {count} more findings of this kind.", count=len(unknown) - MAX_WORDS)
            self.issues.append(
                DataIssue("road_words", "warning", text, self.origin.file, column=self.origin.headers[name])
            )
        return np.array(found, dtype=object)[codes]

    def _tell_word(self, name: str, word: str, count: int, first: int) -> None:
        default = {
            "road_class": msg("Until then these lines are taken as roads of unknown class."),
            "oneway": msg("Until then these lines are two-way."),
        }.get(name, msg("Until then the class of the road decides."))
        expected = msg("one of: {names}", names=read_table_schema("roads").column(name).choices)
        self.issues.append(
            DataIssue(
                *("road_words", "warning", msg("A word that is not known here, in {count:,} rows.", count=count)),
                file=self.origin.file,
                sheet=self.origin.sheet,
                row=self.origin.row(first),
                column=self.origin.headers[name],
                found=word,
                expected=expected,
                cure=msg("Say in the study file under roads.values what the word means. {default}", default=default),
            )
        )

    def read_directions(self, road_class: Texts) -> Texts:
        """Return yes, -1 or no for every row; "" where an expressway tells nothing in a column that others fill."""
        if "oneway" not in self.origin.headers:
            return np.full(len(self.table), "no", dtype=object)
        present = {normalise_header(word) for word in set(self.read_texts("oneway")) if word and word != "-1"}
        more: dict[str, str] = {}
        if present <= set(_NAVINFO) and present & {"2", "3"}:
            more = _NAVINFO
        elif present == {"f"} or ("t" in present and not present & {"b", "ft", "tf"}):
            more = {"t": "yes", "f": "no"}
        elif present & {"b", "ft", "tf"}:
            more = _FROM_TO
        words = self.read_words("oneway", more)
        self._tell_many(words)
        motorways = np.isin(road_class, ["motorway", "motorway_link"])
        blank = np.where(motorways, "", "no")
        return np.where(words == "", blank, np.where(words == "reverse", "-1", words)).astype(object)

    def _tell_many(self, words: Texts) -> None:
        """Warn where more lines are one-way than any county has: the column may code something else."""
        share = float((words == "yes").mean() + (words == "reverse").mean()) if len(words) else 0.0
        if len(words) < LEAST_LINES or share <= MOST_ONE_WAY:
            return
        problem = msg("By this column {share:.0%} of all lines are one-way.", share=share)
        cure = msg("If its words mean something else, say so in the study file under roads.values.oneway.")
        found = ", ".join(sorted({word for word in self.read_texts("oneway") if word})[:5])
        header = self.origin.headers["oneway"]
        self.issues.append(
            DataIssue("road_words", "warning", problem, self.origin.file, column=header, found=found, cure=cure)
        )

    def read_speeds(self) -> Texts:
        """Return the limit of every row as a tag (``"50"``, ``"30 mph"``); "" where there is none."""
        texts = self.read_texts("speed_kmh")
        codes, words = pd.factorize(texts)
        found: list[str] = []
        for number, word in enumerate(words):
            try:
                value = parse_number(word)
            except ValueError:
                value = parse_speed(word)
            low, high = 0, 200
            if value is not None and math.isnan(value):
                value = None
                self._tell_speed(word, codes, number, msg("Not a number."))
            elif value is not None and not low <= value <= high:
                self._tell_speed(word, codes, number, msg("The number lies outside what is possible."))
                value = None
            found.append("" if not value else f"{value:.1f}")
        return np.array(found, dtype=object)[codes]

    def _tell_speed(self, word: str, codes: npt.NDArray[np.intp], number: int, problem: Any) -> None:
        self.issues.append(
            DataIssue(
                *("road_speed", "warning", problem, self.origin.file, self.origin.sheet),
                row=self.origin.row(int(np.flatnonzero(codes == number)[0])),
                column=self.origin.headers["speed_kmh"],
                found=word,
                expected=msg("a number ({unit})", unit=msg("km/h")),
                cure=msg("Until then the class of the road decides."),
            )
        )

    def read_levels(self) -> npt.NDArray[np.int64]:
        """Return the level of every row; 0 where none is told."""
        codes, words = pd.factorize(self.read_texts("level"))
        levels = []
        for word in words:
            try:
                value = parse_number(word) or 0.0
            except ValueError:
                value = 0.0
            levels.append(int(np.clip(value, -10, 10)))
        return np.array(levels, dtype=np.int64)[codes]
