"""Which header of the file holds what: one choice per column of ours, filled in from the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import streamlit as st

from geodata.schema import ColumnSchema, match_headers, read_table_schema
from geodata.school_columns import build_school_columns
from reports.language import Translator
from ui.text import clean, plain

TABLE_OF_ROLE = {"population": "units", "zones": "zones", "sites": "sites"}
POSITION = ("lon_deg", "lat_deg", "x_m", "y_m")
ACROSS = 4


@dataclass(frozen=True)
class Field:
    """One column of ours that a file may hold; ``needed`` without it nothing works, ``first`` shown at once."""

    table: str
    name: str
    needed: bool = False
    first: bool = True

    @property
    def schema(self) -> ColumnSchema:
        """Its entry in the data dictionary; wide columns of schools (primary_capacity_places …) have one as well."""
        wide = build_school_columns() if self.table == "schools" else {}
        return wide.get(self.name) or read_table_schema(self.table).column(self.name)


def _fields(table: str, needed: Sequence[str], first: Sequence[str], more: Sequence[str]) -> tuple[Field, ...]:
    return (
        *(Field(table, name, needed=True) for name in needed),
        *(Field(table, name) for name in first),
        *(Field(table, name, first=False) for name in more),
    )


FIELDS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "schools": (
            *_fields("schools", ("school_id", "lon_deg", "lat_deg"), ("name", "kind"), ()),
            *_fields("places", (), ("stage", "capacity_places", "classes"), ()),
            *_fields("rolls", (), ("pupils",), ("year", "grade")),
            *_fields("schools", (), (), ("setting", "town", "ownership", "x_m", "y_m", "boarding_places")),
            *_fields("schools", (), (), ("group_id", "site_area_m2", "floor_area_m2")),
        ),
        "population": (
            *_fields("units", ("unit_id", "lon_deg", "lat_deg"), ("name", "population_people"), ()),
            *_fields("units", (), ("kindergarten_pupils", "primary_pupils", "junior_pupils", "senior_pupils"), ()),
            *_fields("units", (), (), ("kind", "setting", "town", "x_m", "y_m")),
        ),
        "zones": _fields("zones", ("unit_id", "stage", "school_id"), (), ()),
        "sites": _fields(
            "sites",
            ("site_id", "lon_deg", "lat_deg"),
            ("name", "class_options", "stages", "area_m2", "cost_cny"),
            ("x_m", "y_m"),
        ),
    }
)


def read_columns(role: str) -> Mapping[str, ColumnSchema]:
    """Return every column of ours that a file of this role may hold, in the order in which the reader matches them."""
    if role == "schools":
        return build_school_columns()
    return {column.name: column for column in read_table_schema(TABLE_OF_ROLE[role]).columns}


def match_fields(role: str, headers: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return our column → header: what was chosen before, where the file still has it, else by the dictionary.

    An empty choice ("not in this file") stays empty.
    """
    kept = {name: header for name, header in chosen.items() if header == "" or header in headers}
    wanted = {name: column.headers for name, column in read_columns(role).items() if name not in kept}
    free = [header for header in headers if header not in kept.values()]
    return match_headers(free, wanted) | {name: header for name, header in kept.items() if header}


def list_missing(role: str, found: Mapping[str, str], *, has_shapes: bool) -> list[Field]:
    """Return the needed columns that no header serves; a file with shapes or metric coordinates needs no degrees."""
    placed = has_shapes or {"x_m", "y_m"} <= set(found)
    return [
        field
        for field in FIELDS[role]
        if field.needed and field.name not in found and not (placed and field.name in POSITION)
    ]


def render_mapping(
    _: Translator, role: str, mark: str, headers: Sequence[str], chosen: Mapping[str, str], *, has_shapes: bool
) -> dict[str, str]:
    """Draw one choice per column and return all choices, ``""`` where the file does not have it.

    ``mark`` names the upload: a new file gets fresh widgets, filled from ``chosen``.
    """
    found = match_fields(role, headers, chosen)
    shown = [field for field in FIELDS[role] if not (has_shapes and field.name in POSITION)]
    result: dict[str, str] = {}
    _render_grid(_, role, mark, headers, found, [field for field in shown if field.first], result)
    named = {field.name for field in FIELDS[role]}
    wide = [name for name in found if name not in named and name not in POSITION]
    rest = [field for field in shown if not field.first] + [Field(role, name, first=False) for name in wide]
    if rest:
        with st.expander(_("More columns ({count})", count=len(rest))):
            _render_grid(_, role, mark, headers, found, rest, result)
    return result


def _render_grid(
    _: Translator,
    role: str,
    mark: str,
    headers: Sequence[str],
    found: Mapping[str, str],
    fields: Sequence[Field],
    result: dict[str, str],
) -> None:
    options = ["", *headers]
    for start in range(0, len(fields), ACROSS):
        for column, field in zip(st.columns(ACROSS), fields[start : start + ACROSS], strict=False):
            schema = field.schema
            meaning = schema.meaning_zh if _.language == "zh" else schema.meaning_en
            short = _shorten(meaning)
            if field.name not in {known.name for known in FIELDS[role]}:
                short = f"{short} ({field.name.removesuffix('_' + schema.unit)})"
            result[field.name] = column.selectbox(
                plain(short) + (" :red[\\*]" if field.needed else ""),
                options,
                index=options.index(found.get(field.name, "")),
                format_func=lambda header: clean(header) or _("– not in this file –"),
                key=f"map_{role}_{field.name}_{mark}",
                help=plain(_("{meaning}. Known headers: {names}", meaning=meaning, names=_.join(schema.aliases[:8]))),
            )


def _shorten(meaning: str) -> str:
    """Return the first words of a meaning: up to a semicolon, comma or bracket."""
    return re.split(r"[;；（(,，]", meaning, maxsplit=1)[0].strip()
