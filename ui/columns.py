"""Which columns a file of each role may hold, which it needs, and which of its headers serve. Nothing is drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from geodata.schema import ColumnSchema, match_headers, read_table_schema
from geodata.school_columns import build_school_columns, guess_kind
from reports.language import Translator

PLANNING_ROLES = ("rolls", "births", "housing", "assets", "groups", "evidence")
"""Optional tables of rows: what forecasts and inspections need."""
GROUND_ROLES = ("exclusions", "open_land")
"""Optional layers: on what ground new schools may, and may not, stand."""
SHAPE_ROLES = ("roads", "zones", "buildings", "barriers")
"""Roles whose places are always shapes: a table of them has none."""
PLACED_ROLES = ("schools", "population", "gazetteer", "units", "sites", "housing", *GROUND_ROLES, *SHAPE_ROLES)
"""Roles whose rows have places on the map."""
TABLE_OF_ROLE = {"population": "units", "gazetteer": "units"} | {
    role: role for role in ("units", "zones", "sites", "roads", "buildings", "barriers", *PLANNING_ROLES, *GROUND_ROLES)
}
POSITION = ("lon_deg", "lat_deg", "x_m", "y_m")
PUPILS = ("kindergarten_pupils", "primary_pupils", "junior_pupils", "senior_pupils")
_STAGED = re.compile(r"(kindergarten|primary|junior|senior)_|.*grade_\d+_")
_GRADED = re.compile(r"(kindergarten_)?grade_\d+_(pupils|classes)")
_YEAR = re.compile(r"(?<!\d)(19|20|21)\d\d(?!\d)")
_AGES = re.compile(r"age_?\d{1,2}_\d{1,2}")


@dataclass(frozen=True)
class Field:
    """One column of ours that a file may hold; ``first`` shown at once, the others on demand."""

    table: str
    name: str
    first: bool = True

    @property
    def schema(self) -> ColumnSchema:
        """Its entry in the data dictionary; wide columns of schools (primary_capacity_places …) have one as well."""
        wide = build_school_columns() if self.table in ("schools", "rolls") else {}
        return wide.get(self.name) or read_table_schema(self.table).column(self.name)


def _fields(table: str, first: Sequence[str], more: Sequence[str] = ()) -> tuple[Field, ...]:
    return (*(Field(table, name) for name in first), *(Field(table, name, first=False) for name in more))


def _list_all(table: str, first: Sequence[str]) -> tuple[Field, ...]:
    """Return every column of a table as a field, those of ``first`` shown at once."""
    names = [column.name for column in read_table_schema(table).columns]
    return _fields(table, first, [name for name in names if name not in first])


FIELDS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "schools": (
            *_fields("schools", ("school_id", "name", "lon_deg", "lat_deg", "kind")),
            *_fields("places", ("stage", "capacity_places", "classes")),
            *_fields("rolls", ("pupils",), ("year", "grade")),
            *_fields("schools", (), ("setting", "town", "ownership", "x_m", "y_m", "boarding_places")),
            *_fields("schools", (), ("group_id", "site_area_m2", "floor_area_m2")),
        ),
        "population": _fields(
            "units",
            ("unit_id", "name", "lon_deg", "lat_deg", "population_people", *PUPILS),
            ("kind", "setting", "town", "x_m", "y_m"),
        ),
        "gazetteer": _fields("units", ("name", "town", "unit_id", "lon_deg", "lat_deg"), ("x_m", "y_m")),
        "units": _fields("units", ("unit_id", "name", "setting", "town"), ("kind",)),
        "roads": _list_all("roads", ("road_class", "name", "oneway", "speed_kmh")),
        "buildings": _list_all("buildings", ("use", "floors", "people_weight")),
        "barriers": _fields("barriers", ("kind", "name")),
        "zones": _fields("zones", ("unit_id", "stage", "school_id")),
        "sites": _fields(
            "sites",
            ("site_id", "name", "lon_deg", "lat_deg", "class_options", "stages", "area_m2", "cost_cny"),
            ("x_m", "y_m"),
        ),
        "exclusions": _fields("exclusions", ("kind", "name", "lon_deg", "lat_deg"), ("x_m", "y_m")),
        "open_land": _fields("open_land", ("land_id", "name", "area_m2")),
        "rolls": _fields("rolls", ("school_id", "year", "stage", "grade", "pupils", "classes")),
        "births": _fields("births", ("year", "town", "unit_id", "births_children")),
        "housing": _fields(
            "housing",
            ("project_id", "name", "lon_deg", "lat_deg", "unit_id", "new_dwellings", "completion_year"),
            ("filling_years", *(f"{stage}_per_dwelling" for stage in PUPILS), "x_m", "y_m"),
        ),
        "assets": _fields(
            "assets",
            ("school_id", "stage", "year", "staff_teachers"),
            [column.name for column in read_table_schema("assets").columns[4:]],
        ),
        "groups": _fields("groups", [column.name for column in read_table_schema("groups").columns]),
        "evidence": _fields("evidence", [column.name for column in read_table_schema("evidence").columns]),
    }
)


@dataclass(frozen=True)
class Need:
    """Something without which a file cannot be used; ``choices`` are sets of columns that each suffice."""

    name: str
    choices: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> frozenset[str]:
        """Every column that can serve it."""
        return frozenset(name for choice in self.choices for name in choice)


SYSTEM_NEED = Need("system", ())
"""The coordinate system of a file that does not say it; asked for beside the columns."""
_PLACE = Need("place", (("lon_deg", "lat_deg"), ("x_m", "y_m")))
_SCHOOL = Need("code", (("school_id",),))
_ROLL = Need("pupils", (("pupils",), *((name,) for name in build_school_columns() if _GRADED.fullmatch(name))))
NEEDS: Mapping[str, tuple[Need, ...]] = MappingProxyType(
    {
        "schools": (Need("school", (("school_id",), ("name",))), _PLACE, Need("stage", (("stage",), ("kind",)))),
        "population": (_PLACE, Need("people", tuple((name,) for name in ("population_people", *PUPILS)))),
        "gazetteer": (Need("place_name", (("name",), ("unit_id",))), _PLACE),
        "units": (_PLACE,),
        "roads": (_PLACE,),
        "buildings": (_PLACE,),
        "barriers": (Need("barrier_kind", (("kind",),)), _PLACE),
        "zones": (
            Need("unit", (("unit_id",),)),
            Need("stage", (("stage",),)),
            Need("school", (("school_id",),)),
        ),
        "sites": (Need("site", (("site_id",),)), _PLACE),
        "exclusions": (Need("exclusion_kind", (("kind",),)), _PLACE),
        "open_land": (_PLACE,),
        "rolls": (_SCHOOL, Need("year", (("year",),)), Need("stage", (("stage",),)), _ROLL),
        "births": (Need("year", (("year",),)), Need("births", (("births_children",),))),
        "housing": (
            Need("project", (("project_id",),)),
            Need("place_or_unit", (*_PLACE.choices, ("unit_id",))),
            Need("dwellings", (("new_dwellings",),)),
            Need("completion", (("completion_year",),)),
        ),
        "assets": (_SCHOOL,),
        "groups": (Need("group", (("group_id",),)), _SCHOOL),
        "evidence": (Need("item", (("item_id",),)),),
    }
)


def name_need(_: Translator, need: Need) -> str:
    """Return what a file needs, in the reader's language."""
    return {
        "school": _("school code or name"),
        "place": _("longitude and latitude"),
        "stage": _("stage"),
        "people": _("people or children"),
        "unit": _("code of the village or estate"),
        "site": _("code of the site"),
        "system": _("coordinate system"),
        "code": _("school code"),
        "year": _("year"),
        "pupils": _("numbers of pupils"),
        "births": _("numbers of births"),
        "project": _("code of the project"),
        "place_or_unit": _("longitude and latitude, or planning unit"),
        "dwellings": _("numbers of dwellings"),
        "completion": _("year of completion"),
        "group": _("code of the group"),
        "item": _("code of the item"),
        "exclusion_kind": _("what it is that keeps schools away"),
        "place_name": _("names of the places"),
        "barrier_kind": _("kind of barrier"),
    }[need.name]


def read_columns(role: str) -> Mapping[str, ColumnSchema]:
    """Return every column of ours that a file of this role may hold, in the order in which the reader matches them."""
    if role == "schools":
        return build_school_columns()
    if role not in TABLE_OF_ROLE:
        return {}
    columns = {column.name: column for column in read_table_schema(TABLE_OF_ROLE[role]).columns}
    if role == "rolls":  # grades may stand side by side
        columns |= {name: column for name, column in build_school_columns().items() if _GRADED.fullmatch(name)}
    return columns


def match_fields(role: str, headers: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return our column → header: what was chosen before, where the file still has it, else by the dictionary.

    An empty choice ("not in this file") stays empty.
    """
    kept = {name: header for name, header in chosen.items() if header == "" or header in headers}
    wanted = {name: column.headers for name, column in read_columns(role).items() if name not in kept}
    free = [header for header in headers if header not in kept.values()]
    return match_headers(free, wanted) | {name: header for name, header in kept.items() if header}


def count_matches(role: str, headers: Sequence[str]) -> float:
    """Return how well a sheet or layer fits a role: the columns that it serves, those that are needed counting more."""
    if role not in NEEDS:
        return 0
    found = match_fields(role, [str(header) for header in headers], {})
    return len(found) + 10 * sum(any(set(choice) <= set(found) for choice in need.choices) for need in NEEDS[role])


def list_unmet(
    role: str,
    found: Mapping[str, str],
    *,
    has_shapes: bool = False,
    default_stage: str = "",
    default_kind: str = "",
    parts: Sequence[str] = (),
    headers: Sequence[str] = (),
    by_name: bool = False,
) -> list[Need]:
    """Return what a file still needs.

    Parameters
    ----------
    role : what the file is for
    found : our column → header
    has_shapes : its rows have places of their own
    default_stage : stage of all schools, where it was chosen
    default_kind : what a whole layer of exclusions or barriers is, where it was chosen
    parts : sheets that are read: one named after a stage or year tells it
    headers : all headers of the file
    by_name : places are looked up by name in a file of their own
    """
    unmet = []
    for need in NEEDS[role]:
        met = any(set(choice) <= set(found) for choice in need.choices)
        if need.name in ("place", "place_or_unit"):
            met = met or has_shapes or (by_name and ("name" in found or "unit_id" in found))
        elif role == "zones" and need.name in ("unit", "stage"):
            met = met or has_shapes  # an area says which units; its school says the stage, where it teaches one
        elif need.name == "stage" and role == "schools":
            told = "name" in found or any(_STAGED.match(name) for name in found)
            met = met or told or bool(default_stage) or any(guess_kind(part) for part in parts)
        elif need.name in ("exclusion_kind", "barrier_kind"):
            met = met or bool(default_kind)
        elif need.name == "year":
            met = met or any(_YEAR.search(part) for part in parts)
        elif need.name == "people":
            met = met or any(_AGES.fullmatch(header) for header in headers)
        if not met:
            unmet.append(need)
    return unmet
