"""What a plan decides, one by one: which school closes or merges into which, what is extended or built, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.conflicts import name_some
from planning.siting_answer import DECISION_COLUMNS
from planning.siting_model import SitingModel, Solved
from planning.siting_tables import LEAST_PUPILS, compute_load
from planning.siting_ways import CLOSE, EXPAND, OPEN, compute_fixed_running, list_changed_order
from planning.solvers.problems import Floats, Ints

MERGE_INTO = 2
"""A school that closes merges into others where at most so many …"""
MERGE_SHARE = 0.9
"""… take at least this share of its pupils; else it closes, and its pupils go many ways."""
ROLL_FACTOR = 1.25
"""A roll so many times the children who live there is told."""
NAMED_SHARE = 0.02
"""Schools that take less of a closing school's pupils are not named as receiving."""


@dataclass(frozen=True, eq=False)
class Receiving:
    """Where the pupils of a school go: facilities by share, most first; the longest way to them in minutes."""

    facility: Ints
    share: Floats
    pupils: float
    longest_min: float


def find_receiving(model: SitingModel, flow: Floats, home: int) -> Receiving:
    """Return where those go who are at ``home`` today, in the year of ``flow`` (arcs,).

    A row whose children are at several schools today is split in the same way for each.
    """
    case = model.case
    row = model.arc_row
    total = np.bincount(row, weights=flow, minlength=case.n_rows)
    share = case.home[:, home]
    part = np.where(total[row] > 0, flow / np.where(total[row] > 0, total[row], 1.0), 0.0) * share[row] * total[row]
    taken = np.bincount(model.facility, weights=part, minlength=case.facilities.count)
    pupils = float(taken.sum())
    order = np.lexsort((np.arange(len(taken)), -np.round(taken, 6)))
    order = order[taken[order] > max(LEAST_PUPILS, NAMED_SHARE * pupils)]
    used = part > LEAST_PUPILS
    return Receiving(
        facility=order,
        share=taken[order] / pupils if pupils > 0 else np.zeros(len(order)),
        pupils=pupils,
        longest_min=float(model.arc_min[used].max()) if used.any() else float("nan"),
    )


def build_decisions(model: SitingModel, solved: Solved) -> pd.DataFrame:
    """Return ``DECISION_COLUMNS``, by year, then what is decided, then id."""
    rows = [_describe(model, solved, at) for at in list_changed_order(model.ways, solved.way)]
    return pd.DataFrame(rows, columns=list(DECISION_COLUMNS))


def _describe(model: SitingModel, solved: Solved, at: int) -> dict[str, object]:
    """Return one row of the table."""
    case, ways = model.case, model.ways
    way = int(solved.way[at])
    period, kind = int(ways.period[way]), int(ways.kind[way])
    load = compute_load(model, solved.flow)[at, period]
    before = float(case.home_pupils[at, period])
    row: dict[str, object] = {
        "facility_id": case.facilities.ids[at],
        "name": case.facilities.names[at],
        "kind": "site" if case.facilities.is_site[at] else "school",
        "decision": "expand" if kind == EXPAND else "open",
        "year": case.years[period],
        "into": "",
        "classes_before": float(case.facilities.classes[at]),
        "classes_after": float(ways.classes[way, period]),
        "places_before": _known(float(case.facilities.places[at])),
        "places_after": _known(float(ways.places[way, period])),
        "pupils_before": before,
        "pupils_after": float(load) if load > LEAST_PUPILS else 0.0,
        "cost_cny": float(ways.money_cny[way].sum()),
    }
    if kind != CLOSE:
        arrived = _find_arrived(model, solved.flow[period], at)
        return {**row, "moved_pupils": arrived.pupils, "reason": _tell_built(model, row, arrived, kind == EXPAND)}
    went = find_receiving(model, solved.flow[period], at)
    merged = _is_merger(went)
    taking = [case.facilities.ids[key] for key in went.facility]
    row |= {"decision": "merge" if merged else "close", "into": ";".join(taking[:MERGE_INTO] if merged else taking)}
    saved = float(compute_fixed_running(case)[at, period])
    told = _add_order(model, solved, _tell_closed(model, row, went, saved), went, period)
    return {
        **row,
        "moved_pupils": went.pupils,
        "reason": _add_roll(told, before, float(case.facilities.roll_pupils[at])),
    }


def _known(value: float) -> float:
    return value if np.isfinite(value) else float("nan")


def _is_merger(went: Receiving) -> bool:
    """Whether few schools take nearly all: with the fewest pupils to name, none at all is no merger."""
    return bool(len(went.share)) and float(went.share[:MERGE_INTO].sum()) >= MERGE_SHARE


@dataclass(frozen=True, eq=False)
class _Arrived:
    """Who comes to a school that is built or extended, and is elsewhere today."""

    pupils: float
    before_min: float
    after_min: float


def _find_arrived(model: SitingModel, flow: Floats, at: int) -> _Arrived:
    case, row = model.case, model.arc_row
    mine = np.flatnonzero((model.facility == at) & (flow > LEAST_PUPILS) & (model.arc_moved > 0))
    pupils = float(flow[mine].sum())
    if not pupils > 0:
        return _Arrived(0.0, float("nan"), float("nan"))
    home = case.home[row[mine]]
    minutes = np.where(home > 0, case.travel_min[case.row_unit[row[mine]]], 0.0)
    now = (home * minutes).sum(axis=1)
    return _Arrived(pupils, float(flow[mine] @ now) / pupils, float(flow[mine] @ model.arc_min[mine]) / pupils)


def _tell_closed(model: SitingModel, row: dict[str, object], went: Receiving, saved: float) -> Message:
    """Return why a school closes, in figures."""
    names = [model.case.facilities.names[key] for key in went.facility]
    values = {"pupils": row["pupils_before"], "saved": saved, "minutes": went.longest_min}
    if not names:
        return msg("Nobody goes there. Closing saves {saved:,.0f} yuan a year.", saved=saved)
    values["schools"] = name_some(names, 3)
    classes = row["classes_before"]
    if isinstance(classes, float) and np.isfinite(classes):
        return msg(
            "{pupils:,.0f} pupils in {classes:,.0f} classes; all reach {schools} within {minutes:,.0f} min. It saves"
            " {saved:,.0f} yuan a year.",
            classes=classes,
            **values,
        )
    return msg(
        "{pupils:,.0f} pupils; all reach {schools} within {minutes:,.0f} min. It saves {saved:,.0f} yuan a year.",
        **values,
    )


def _add_order(model: SitingModel, solved: Solved, told: Message, went: Receiving, period: int) -> Message:
    """Return a reason, with the schools that receive and are built in the same year: no likely receivers, but so it is.

    Building before closing binds the likely receivers alone (``siting_sides.find_receivers``).
    """
    way = solved.way[went.facility]
    same = np.isin(model.ways.kind[way], (EXPAND, OPEN)) & (model.ways.period[way] == period)
    if not model.case.options.rules.build_before_closing or not same.any():
        return told
    names = [model.case.facilities.names[key] for key in went.facility[same]]
    more = msg("Some of them go to {schools}, built or extended only in the same year.", schools=name_some(names, 3))
    return msg("{told} {more}", told=told, more=more)


def _add_roll(told: Message, before: float, roll: float) -> Message:
    """Return a reason, with the roll where it is far above the children who would go there by their homes."""
    if not roll > ROLL_FACTOR * before:
        return told
    more = msg("By its rolls it has {roll:,.0f} pupils: many of them live elsewhere.", roll=roll)
    return msg("{told} {more}", told=told, more=more)


def _tell_built(model: SitingModel, row: dict[str, object], arrived: _Arrived, expanded: bool) -> Message:
    """Return why places are built, in figures."""
    values = {
        "pupils": row["pupils_after"],
        "arrived": arrived.pupils,
        "places": row["places_after"],
        "now": arrived.before_min,
        "then": arrived.after_min,
        "before": row["pupils_before"],
        "held": row["places_before"],
    }
    if expanded and float(values["before"]) > float(values["held"]):  # type: ignore[arg-type]
        return msg(
            "{before:,.0f} pupils would have {held:,.0f} places. With {places:,.0f} places it takes {pupils:,.0f}.",
            **values,
        )
    if not arrived.pupils > 0:
        return msg("With {places:,.0f} places it takes {pupils:,.0f} pupils.", **values)
    return msg(
        "Takes {pupils:,.0f} pupils; {arrived:,.0f} of them come from other schools: their mean way is {then:,.0f} min,"
        " today {now:,.0f} min.",
        **values,
    )
