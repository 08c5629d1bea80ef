"""What the tests of the balance inspection share: small counties with a table of assets, and the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from geodata.schema import build_empty_table
from geodata.study import StudyArea
from planning.balance_assets import ASSET_COLUMNS
from planning.rules import Rules, read_rulebook
from tests.worlds import WorldSchool, build_world

CN: Rules = read_rulebook("cn")
PER_100 = {"above_degree_teachers": 6.0, "backbone_teachers": 1.5, "pe_art_teachers": 1.0, "multimedia_rooms": 3.0}
PER_PUPIL = {
    "teaching_area_m2": 6.5,
    "indoor_sports_m2": 0.5,
    "outdoor_sports_m2": 10.5,
    "equipment_cny": 3000.0,
    "library_books": 25.0,
}
"""A school with these meets every limit of both stages: R4 6.0 m², R5 11.0 m²."""


def make_assets(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table of assets; every row names ``school_id``, the rest is unknown unless given."""
    table = pd.DataFrame(list(rows)).reindex(columns=["school_id", "stage", "year", *ASSET_COLUMNS])
    table["stage"] = table["stage"].astype(object).fillna("").astype(str)
    table["year"] = table["year"].fillna(2025).astype(int)
    return table.astype({"school_id": str, "stage": str, **dict.fromkeys(ASSET_COLUMNS, float)})


def make_good_row(school_id: str, pupils: float, stage: str = "", **changes: Any) -> dict[str, Any]:
    """Return the row of a school of so many pupils that meets every limit, with changes."""
    numbers = {name: value * pupils / 100 for name, value in PER_100.items()}
    numbers |= {name: value * pupils for name, value in PER_PUPIL.items()}
    numbers |= {"staff_teachers": pupils / 15, "mid_title_teachers": pupils / 30, "pupil_computers": pupils / 10}
    return {"school_id": school_id, "stage": stage, **numbers, **changes}


def put_tables(study: StudyArea, **tables: Any) -> StudyArea:
    """Return the study with these tables."""
    return replace(study, **tables, fingerprint=study.fingerprint + repr(sorted(tables)))


def make_table(name: str, *rows: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table of the data dictionary with these rows; what is not given is blank."""
    empty = build_empty_table(name)
    table = pd.DataFrame(list(rows)).reindex(columns=list(empty.columns))
    for column, dtype in empty.dtypes.items():
        if dtype.kind == "O" or str(dtype) == "str":
            table[column] = table[column].astype(object).fillna("").astype(str)
    return table


def build_two_schools(*rows: Mapping[str, Any], **schools: WorldSchool) -> StudyArea:
    """Two primary schools 2 km apart: W with 200 pupils, E with 100, both meet everything unless rows say otherwise.

    ::

        a/W   b   c/E       children a 150, b 60, c 90; nearest: b -> E (tie, first id)
    """
    known = {
        "W": WorldSchool(places=400, classes=5, roll=200, name="West", setting="urban", town="Town"),
        "E": WorldSchool(places=300, classes=3, roll=100, name="East", setting="rural", town="Country"),
        **schools,
    }
    study = build_world("a/W b c/E", pupils={"a": 150, "b": 60, "c": 90}, schools=known)
    return put_tables(study, assets=make_assets(*(rows or (make_good_row("W", 200), make_good_row("E", 100)))))
