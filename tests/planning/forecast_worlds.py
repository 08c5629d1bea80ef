"""Small counties with rolls and births of several years, for the tests of the forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import pandas as pd

from geodata.study import StudyArea, compute_digest
from tests.worlds import WorldSchool, WorldUnit, build_world

Grades = Mapping[int, float]


def build_rolls(held: Mapping[tuple[str, int, str], Grades]) -> pd.DataFrame:
    """Return rolls from ``{(school, year, stage): {grade: pupils}}``."""
    rows = [
        (school, year, stage, grade, float(pupils), float("nan"))
        for (school, year, stage), grades in held.items()
        for grade, pupils in grades.items()
    ]
    table = pd.DataFrame(rows, columns=["school_id", "year", "stage", "grade", "pupils", "classes"])
    return table.astype({"school_id": "str", "stage": "str", "year": "int64", "grade": "int64"})


def build_births(rows: Sequence[tuple[int, str, str, float]]) -> pd.DataFrame:
    """Return births from (year, town, unit, children)."""
    table = pd.DataFrame(rows, columns=["year", "town", "unit_id", "births_children"])
    return table.astype({"town": "str", "unit_id": "str", "births_children": "float64"})


def build_line(
    held: Mapping[tuple[str, int, str], Grades],
    *,
    births: Sequence[tuple[int, str, str, float]] = (),
    kinds: Mapping[str, str] | None = None,
    children: Mapping[str, Mapping[str, float]] | None = None,
    zones: Sequence[tuple[str, str, str]] = (),
) -> StudyArea:
    """Return four villages on a line with schools P and J (west town) and Q and K (east town).

    ::

        a/P  b/J  c/K  d/Q      P, Q: primary; J, K: junior; a, b in Westtown, c, d in Easttown
    """
    study = _build_world(tuple(sorted((kinds or {}).items())))
    units = study.units.assign(
        **{
            f"{stage}_pupils": [float(found.get(key, 0.0)) for key in study.units["unit_id"]]
            for stage, found in (children or {}).items()
        }
    )
    print_of = compute_digest(repr(sorted(held.items())), repr(births), repr(children), repr(zones), repr(kinds))
    return replace(
        study,
        rolls=build_rolls(held),
        births=build_births(births),
        units=units,
        zones=pd.DataFrame(list(zones), columns=["unit_id", "stage", "school_id"], dtype="str"),
        fingerprint=print_of,
    )


@cache
def _build_world(kinds: tuple[tuple[str, str], ...]) -> StudyArea:
    known = dict(kinds)
    schools = {
        key: WorldSchool(kind=known.get(key, "primary"), stages=("primary",), places=400, town=town)
        for key, town in (("P", "Westtown"), ("Q", "Easttown"))
    } | {
        key: WorldSchool(kind="junior", stages=("junior",), places=200, town=town)
        for key, town in (("J", "Westtown"), ("K", "Easttown"))
    }
    return build_world(
        "a/P b/J c/K d/Q",
        pupils={"primary": {}},
        schools=schools,
        units={key: WorldUnit(town="Westtown" if key in "ab" else "Easttown") for key in "abcd"},
        rolls=build_rolls({}),
    )


def even(first: int, last: int, pupils: float) -> dict[int, float]:
    """Return the same number of pupils in every grade from ``first`` to ``last``."""
    return dict.fromkeys(range(first, last + 1), pupils)
