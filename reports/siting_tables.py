"""Proposals as tables with headings in the reader's language, and as the sheets of one workbook."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planning.flag_case import iterate_rows
from reports.compare_files import render_workbook
from reports.forecast_words import say_school_year
from reports.language import Translator
from reports.siting_words import (
    MONEY_UNITS,
    find_mean_min,
    list_receivers,
    name_decision,
    name_part,
    name_plan,
    round_up,
    say_changes,
    say_decision,
    say_plan,
    say_role,
)
from reports.tables import neutralise_formulas

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.siting_answer import SitingAnswer, SitingPlan

PER_CENT = 100.0
DIGITS = 6
"""Decimals of numbers in files: fewer than the solver's rounding errors show."""
Files = dict[str, tuple[str, Callable[[], pd.DataFrame]]]


def collect_site_names(study: StudyArea, answer: SitingAnswer) -> dict[str, str]:
    """Return the name of every school and site by id, also of those that only the answer knows."""
    names = {
        str(key): str(name)
        for table, column in ((study.sites, "site_id"), (study.schools, "school_id"))
        for key, name in zip(table[column], table["name"].fillna(""), strict=True)
    }
    for plan in answer.plans:
        for table in (plan.schools, plan.decisions):
            names |= {str(row.facility_id): str(row.name) for row in iterate_rows(table) if str(row.name)}
    return {key: name for key, name in names.items() if name}


def build_plan_table(answer: SitingAnswer, _: Translator) -> pd.DataFrame:
    """Return one row per plan by its id: what it does, cost, ways, proof."""
    front = answer.front
    plans = {plan.plan_id: plan for plan in answer.plans}
    ids = [str(key) for key in front["plan"]]
    building = [float(plans[key].periods["building_cny"].sum(min_count=1)) for key in ids]
    table = pd.DataFrame(index=pd.Index(ids))
    table[_("Proposed plan")] = [name_plan(key, _) for key in ids]
    table[_("What it is")] = [say_role(plans[key], _) for key in ids]
    table[_("Changes")] = [say_changes(plans[key], _) for key in ids]
    table[_("Mean way (min)")] = _round(front, "mean_travel_min", digits=1)
    table[_("Cost a year (million yuan)")] = _round_money(front["cost_cny"], _)
    table[_("To build (million yuan)")] = _round_money(building, _)
    table[_("Pupils moved")] = _round(front, "moved_pupils")
    table[_("Without a place")] = _round(front, "unplaced_pupils")
    gaps = front["gap_share"].to_numpy(dtype=np.float64)
    table[_("From the best, at most (%)")] = [
        round_up(gap) * PER_CENT if math.isfinite(gap) else math.nan for gap in gaps
    ]
    table[_("Beaten by another plan")] = [_("yes") if value else "" for value in front["dominated"]]
    return table


def build_decision_table(plan: SitingPlan, names: Mapping[str, str], _: Translator) -> pd.DataFrame:
    """Return one row per decision by the id of its school or site, earliest first."""
    rows = plan.decisions.reset_index(drop=True)
    if len(rows):
        rows = rows.sort_values(["year", "decision"], kind="stable", na_position="first")
    table = pd.DataFrame(index=pd.Index(rows["facility_id"].astype(str)))
    table[_("School year")] = [_say_year(value, _) for value in rows["year"]]
    table[_("School or site")] = [_name(row, names) for row in iterate_rows(rows)]
    table[_("Decision")] = [name_decision(str(value), _) for value in rows["decision"]]
    table[_("Pupils go to")] = [list_receivers(value, names, _) for value in rows["into"]]
    table[_("Why")] = [_.say(value) if value is not None and str(value) else "" for value in rows["reason"]]
    for word, before, after in (
        ("classes", _("Classes before"), _("Classes after")),
        ("places", _("Places before"), _("Places after")),
        ("pupils", _("Pupils without it"), _("Pupils with it")),
    ):
        table[before] = _round(rows, f"{word}_before")
        table[after] = _round(rows, f"{word}_after")
    table[_("Pupils moved")] = _round(rows, "moved_pupils")
    table[_("Cost (million yuan)")] = _round_money(rows["cost_cny"], _)
    return table


def build_period_table(answer: SitingAnswer, plan: SitingPlan | None, _: Translator) -> pd.DataFrame:
    """Return one row per year: first today's schools in that year, then the plan's."""
    sides = [(_("Today's schools"), answer.before), (_("Today's schools, other zones"), answer.kept)]
    if plan is not None:
        sides.append((name_plan(plan.plan_id, _), plan.periods))
    parts = [_build_periods(name, rows, _) for name, rows in sides if len(rows)]
    table = pd.concat(parts, ignore_index=True) if parts else _build_periods("", answer.before, _)
    return table.sort_values(_("School year"), kind="stable").reset_index(drop=True)


def _build_periods(name: str, rows: pd.DataFrame, _: Translator) -> pd.DataFrame:
    table = pd.DataFrame(index=range(len(rows)))
    table[_("School year")] = [_say_year(value, _) for value in rows["year"]]
    table[_("Schools of")] = name
    table[_("Pupils")] = _round(rows, "pupils")
    table[_("Places")] = _round(rows, "places")
    table[_("Schools")] = _round(rows, "schools")
    table[_("Mean way (min)")] = _round(rows, "mean_travel_min", digits=1)
    table[_("Longest way (min)")] = _round(rows, "max_travel_min", digits=1)
    table[_("Beyond the limit of their grade")] = _round(rows, "beyond_limit_pupils")
    table[_("Without a place")] = _round(rows, "unplaced_pupils")
    table[_("Empty places")] = _round(rows, "empty_places")
    table[_("Pupils moved")] = _round(rows, "moved_pupils")
    table[_("To build (million yuan)")] = _round_money(rows["building_cny"], _)
    table[_("To run, a year (million yuan)")] = _round_money(rows["running_cny"], _)
    return table


def build_school_table(plan: SitingPlan, year: int | None, names: Mapping[str, str], _: Translator) -> pd.DataFrame:
    """Return the schools open in one year of the plan by id (None: the last), those with a decision first."""
    rows = plan.schools
    known = sorted({int(value) for value in rows["year"]})
    wanted = year if year in known else (known[-1] if known else 0)
    rows = rows[rows["year"] == wanted].reset_index(drop=True)
    decided = dict(zip(plan.decisions["facility_id"].astype(str), plan.decisions["decision"].astype(str), strict=True))
    order = [str(key) not in decided for key in rows["facility_id"]]
    rows = rows.iloc[np.argsort(order, kind="stable")] if len(rows) else rows
    table = pd.DataFrame(index=pd.Index(rows["facility_id"].astype(str)))
    table[_("School")] = [_name(row, names) for row in iterate_rows(rows)]
    table[_("Decision")] = [name_decision(decided.get(str(key), ""), _) for key in rows["facility_id"]]
    table[_("Classes")] = _round(rows, "classes")
    table[_("Places")] = _round(rows, "places")
    table[_("Pupils")] = _round(rows, "pupils")
    table[_("Use (%)")] = _round(rows, "fill_share", scale=PER_CENT)
    return table


def build_parts_table(answer: SitingAnswer, _: Translator) -> pd.DataFrame:
    """Return the objective by part for every plan, in million yuan over the horizon."""
    parts = list(dict.fromkeys(part for plan in answer.plans for part in plan.parts))
    table = pd.DataFrame({_("Part of the objective (million yuan)"): [name_part(part, _) for part in parts]})
    for plan in answer.plans:
        values = [float(plan.parts.get(part, math.nan)) for part in parts]
        table[name_plan(plan.plan_id, _)] = _round_money(values, _)
    return table


def build_left_out_table(answer: SitingAnswer, names: Mapping[str, str], _: Translator) -> pd.DataFrame:
    """Return the sites that the proposal left out, and why."""
    rows = answer.left_out
    table = pd.DataFrame(index=pd.Index(rows["site_id"].astype(str)))
    table[_("Site")] = [names.get(str(key)) or str(key) for key in rows["site_id"]]
    table[_("Why it was left out")] = [_.say(value) for value in rows["reason"]]
    return table


def build_siting_files(answer: SitingAnswer, names: Mapping[str, str], _: Translator) -> Files:
    """Return title and builder of every table of an answer, by the name of its file; all plans in each."""

    def every(part: str) -> Callable[[], pd.DataFrame]:
        return lambda: _join_plans(answer, part, names, _)

    return {
        "plans": (_("Plans"), lambda: _build_front_rows(answer, _)),
        "decisions": (_("Decisions"), every("decisions")),
        "years": (_("By year"), every("periods")),
        "schools": (_("Schools"), every("schools")),
        "enrolment": (_("Who goes where"), every("enrolment")),
        "proof": (_("Proof"), lambda: _build_proof_rows(answer, _)),
        "notes": (_("Notes"), lambda: _build_note_rows(answer, _)),
    }


def render_siting_workbook(files: Files) -> bytes:
    """Return one Excel workbook with a sheet per table."""
    return render_workbook({title: neutralise_formulas(build()) for title, build in files.values()})


def _build_front_rows(answer: SitingAnswer, _: Translator) -> pd.DataFrame:
    rows = answer.front.copy()
    rows["summary"] = [say_plan(answer, answer.find(str(key)), _) for key in rows["plan"]]
    return rows


def _join_plans(answer: SitingAnswer, part: str, names: Mapping[str, str], _: Translator) -> pd.DataFrame:
    tables = []
    for plan in answer.plans:
        rows: pd.DataFrame = getattr(plan, part).reset_index(drop=True).copy()
        if part == "decisions":
            rows["sentence"] = [say_decision(row, names, _) for row in iterate_rows(rows)]
            rows["reason"] = [_.say(value) if value is not None else "" for value in rows["reason"]]
        if part == "enrolment":
            rows["school_name"] = [names.get(str(key), "") for key in rows["school_id"]]
        rows.insert(0, "plan", plan.plan_id)
        rows = rows.round(DIGITS)
        tables.append(rows)
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else (tables[0] if tables else pd.DataFrame())


def _build_proof_rows(answer: SitingAnswer, _: Translator) -> pd.DataFrame:
    rows = []
    for plan in answer.plans:
        proof = plan.certificate
        rows.append(
            {
                "plan": plan.plan_id,
                "unit": proof.unit,
                "value": proof.value,
                "bound": proof.bound,
                "gap_share": proof.gap_share,
                "status": proof.status,
                "stopped": proof.stopped,
                "seconds": proof.seconds,
                "seed": proof.seed,
                "method": _.say(proof.method),
                **{f"part_{name}_cny": float(value) for name, value in plan.parts.items()},
            }
        )
    return pd.DataFrame(rows)


def _build_note_rows(answer: SitingAnswer, _: Translator) -> pd.DataFrame:
    told = [_.say(note) for note in answer.notes]
    told += [_.say(conflict.message) for conflict in answer.conflicts]
    record = [f"{name}: {value}" for name, value in answer.record.items()]
    return pd.DataFrame({"note": [*told, *record]})


def find_saved_min(answer: SitingAnswer, plan: SitingPlan) -> float:
    """Return by how many minutes the mean way is shorter than today (longer: below 0)."""
    return find_mean_min(answer.before) - find_mean_min(plan.periods)


def _say_year(value: Any, _: Translator) -> str:
    known = value is not None and not pd.isna(value) and int(value) > 0
    return say_school_year(int(value), _) if known else _("now")


def _name(row: Any, names: Mapping[str, str]) -> str:
    return str(row.name or "") or names.get(str(row.facility_id)) or str(row.facility_id)


def _round(rows: pd.DataFrame, column: str, *, scale: float = 1.0, digits: int = 0) -> Any:
    return np.round(rows[column].to_numpy(dtype=np.float64, na_value=np.nan) * scale, digits)


def _round_money(cny: Any, _: Translator) -> Any:
    """Return yuan in the unit of the reader's language (``MONEY_UNITS``), which the heading names."""
    unit = MONEY_UNITS[_.language]
    return np.round(np.asarray(cny, dtype=np.float64) / unit, 2 if unit > 1e5 else 0)
