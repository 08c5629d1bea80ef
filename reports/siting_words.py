"""Proposals in words: what a plan does, how it compares with today, what is proven about it, and each decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.forecast_words import say_school_year
from reports.language import Translator
from reports.today_tables import say_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from planning.certificate import Certificate
    from planning.siting_answer import SitingAnswer, SitingPlan

DECISIONS = ("close", "merge", "expand", "open")
LEAST_GAP_SHARE = 1e-6
"""Gaps up to this size are rounding."""
MONEY_UNITS = {"en": 1e6, "zh": 1e4}
"""Yuan of one unit of money in tables, charts and fields: millions in English, 万元 in Chinese. Headings name it."""


def name_model(model: str, _: Translator) -> str:
    """Return a model by its name."""
    names = {
        "plan": _("Plan over the years"),
        "p_median": _("p-median: least travel"),
        "p_center": _("p-center: least longest way"),
        "set_covering": _("Set covering: fewest schools"),
        "maximal_covering": _("Maximal covering: most pupils near"),
        "capacitated": _("Capacitated location"),
    }
    return names.get(model, model)


def say_model(model: str, _: Translator) -> str:
    """Return what a model looks for, in a sentence."""
    told = {
        "plan": _("Close, merge, expand and open over the years, at the least cost of the stated mix."),
        "p_median": _("So many schools that all pupils together travel least; places are not counted."),
        "p_center": _("So many schools that the longest way of any pupil is shortest; places are not counted."),
        "set_covering": _("The fewest schools with every pupil within the minutes given."),
        "maximal_covering": _("So many schools that most pupils live within the minutes given."),
        "capacitated": _("So many schools, or as many as pay, with every pupil within the places."),
    }
    return told.get(model, "")


def name_decision(decision: str, _: Translator) -> str:
    """Return what happens to a school or a site."""
    names = {"close": _("Closes"), "merge": _("Merges"), "expand": _("Expands"), "open": _("Opens")}
    return names.get(decision, decision)


def name_role(role: str, _: Translator) -> str:
    """Return what a plan is among the plans."""
    names = {"best": _("best of the mix"), "front": _("on the front"), "alternative": _("near the best")}
    return names.get(role, role)


def name_part(part: str, _: Translator) -> str:
    """Return a part of the objective."""
    names = {
        "travel": _("Ways to school"),
        "building": _("Building, written off"),
        "running": _("Running the schools"),
        "moved": _("Pupils who change school"),
        "empty": _("Empty places"),
        "unplaced": _("Pupils without a place"),
    }
    return names.get(part, part)


def name_objective(objective: str, _: Translator) -> str:
    """Return what a certificate is of."""
    names = {
        "siting": _("the stated mix, over all years of the plan"),
        "siting_cost": _("buildings and running, over all years of the plan; the other parts count 1%"),
        "siting_travel": _("ways to school in yuan, over all years of the plan; the other parts count 1%"),
        "p_median": _("travel of all pupils on one way"),
        "p_center": _("longest way"),
        "set_covering": _("number of schools"),
        "maximal_covering": _("pupils beyond the minutes given"),
        "capacitated": _("the stated mix"),
    }
    return names.get(objective, objective)


def name_conflict(rule: str, _: Translator) -> str:
    """Return which rule stands in the way of a proposal."""
    names = {
        "capacity": _("Places"),
        "travel_cap": _("Travel limit"),
        "unreached": _("No way"),
        "budget": _("Budget"),
        "action": _("Steps of the base"),
        "asked": _("The question"),
        "changes": _("Number of changes"),
        "count": _("Number of schools"),
        "min_pupils": _("Size of schools"),
        "order": _("Build before closing"),
        "time": _("Time limit"),
        "class_size": _("Class size"),
    }
    return names.get(rule, rule)


def name_plan(plan_id: str, _: Translator) -> str:
    """Return the name of a plan: "Plan 2"."""
    number = plan_id.rsplit(" ", 1)[-1]
    return _("Plan {number}", number=number) if number.isdigit() else plan_id


def say_role(plan: SitingPlan, _: Translator) -> str:
    """Return what sets a plan apart, its money in the unit of the tables."""
    cost = dict(plan.name.params).get("cost")
    if plan.role == "front" and isinstance(cost, float):
        value = _.number(cost * 1e6 / MONEY_UNITS[_.language], digits=0 if _.language == "zh" else 1)
        if _.language == "zh":
            money = _("{value} ten thousand yuan", value=value)
        else:
            money = _("{value} million yuan", value=value)
        return _("Shortest ways at {money} a year", money=money)
    return _.say(plan.name) if str(plan.name) else name_role(plan.role, _)


def say_money(cny: float, _: Translator) -> str:
    """Return yuan as people read them: millions in English, 万元 and 亿元 in Chinese; unknown is a dash."""
    if not math.isfinite(cny):
        return _.number(None)
    if _.language == "zh":
        if abs(cny) >= 1e8:
            return _("{value} hundred million yuan", value=_.number(cny / 1e8, digits=2))
        return _("{value} ten thousand yuan", value=_.number(cny / 1e4, digits=1 if abs(cny) < 1e5 else 0))
    if abs(cny) >= 1e5:
        return _("{value} million yuan", value=_.number(cny / 1e6, digits=1 if abs(cny) < 1e8 else 0))
    return _("{value} yuan", value=_.number(cny))


def say_amount_of(value: float, unit: str, _: Translator, *, down: bool = False) -> str:
    """Return a value of an objective with its unit, so exactly that value and bound can be told apart.

    ``down``: rounded down, as a bound is.
    """
    if unit == "yuan" and _.language == "zh":
        return _("{value} ten thousand yuan", value=_say_exact(value / 1e4, 0 if abs(value) >= 1e8 else 1, down, _))
    if unit == "yuan":
        return _("{value} million yuan", value=_say_exact(value / 1e6, 2 if abs(value) >= 1e7 else 4, down, _))
    whole, tenths = _say_exact(value, 0, down, _), _say_exact(value, 1, down, _)
    told = {
        "pupil-minutes": _("{value} pupil-minutes", value=whole),
        "min": _("{value} min", value=tenths),
        "pupils": _("{value} pupils", value=whole),
        "schools": _("{value} schools", value=whole),
    }
    return told.get(unit) or f"{_say_exact(value, 2, down, _)} {unit}".strip()


def _say_exact(value: float, digits: int, down: bool, _: Translator) -> str:
    if down and math.isfinite(value):
        value = math.floor(value * 10**digits + 1e-9) / 10**digits
    return _.number(value, digits=digits)


def count_decisions(plan: SitingPlan) -> dict[str, int]:
    """Return how many schools close, merge, expand and open."""
    counted = plan.decisions["decision"].astype(str).value_counts()
    return {name: int(counted.get(name, 0)) for name in DECISIONS}


def say_changes(plan: SitingPlan, _: Translator) -> str:
    """Return what a plan does, in numbers: "close 3, merge 2, expand 4, open 1"."""
    count = count_decisions(plan)
    words = {
        "close": _("close {count}", count=count["close"]),
        "merge": _("merge {count}", count=count["merge"]),
        "expand": _("expand {count}", count=count["expand"]),
        "open": _("open {count}", count=count["open"]),
    }
    told = [words[name] for name in DECISIONS if count[name]]
    return _.join(told) if told else _("nothing changes")


def find_mean_min(periods: pd.DataFrame) -> float:
    """Return the mean way over all years of a table of periods, by pupils, minutes; NaN = unknown."""
    minutes = periods["mean_travel_min"].to_numpy(dtype=np.float64)
    pupils = periods["pupils"].to_numpy(dtype=np.float64)
    known = np.isfinite(minutes) & np.isfinite(pupils) & (pupils > 0)
    return float(np.average(minutes[known], weights=pupils[known])) if known.any() else math.nan


def say_way(mode: str, mean: float, before: float, _: Translator) -> str:
    """Return how far children travel, beside today."""
    values = {"mean": _.number(mean, digits=1), "before": _.number(before, digits=1)}
    told = {
        "walk": _("children walk {mean} minutes on average (today {before})", **values),
        "bicycle": _("children cycle {mean} minutes on average (today {before})", **values),
    }
    return told.get(mode) or _("children ride {mean} minutes on average (today {before})", **values)


def say_kept(answer: SitingAnswer, _: Translator) -> str:
    """Return how far children would travel if today's schools stayed and only the children were sent anew.

    Empty where that is not known, or as today.
    """
    kept = find_mean_min(answer.kept) if len(answer.kept) else math.nan
    if not math.isfinite(kept) or round(kept, 1) == round(find_mean_min(answer.before), 1):
        return ""
    return _("with today's schools and other zones alone {kept}", kept=_.number(kept, digits=1))


def say_gap(certificate: Certificate, _: Translator) -> str:
    """Return how far a plan is from the best possible at most, as half a sentence that says the best of what."""
    if certificate.status == "optimal" or certificate.gap_share <= LEAST_GAP_SHARE:
        proven = {
            "siting_travel": _("proven to have the shortest ways at this cost"),
            "siting_cost": _("proven to cost least"),
        }
        return proven.get(certificate.objective) or _("proven to be the best possible")
    if not math.isfinite(certificate.gap_share) or not math.isfinite(certificate.bound) or certificate.bound == 0:
        return _("how far it is from the best is not proven")
    gap = _.percent(round_up(certificate.gap_share), digits=2)
    within = {
        "siting_travel": _("ways proven within {gap} of the shortest at this cost", gap=gap),
        "siting_cost": _("cost proven within {gap} of the least possible", gap=gap),
    }
    return within.get(certificate.objective) or _("proven within {gap} of the best possible", gap=gap)


def round_up(gap_share: float) -> float:
    """Return a gap rounded up to a hundredth of a per cent, so that no more is promised than is proven."""
    return math.ceil(gap_share * 1e4 - 1e-9) / 1e4


def say_plan(answer: SitingAnswer, plan: SitingPlan, _: Translator) -> str:
    """Return a plan in one sentence: what it does, the way beside today, the money, the proof."""
    building = float(plan.periods["building_cny"].sum(min_count=1))
    unplaced = float(plan.periods["unplaced_pupils"].max())
    parts = [
        say_way(answer.options.mode, find_mean_min(plan.periods), find_mean_min(answer.before), _),
        say_kept(answer, _),
        _("{money} to build", money=say_money(building, _)) if building > 0 else _("nothing to build"),
        _("{count} pupils without a place", count=_.number(unplaced)) if unplaced > 0.5 else "",
        say_gap(plan.certificate, _),
    ]
    told = _("; ").join(part for part in parts if part)
    return _("{plan}: {changes}; {more}", plan=name_plan(plan.plan_id, _), changes=say_changes(plan, _), more=told)


def tell_proof(answer: SitingAnswer, plan: SitingPlan, _: Translator) -> list[str]:
    """Return the proof in plain sentences: value, what no plan can be better than, distance, method, search."""
    proof = plan.certificate
    told = [
        _(
            "This plan: {value} ({objective}).",
            value=say_amount_of(proof.value, proof.unit, _),
            objective=name_objective(proof.objective, _),
        )
    ]
    if proof.status == "optimal" or proof.gap_share <= LEAST_GAP_SHARE:
        told.append(_("No plan that keeps these rules can be better: proven."))
    elif math.isfinite(proof.bound) and proof.bound != 0:
        limit = say_amount_of(proof.bound, proof.unit, _, down=True)
        gap = _.percent(round_up(proof.gap_share), digits=2)
        told += [
            _("No plan that keeps these rules can be better than {bound}.", bound=limit),
            _("So this plan is at most {gap} away from the best possible.", gap=gap),
        ]
    else:
        told.append(_("How much better another plan could be is not proven."))
    if plan.role == "alternative":
        told.append(_("The bound is that of the best plan of the mix: this one is kept because it decides otherwise."))
    return told


def list_receivers(into: object, names: Mapping[str, str], _: Translator, *, most: int = 4) -> str:
    """Return the names of the receiving schools, the one that takes most first."""
    ids = [key for key in str(into if isinstance(into, str) else "").split(";") if key]
    told = [names.get(key) or key for key in ids[:most]]
    more = len(ids) - len(told)
    return _.join(told) + (_(" and {count} more", count=more) if more > 0 else "")


def say_size(classes: float, places: float, _: Translator) -> str:
    """Return a size: classes and places, as far as they are known."""
    if math.isfinite(classes) and math.isfinite(places):
        return _("{classes} classes, {places} places", classes=_.number(classes), places=_.number(places))
    if math.isfinite(classes):
        return _("{classes} classes", classes=_.number(classes))
    return _("{places} places", places=_.number(places))


def say_decision(row: Any, names: Mapping[str, str], _: Translator) -> str:
    """Return one row of ``DECISION_COLUMNS`` as a sentence; ``names``: of schools and sites by id."""
    key = str(row.facility_id)
    values = {"name": str(row.name) or names.get(key) or key, "into": list_receivers(row.into, names, _)}
    moved = _.number(_float(row.moved_pupils))
    before, after = (
        say_size(_float(getattr(row, f"classes_{word}")), _float(getattr(row, f"places_{word}")), _)
        for word in ("before", "after")
    )
    money = say_money(_float(row.cost_cny), _)
    if row.decision == "merge":
        told = _("{name} merges into {into}: {moved} pupils move.", moved=moved, **values)
    elif row.decision == "close" and values["into"]:
        told = _("{name} closes: its {moved} pupils go to {into}.", moved=moved, **values)
    elif row.decision == "close":
        told = _("{name} closes: nobody has to move.", name=values["name"])
    elif row.decision == "expand":
        told = _("{name} expands from {before} to {after}: {money}.", before=before, after=after, money=money, **values)
    else:
        pupils = _.number(_float(row.pupils_after))
        told = _(
            "{name} opens with {after} for {pupils} pupils: {money}.", after=after, pupils=pupils, money=money, **values
        )
    return say_in_year(row.year, told, _)


def say_in_year(year: object, sentence: str, _: Translator) -> str:
    """Return a sentence with the school year in front; as it is where there is no year."""
    number = _float(year)
    if not math.isfinite(number) or number <= 0:
        return sentence
    return _("{year}: {sentence}", year=say_school_year(int(number), _), sentence=sentence)


def say_years(years: tuple[int, ...], _: Translator) -> str:
    """Return the years of a plan."""
    return _.join(say_school_year(year, _) for year in years) if years else _("the present")


def say_minutes(value: float, _: Translator) -> str:
    """Return minutes with their unit, unknown as a dash."""
    return say_value(value, "min", _)


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
