"""The full answer to a closure as tables in the reader's words: receivers, communities, grades, what becomes free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_setting_short

if TYPE_CHECKING:
    from planning.closures import ClosureAnswer


def name_what(what: str, _: Translator) -> str:
    """Return what happens to a school."""
    names = {
        "closed": _("Closed"),
        "merged": _("Merged"),
        "campus": _("Becomes a campus"),
        "teaching_point": _("Becomes a teaching point"),
        "stages": _("Drops a stage"),
        "places": _("Places change"),
        "opened": _("Opened"),
    }
    return names.get(what, what)


def build_receiver_table(answer: ClosureAnswer, _: Translator) -> pd.DataFrame:
    """Return the receiving schools by id: pupils, places, use and class sizes, and the ways of those added."""
    rows = answer.receivers
    table = pd.DataFrame(index=rows["school_id"].astype(str))
    table[_("School")] = rows["name"].astype(str).to_numpy()
    table[_("Takes in")] = _round(rows, "pupils_added")
    table[_("Pupils before")] = _round(rows, "pupils_before")
    table[_("Pupils after")] = _round(rows, "pupils_after")
    table[_("Roll after")] = _round(rows, "roll_after")
    table[_("Places")] = _round(rows, "places")
    table[_("Use before (%)")] = _round(rows, "fill_before", scale=100)
    table[_("Use after (%)")] = _round(rows, "fill_after", scale=100)
    table[_("Class before")] = _round(rows, "class_pupils_before", digits=1)
    table[_("Class after")] = _round(rows, "class_pupils_after", digits=1)
    table[_("Mean way (min)")] = _round(rows, "mean_min", digits=1)
    table[_("Longest way (min)")] = _round(rows, "max_min", digits=1)
    table[_("Beds needed")] = _round(rows, "beds_needed")
    table[_("Beds there")] = _round(rows, "beds")
    return _drop_unknown(table, (_("Roll after"), _("Beds needed"), _("Beds there")))


def build_community_table(answer: ClosureAnswer, _: Translator) -> pd.DataFrame:
    """Return the communities by unit id: who goes where, minutes before and after, who must ride or board."""
    rows = answer.communities
    table = pd.DataFrame(index=rows["unit_id"].astype(str))
    table[_("Community")] = [
        str(name) or str(key) for name, key in zip(rows["name"].fillna(""), rows["unit_id"], strict=True)
    ]
    table[_("Township")] = rows["town"].fillna("").astype(str).to_numpy()
    table[_("Setting")] = [name_setting_short(str(setting), _) for setting in rows["setting"].fillna("")]
    table[_("Pupils")] = _round(rows, "pupils")
    table[_("Goes to")] = rows["receivers"].fillna("").astype(str).to_numpy()
    table[_("Way before (min)")] = _round(rows, "min_before", digits=1)
    table[_("Way after (min)")] = _round(rows, "min_after", digits=1)
    table[_("Way before (km)")] = _round(rows, "m_before", scale=0.001, digits=1)
    table[_("Way after (km)")] = _round(rows, "m_after", scale=0.001, digits=1)
    table[_("Beyond the limit")] = [_say_yes(value, _) for value in rows["beyond_limit"]]
    table[_("Must ride")] = _round(rows, "must_ride_pupils")
    table[_("Ride or board")] = _round(rows, "ride_or_board_pupils")
    table[_("No way")] = _round(rows, "no_way_pupils")
    table[_("Bus")] = [_say_yes(value, _) for value in rows["served_by_bus"]]
    return table


def build_grade_table(answer: ClosureAnswer, _: Translator) -> pd.DataFrame:
    """Return the grades: pupils, minutes before and after, who is beyond the limit, who must ride, who may board."""
    rows = answer.grades
    table = pd.DataFrame(index=range(len(rows)))
    table[_("Grade")] = [_say_grade(grade, _) for grade in rows["grade"]]
    table[_("Pupils")] = _round(rows, "pupils")
    table[_("Mean way before (min)")] = _round(rows, "min_before", digits=1)
    table[_("Mean way after (min)")] = _round(rows, "min_after", digits=1)
    table[_("Longest way (min)")] = _round(rows, "max_after", digits=1)
    table[_("Beyond the limit")] = _round(rows, "beyond_pupils")
    table[_("May board")] = [_("yes") if value else _("no, must not") for value in rows["may_board"]]
    table[_("Must ride")] = _round(rows, "must_ride_pupils")
    table[_("May board or ride")] = _round(rows, "may_board_or_ride_pupils")
    return table


def list_facts(answer: ClosureAnswer, _: Translator) -> list[tuple[str, str]]:
    """Return the figures of the whole closure as (caption, value); what is unknown is a dash."""
    return [
        (_("Pupils (model)"), _.number(answer.pupils)),
        (_("On the roll"), _.number(answer.roll_pupils)),
        (_("Bus seats needed"), _.number(answer.bus_seats_needed)),
        (_("Bus seats planned"), _.number(answer.bus_seats)),
        (_("Beds needed"), _.number(answer.beds_needed)),
        (_("Beds free"), _.number(answer.beds_free)),
    ]


def list_assets(answer: ClosureAnswer, _: Translator) -> list[tuple[str, str]]:
    """Return what becomes free as (caption, value with its unit); what is unknown is a dash."""
    area = {name: _say_area(answer.assets.get(name, math.nan), _) for name in ("site_area_m2", "floor_area_m2")}
    count = {name: _.number(answer.assets.get(name, math.nan)) for name in ("places", "classes", "boarding_places")}
    return [
        (_("Land"), area["site_area_m2"]),
        (_("Buildings"), area["floor_area_m2"]),
        (_("Places"), count["places"]),
        (_("Classes"), count["classes"]),
        (_("Boarding places"), count["boarding_places"]),
    ]


def build_answer_rows(answers: tuple[ClosureAnswer, ...], part: str) -> pd.DataFrame:
    """Return one part (``"receivers"``, ``"communities"`` or ``"grades"``) of several answers for a file.

    Every row says in front which action, school and stage it belongs to; columns carry their plain names.
    """
    tables = []
    for answer in answers:
        rows: pd.DataFrame = getattr(answer, part)
        head: dict[str, Any] = {
            "number": answer.number,
            "what": answer.what,
            "closed_school_id": answer.school_id,
            "closed_school_name": answer.name,
            "stage": answer.stage,
        }
        tables.append(
            pd.DataFrame({name: [value] * len(rows) for name, value in head.items()}).join(rows.reset_index(drop=True))
        )
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else (tables[0] if tables else pd.DataFrame())


def _round(rows: pd.DataFrame, column: str, *, scale: float = 1.0, digits: int = 0) -> Any:
    if column not in rows:
        return np.full(len(rows), np.nan)
    return np.round(rows[column].to_numpy(dtype=np.float64, na_value=np.nan) * scale, digits)


def _drop_unknown(table: pd.DataFrame, titles: tuple[str, ...]) -> pd.DataFrame:
    """Return the table without those of ``titles`` of which nothing is known."""
    return table.drop(columns=[title for title in titles if table[title].isna().all()])


def _say_yes(value: object, _: Translator) -> str:
    return _("yes") if value is True or value == np.True_ else ""


def _say_grade(grade: object, _: Translator) -> str:
    number = int(float(str(grade)))
    return _("grade {grade}", grade=number) if number > 0 else _("all grades")


def _say_area(value: float, _: Translator) -> str:
    return MISSING_NUMBER if not math.isfinite(value) else _("{value} m²", value=_.number(value))
