"""Tables of people by single year of age: of the county, or of each township.

Two forms are read. Long: a row per age (``age``, ``people``, and ``town`` where there are several). Wide: a row per
township (or one row), a column per age: ``6``, ``6岁``, ``age_6``. Bands (``5-9``) and open ends (``85岁及以上``) are
read too; people of a band are spread evenly over its years (rule P5), single years need no such assumption.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue, MissingColumnError
from geodata.files import RawTable, read_raw_table
from geodata.messages import msg
from geodata.population_table import Band, Values, check_bands_disjoint, compute_stage_pupils, limit_issues
from geodata.schema import convert_column, match_headers, raise_if_errors
from geodata.study import Stage
from geodata.values import is_total, normalise_text

OLDEST = 120
"""Last year of an open band such as ``85+``."""
LAST_OPEN = 80
"""A table whose last single year is at least this old is taken to hold everybody."""

_HEADERS: dict[str, Sequence[str]] = {
    "town": ("town", "乡镇", "所属乡镇", "乡镇街道", "所在乡镇", "镇街", "街道", "township"),
    "age": ("age", "年龄", "岁", "周岁", "年龄（岁）", "age_year"),
    "people": ("people", "人数", "人口", "人口数", "常住人口", "合计", "总人口", "总数", "population", "total"),
}
_FIRST = re.compile(r"(?:不满|未满|不足|<)[1一]周?岁?")
_SINGLE = re.compile(r"(?:age)?(\d{1,3})(?:周?岁)?")
_BAND = re.compile(r"(?:age)?(\d{1,3})(?:周?岁)?[-–—~～至_](\d{1,3})(?:周?岁)?")
_OPEN = re.compile(r"(?:age)?(\d{1,3})(?:周?岁)?(?:\+|及以上|以上|plus|andover)")


@dataclass(frozen=True, eq=False)
class AgeTotals:
    """People by age: ``people[town, band]``. ``towns`` is ``("",)`` for a table of the whole county."""

    towns: tuple[str, ...]
    bands: tuple[Band, ...]
    people: Values
    file: str = ""
    issues: tuple[DataIssue, ...] = ()

    @property
    def of_county(self) -> bool:
        """Whether the table knows the county as a whole only."""
        return self.towns == ("",)

    @property
    def is_whole(self) -> bool:
        """Whether the table holds people of all ages."""
        covered = sum(last - first + 1 for first, last in self.bands)
        last = max((last for _, last in self.bands), default=-1)
        return last >= LAST_OPEN and covered == last + 1

    def sum_stages(self) -> dict[Stage, Values]:
        """Return people of each stage's ages by town; only stages of which every year is known."""
        return compute_stage_pupils({band: self.people[:, at] for at, band in enumerate(self.bands)})


def parse_age(text: str) -> Band | None:
    """Return the first and last year that a label means, or ``None``: ``6岁`` → (6, 6), ``85+`` → (85, 120)."""
    plain = re.sub(r"(?<=\d)\.0+(?!\d)", "", normalise_text(text))  # a number of a spreadsheet: 6.0
    plain = re.sub(r"\s|:|(?<!\d)[.,]", "", plain).replace("age_", "age")
    if _FIRST.fullmatch(plain):
        return 0, 0
    for pattern in (_SINGLE, _BAND, _OPEN):
        match = pattern.fullmatch(plain)
        if match is None:
            continue
        first = int(match[1])
        last = OLDEST if pattern is _OPEN else first if pattern is _SINGLE else int(match[2])
        return (first, last) if first <= last <= OLDEST else None
    return None


def read_age_totals(path: Path) -> AgeTotals:
    """Read a table of people by age; see the module.

    Raises ``DataError`` for a table without ages, cells that are not numbers, ages that overlap, and a township and
    age that stand twice; everything at once. Rows of totals are left out.
    """
    raw = read_raw_table(path)
    columns = match_headers(raw.frame.columns, _HEADERS)
    if "age" in columns:
        return _read_long(raw, columns)
    return _read_wide(raw, columns)


def _read_long(raw: RawTable, columns: Mapping[str, str]) -> AgeTotals:
    if "people" not in columns:
        raise MissingColumnError(_tell_no_ages(raw))
    ages = [parse_age(cell) for cell in raw.frame[columns["age"]]]
    towns = [cell.strip() for cell in raw.frame[columns["town"]]] if "town" in columns else [""] * len(raw.frame)
    totals = [is_total(age) or is_total(town) for age, town in zip(raw.frame[columns["age"]], towns, strict=True)]
    origin = Origin(raw.file, raw.sheet, raw.rows, {"population_people": columns["people"]})
    people, issues = _convert(list(raw.frame[columns["people"]]), origin)
    cells: dict[tuple[str, Band], float] = {}
    for at, band in enumerate(ages):
        if totals[at]:
            continue
        problem = None
        if band is None:
            problem = msg("This is not an age.")
        elif (towns[at], band) in cells:
            problem = msg("This age stands twice.")
        else:
            cells[towns[at], band] = people[at]
        if problem is not None:
            found = raw.frame[columns["age"]].iloc[at]
            row = int(raw.rows[at])
            issues.append(
                DataIssue("age_label", "error", problem, raw.file, raw.sheet, row, columns["age"], found=found)
            )
    return _build(raw, cells, issues)


def _read_wide(raw: RawTable, columns: Mapping[str, str]) -> AgeTotals:
    bands = {header: band for header in raw.frame.columns if (band := parse_age(str(header))) is not None}
    if not bands:
        raise MissingColumnError(_tell_no_ages(raw))
    if "town" in columns:
        towns = [cell.strip() for cell in raw.frame[columns["town"]]]
        towns = [""] if len(towns) == 1 and is_total(towns[0]) else towns
    else:
        named = next((header for header in raw.frame.columns if header not in bands), None)
        labels = [str(cell) for cell in raw.frame[named]] if named is not None else [""] * len(raw.frame)
        towns = ["" if len(raw.frame) == 1 else label.strip() for label in labels]
    issues: list[DataIssue] = []
    cells: dict[tuple[str, Band], float] = {}
    kept = [at for at, town in enumerate(towns) if len(towns) == 1 or not is_total(town)]
    for header, band in bands.items():
        origin = Origin(raw.file, raw.sheet, raw.rows, {"population_people": str(header)})
        people, found = _convert(list(raw.frame[header]), origin)
        issues += found
        for at in kept:
            if (towns[at], band) in cells:
                problem = msg("This township stands twice in the table of totals.")
                row = int(raw.rows[at])
                issues.append(DataIssue("duplicate_id", "error", problem, raw.file, raw.sheet, row, found=towns[at]))
            cells[towns[at], band] = people[at]
    return _build(raw, cells, issues)


def _convert(cells: list[str], origin: Origin) -> tuple[Values, list[DataIssue]]:
    values, issues = convert_column(cells, read_table_schema("units").column("population_people"), origin)
    return pd.Series(values, dtype="float64").to_numpy(), issues


def _build(raw: RawTable, cells: Mapping[tuple[str, Band], float], issues: list[DataIssue]) -> AgeTotals:
    towns = tuple(dict.fromkeys(town for town, _ in cells))
    bands = tuple(sorted({band for _, band in cells}))
    issues = [*issues, *check_bands_disjoint(bands, raw.file)]
    if not cells:
        issues.append(_tell_no_ages(raw))
    people = np.array([[cells.get((town, band), np.nan) for band in bands] for town in towns], dtype=np.float64)
    if len(towns) > 1 and "" in towns:
        problem = msg("Some rows of the table of ages name a township and some do not.")
        issues.append(DataIssue("age_towns", "error", problem, raw.file, raw.sheet))
    missing = int(np.isnan(people).sum())
    if missing:
        problem = msg(
            "{count:,} numbers of people by age are missing; their stages are not calibrated there.", count=missing
        )
        issues.append(DataIssue("age_missing", "warning", problem, raw.file, raw.sheet))
    issues = limit_issues(issues)
    raise_if_errors(issues)
    return AgeTotals(towns, bands, people, raw.file, tuple(issues))


def _tell_no_ages(raw: RawTable) -> DataIssue:
    return DataIssue(
        "required_column",
        "error",
        msg("The table has no people by age."),
        file=raw.file,
        sheet=raw.sheet,
        expected=msg("a column “age” (年龄) and one of people, or a column per age: 0, 1, 2 … (0岁, 1岁 …)"),
    )
