"""The data dictionary itself: what ``geodata/tables/*.csv`` says, as values, and its page in the documentation."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.messages import Message, msg
from geodata.values import format_number, normalise_header

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TABLES: tuple[str, ...] = (
    *("schools", "places", "rolls", "units", "sites", "zones", "barriers", "addresses", "roads"),
    *("exclusions", "open_land", "buildings"),
    *("births", "housing", "assets", "groups", "evidence"),
)
GEOMETRY_TABLES = frozenset(["schools", "units", "sites", "barriers", "exclusions", "open_land", "buildings"])
SHEET_NAMES: dict[str, str] = {
    "schools": "学校 schools",
    "rolls": "历年在校生 rolls",
    "births": "出生人口 births",
    "housing": "住宅项目 housing",
    "assets": "办学条件 assets",
    "groups": "集团联盟 groups",
    "evidence": "佐证材料 evidence",
}
"""Sheets of the workbook that planners fill in, by table: a sheet of such a name is read as that table."""
UNIT_NAMES: dict[str, Message] = {
    "pupils": msg("pupils"),
    "places": msg("places"),
    "classes": msg("classes"),
    "teachers": msg("teachers"),
    "children": msg("children"),
    "people": msg("people"),
    "dwellings": msg("dwellings"),
    "rooms": msg("rooms"),
    "floors": msg("floors"),
    "books": msg("books"),
    "computers": msg("computers"),
    "year": msg("year"),
    "years": msg("years"),
    "grade": msg("grade"),
    "deg": msg("degrees"),
    "m2": msg("m²"),
    "kmh": msg("km/h"),
    "cny": msg("yuan"),
    "weight": msg("weight"),
    "pupils_per_dwelling": msg("pupils per dwelling"),
}
"""Units in words; others stand as they are."""
NUMERIC_TYPES = frozenset(["number", "integer"])


@dataclass(frozen=True)
class ColumnSchema:
    """One column. ``unit`` is its suffix too. ``stored`` is false for what only a file holds (longitude, latitude)."""

    name: str
    type: str
    unit: str
    min: float | None
    max: float | None
    required: bool
    key: bool
    stored: bool
    meaning_en: str
    meaning_zh: str
    aliases: tuple[str, ...]
    values: tuple[str, ...]
    value_aliases: tuple[tuple[str, str], ...]

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.type in NUMERIC_TYPES

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header that is taken for this column, the own name first."""
        return (self.name, *self.aliases)

    @cached_property
    def words(self) -> dict[str, str]:
        """What a normalised cell text means: own values and their aliases."""
        pairs = [(value, value) for value in self.values] + list(self.value_aliases)
        return {normalise_header(word): value for word, value in pairs}

    @cached_property
    def choices(self) -> str:
        """The allowed words, each with its first other word: ``primary (小学), junior (初中)``."""
        first: dict[str, str] = {}
        for word, value in self.value_aliases:
            first.setdefault(value, word)
        return ", ".join(f"{value} ({first[value]})" if value in first else value for value in self.values)


@dataclass(frozen=True)
class TableSchema:
    """One table of the data dictionary."""

    name: str
    columns: tuple[ColumnSchema, ...]

    def column(self, name: str) -> ColumnSchema:
        """Return a column by name; ``KeyError`` where there is none."""
        return {column.name: column for column in self.columns}[name]

    @property
    def stored(self) -> tuple[ColumnSchema, ...]:
        """The columns that the checked table has."""
        return tuple(column for column in self.columns if column.stored)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that together must be unique."""
        return tuple(column.name for column in self.columns if column.key)


@dataclass(frozen=True)
class Origin:
    """Where a table came from, so that an issue can name the very cell.

    ``rows`` are the spreadsheet's row numbers, one per table row; ``headers`` give the file's header of our column.
    """

    file: str = ""
    sheet: str = ""
    rows: Sequence[int] | npt.NDArray[np.int64] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def row(self, position: int) -> int | None:
        """Return the row number shown by the spreadsheet for the row at ``position``."""
        return None if self.rows is None else int(self.rows[position])


@cache
def read_table_schema(name: str) -> TableSchema:
    """Return the schema of table ``name`` (one of :data:`TABLES`); ``KeyError`` for another name."""
    if name not in TABLES:
        raise KeyError(f"no table {name!r} in the data dictionary; tables: {', '.join(TABLES)}")
    path = Path(__file__).parent / "tables" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return TableSchema(name, tuple(_build_column(row) for row in csv.DictReader(file)))


def _build_column(row: Mapping[str, str]) -> ColumnSchema:
    def split(text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split(";") if part.strip())

    def bound(text: str) -> float | None:
        return float(text) if text else None

    pairs = tuple(tuple(part.split("=", 1)) for part in split(row["value_aliases"]))
    return ColumnSchema(
        name=row["column"],
        type=row["type"],
        unit=row["unit"],
        min=bound(row["min"]),
        max=bound(row["max"]),
        required=row["required"] == "yes",
        key=row["key"] == "yes",
        stored=row["stored"] == "yes",
        meaning_en=row["meaning_en"],
        meaning_zh=row["meaning_zh"],
        aliases=split(row["aliases"]),
        values=split(row["values"]),
        value_aliases=tuple((word, value) for word, value in pairs),
    )


_PAGE_HEAD = """# Data dictionary

This page is generated from `geodata/tables/*.csv`; do not edit it by hand (`python -m geodata.dictionary` writes it).

A header in your file is understood when it is the column's name or one of the aliases; case, blanks, width and a unit
in brackets do not matter (`学位数（个）` is `学位数`). An empty cell means *not known*, never 0. Ids are text: leading
zeros are part of them. "file only" marks what a file may hold and the checked table does not keep.
"""

_TITLES = {
    "schools": "Schools 学校",
    "places": "Places 学位 (one row per school and stage)",
    "rolls": "Rolls 在校生 (one row per school, year, stage and grade)",
    "units": "Planning units 规划单元",
    "sites": "Candidate sites 备选用地",
    "zones": "Zones 学区 (current catchments)",
    "barriers": "Barriers 阻隔线 (lines that children should not cross)",
    "addresses": "Addresses 门牌 (house numbers, for boundaries in words)",
    "roads": "Roads 道路 (a layer of lines)",
    "exclusions": "Exclusions 避让对象 (lines, zones and places that keep a school away)",
    "buildings": "Buildings 建筑 (footprints into which people are put)",
    "open_land": "Open land 可建设用地 (land that may be built on)",
    "births": "Births 出生人口 (one row per calendar year and place)",
    "housing": "Housing 住宅项目 (new dwellings by year of completion)",
    "assets": "Assets 办学条件 (teachers, rooms, equipment by school, stage and year)",
    "groups": "Groups 教育集团与联盟 (which schools belong together)",
    "evidence": "Evidence 佐证材料 (items of an inspection that no table can answer)",
}


def render_data_dictionary() -> str:
    """Return ``docs/data-dictionary.md``: every table, column, unit, range, meaning and accepted header."""
    parts = [_PAGE_HEAD]
    for name in TABLES:
        schema = read_table_schema(name)
        parts.append(f"\n## {_TITLES[name]}\n")
        parts.append(f"Key: {', '.join(f'`{key}`' for key in schema.key)}.\n")
        parts.append("| column | type | unit | range | needed | meaning | 含义 | accepted headers | words |")
        parts.append("|---|---|---|---|---|---|---|---|---|")
        parts += [_render_column(column) for column in schema.columns]
    return "\n".join(parts) + "\n"


def _render_column(column: ColumnSchema) -> str:
    bounds = ["" if value is None else format_number(value) for value in (column.min, column.max)]
    words = [f"{value}" for value in column.values] + [f"{word} = {value}" for word, value in column.value_aliases]
    cells = [
        f"`{column.name}`",
        column.type,
        column.unit,
        " to ".join(bounds) if any(bounds) else "",
        "file only" if not column.stored else "yes" if column.required else "",
        column.meaning_en,
        column.meaning_zh,
        ", ".join(column.aliases),
        ", ".join(words),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    target = Path(__file__).resolve().parent.parent / "docs" / "data-dictionary.md"
    target.write_text(render_data_dictionary(), encoding="utf-8")
