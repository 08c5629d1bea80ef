"""The figures of an answer beside those of today: who moves, how full schools get, what a rule costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planning.certificate import Certificate
from planning.indicators import find_indicator
from reports.language import Translator
from reports.legend import name_setting_short
from reports.today_tables import say_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geodata.study import StudyArea
    from planning.choice import ChoiceFit
    from planning.run import Outcome
    from planning.zoning_report import ZoningReport

COMPARED = ("mean_travel_min", "p95_travel_min", "beyond_time_share", "beyond_radius_share", "unreached_pupils")
SPLIT_SHARE = 0.995


def find_report(outcome: Outcome, stage: str) -> ZoningReport | None:
    """Return the report of a stage that has zones."""
    return next((item for item in outcome.zoning if item.stage == stage and len(item.units)), None)


def find_certificate(outcome: Outcome, stage: str) -> Certificate | None:
    """Return the certificate of a stage: that of the planner's last goal."""
    return next((item for item in outcome.certificates if item.stage == stage), None)


def list_split(outcome: Outcome, stage: str) -> frozenset[str]:
    """Return the units whose pupils go to several schools."""
    rows = outcome.unit_table[outcome.unit_table["stage"] == stage]
    return frozenset(rows.loc[rows["main_share"] < SPLIT_SHARE, "unit_id"].astype(str))


def count_moved(today: Outcome, outcome: Outcome, stage: str) -> pd.Series:
    """Return by unit the pupils who go to another school than today; empty without both plans."""
    if today.plan is None or outcome.plan is None:
        return pd.Series(dtype=np.float64)
    both = [
        plan.stage_enrolment(stage).groupby(["unit_id", "school_id"])["pupils"].sum()
        for plan in (today.plan, outcome.plan)
    ]
    before, after = both[0].align(both[1], fill_value=0.0)
    lost: pd.Series = (before - after).clip(lower=0.0).groupby(level="unit_id").sum()
    return lost


def read_indicator(outcome: Outcome, name: str, stage: str) -> float:
    """Return an indicator of the county; NaN where it was not computed."""
    try:
        return outcome.indicator(name, stage=stage)
    except KeyError:
        return math.nan


def find_longest_min(outcome: Outcome, stage: str) -> float:
    """Return the longest way of any pupil in minutes."""
    if outcome.plan is None:
        return math.nan
    rows = outcome.plan.stage_enrolment(stage)
    return float(rows.loc[rows["pupils"] > 0, "time_min"].max())


def count_over(outcome: Outcome, stage: str) -> tuple[float, int]:
    """Return the modelled pupils above the places, and the schools that have any; NaN where no places are known."""
    rows = outcome.school_table[outcome.school_table["stage"] == stage]
    over = (rows["modelled_pupils"] - rows["capacity_places"]).dropna()
    return (float(over[over > 0].sum()), int((over > 0.5).sum())) if len(over) else (math.nan, 0)


def build_comparison(today: Outcome, outcome: Outcome, stage: str, _: Translator) -> pd.DataFrame:
    """Return the main figures of today and of the answer."""
    rows: list[tuple[str, float, float, str]] = [
        (_.say(item.title), read_indicator(today, name, stage), read_indicator(outcome, name, stage), item.unit)
        for name, item in ((name, find_indicator(name)) for name in COMPARED)
    ]
    longest = (_("Longest way to school"), find_longest_min(today, stage), find_longest_min(outcome, stage), "min")
    over, full = (_("Pupils above the places"), _("Schools with more pupils than places"))
    before, after = count_over(today, stage), count_over(outcome, stage)
    rows[1:1] = [longest]
    rows += [(over, before[0], after[0], "pupils"), (full, float(before[1]), float(after[1]), "schools")]
    return pd.DataFrame(
        [
            (title, _say(old, unit, _), _say(new, unit, _), _say_change(new - old, unit, _))
            for title, old, new, unit in rows
            if math.isfinite(old) or math.isfinite(new)
        ],
        columns=[_("Figure"), _("Today"), _("Proposed"), _("Change")],
    )


def _say(value: float, unit: str, _: Translator) -> str:
    if unit == "min" and math.isfinite(value):
        return _("{value} min", value=_.number(value, digits=1))
    return say_value(value, unit, _)


def _say_change(value: float, unit: str, _: Translator) -> str:
    if not math.isfinite(value):
        return ""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    if unit == "share":
        return sign + _.percent(abs(value), digits=1)
    return sign + _say(abs(value), unit, _)


def build_fill_table(today: Outcome, outcome: Outcome, stage: str, _: Translator) -> pd.DataFrame:
    """Return one row per school: places, pupils and fill before and after; numbers, so that they can be sorted.

    The index holds the ids of the schools.
    """
    rows = outcome.school_table[outcome.school_table["stage"] == stage].set_index("school_id")
    before = today.school_table[today.school_table["stage"] == stage].set_index("school_id").reindex(rows.index)
    table = pd.DataFrame(
        {
            _("School"): rows["name"].astype(str),
            _("Township"): rows["town"].fillna("").astype(str),
            _("Places"): rows["capacity_places"],
            _("Enrolled"): rows["actual_pupils"],
            _("Today by the model"): before["modelled_pupils"].round(),
            _("Proposed"): rows["modelled_pupils"].round(),
            _("Fill today (%)"): (before["modelled_fill_share"] * 100).round(),
            _("Fill proposed (%)"): (rows["modelled_fill_share"] * 100).round(),
            _("Above the places"): (rows["modelled_pupils"] - rows["capacity_places"]).clip(lower=0).round(),
            _("Mean way (min)"): rows["mean_travel_min"].round(1),
        },
        index=rows.index,
    )
    report = find_report(outcome, stage)
    if report is not None and len(report.schools):
        zoned = report.schools.set_index("school_id").reindex(rows.index)
        table[_("Areas")] = zoned["units"]
        if zoned["joined_pupils"].notna().any() and math.isfinite(report.moved_pupils):
            table[_("Joining")], table[_("Leaving")] = zoned["joined_pupils"].round(), zoned["left_pupils"].round()
    return table.sort_values(_("Fill proposed (%)"), ascending=False, kind="stable")


def build_mover_table(study: StudyArea, today: Outcome, outcome: Outcome, stage: str, _: Translator) -> pd.DataFrame:
    """Return one row per unit whose pupils go to another school than today, most pupils first.

    The index holds the ids of the units.
    """
    report = find_report(outcome, stage)
    moved = count_moved(today, outcome, stage)
    if report is not None and report.units["moved_pupils"].notna().any():
        moved = report.units.set_index("unit_id")["moved_pupils"].fillna(0.0)
    moved = moved[moved > 0.5].sort_values(ascending=False, kind="stable")
    tables = [
        item.unit_table[item.unit_table["stage"] == stage].drop_duplicates("unit_id").set_index("unit_id")
        for item in (today, outcome)
    ]
    old, new = (table.reindex(moved.index) for table in tables)
    names = study.units.set_index(study.units["unit_id"].astype(str)).reindex(moved.index)
    old_names, new_names = old["school_name"].fillna(""), new["school_name"].fillna("")
    if report is not None:
        about = report.units.set_index("unit_id").reindex(moved.index)
        new_names = about["school_names"].fillna("")
        known = about["current_school_ids"].fillna("") != ""
        old_names = old_names.where(~known, _name_schools(study, about["current_school_ids"].fillna("")))
    return pd.DataFrame(
        {
            _("Area"): [str(name) or str(key) for key, name in zip(moved.index, names["name"].fillna(""), strict=True)],
            _("Township"): names["town"].fillna("").astype(str).to_numpy(),
            _("Pupils who move"): moved.round().to_numpy(),
            _("School today"): old_names.to_numpy(),
            _("School proposed"): new_names.to_numpy(),
            _("Way today (min)"): old["time_min"].round(1).to_numpy(),
            _("Way proposed (min)"): new["time_min"].round(1).to_numpy(),
            _("Longer by (min)"): (new["time_min"] - old["time_min"]).round(1).to_numpy(),
        },
        index=moved.index,
    )


def _name_schools(study: StudyArea, ids: pd.Series) -> pd.Series:
    """Return the names of schools whose ids are joined by ``;``."""
    names = dict(zip(study.schools["school_id"].astype(str), study.schools["name"].fillna("").astype(str), strict=True))
    return ids.map(lambda text: " + ".join(names.get(key) or key for key in str(text).split(";")))


def build_price_table(certificate: Certificate, _: Translator) -> pd.DataFrame:
    """Return what every rule costs by the goal that it was measured on."""
    rows = []
    for item in (*certificate.earlier, certificate):
        for price in item.rule_prices:
            share = price.saved / abs(item.value) if item.value else 0.0
            rows.append(
                (
                    _.say(price.name),
                    say_amount(price.saved, item.unit, _),
                    _.percent(share, digits=2),
                    say_amount(price.saved_at_most, item.unit, _),
                )
            )
    return pd.DataFrame(rows, columns=[_("Without"), _("Seen to be saved"), _("Share"), _("Can be saved at most")])


def say_amount(value: float, unit: str, _: Translator) -> str:
    """Return an objective with its unit."""
    number = _.number(value)
    words = {
        "pupil-minutes": _("{value} pupil-minutes", value=number),
        "pupil-metres": _("{value} pupil-metres", value=number),
        "pupils": _("{value} pupils", value=number),
        "metres": _("{value} m", value=number),
    }
    return words.get(unit, _.number(value, digits=2))


def build_flow_table(fit: ChoiceFit, kind: str, _: Translator) -> pd.DataFrame:
    """Return where the pupils of every ``"setting"`` or ``"town"`` go, by the setting of the school."""
    flows = fit.flows[fit.flows["kind"] == kind]
    areas = flows["area"].astype(str)
    return pd.DataFrame(
        {
            _("Live in"): [name_setting_short(area, _) for area in areas] if kind == "setting" else areas.to_numpy(),
            _("Attend a school"): [name_setting_short(str(name), _) for name in flows["school_setting"]],
            _("By choice"): flows["pupils"].round().to_numpy(),
            _("If all went to the nearest"): flows["nearest_pupils"].round().to_numpy(),
            _("More (+) or fewer (−)"): flows["gained_pupils"].round().to_numpy(),
        }
    )


def build_roll_table(fit: ChoiceFit, _: Translator) -> pd.DataFrame:
    """Return the rolls of the schools beside what the model, and the nearest school, would give them."""
    rows = fit.schools
    return pd.DataFrame(
        {
            _("School"): rows["name"].astype(str),
            _("On the rolls"): rows["actual_pupils"].round(),
            _("By choice"): rows["modelled_pupils"].round(),
            _("If all went to the nearest"): rows["nearest_pupils"].round(),
            _("Model less rolls"): (rows["modelled_pupils"] - rows["actual_pupils"]).round(),
        }
    ).sort_values(_("On the rolls"), ascending=False, kind="stable")


def build_value_table(place_values: pd.DataFrame, stage: str, _: Translator) -> pd.DataFrame:
    """Return what one more place, and one more class, would save at every school where it would save anything."""
    rows = place_values[(place_values["stage"] == stage) & (place_values["price_per_place"].fillna(0) > 0)]
    return pd.DataFrame(
        {
            _("School"): rows["name"].astype(str),
            _("Places"): rows["capacity_places"],
            _("One more place saves"): rows["price_per_place"].round(1),
            _("Class of"): rows["class_places"],
            _("One more class saves"): rows["class_saving"].round(),
            _("Pupils who get a place"): rows["class_placed_pupils"].round(),
        }
    )


def list_names(names: Sequence[str], most: int, _: Translator) -> str:
    """Return the first names, and how many more there are."""
    shown = _.join(names[:most])
    return shown if len(names) <= most else _("{names} and {count} more", names=shown, count=len(names) - most)
