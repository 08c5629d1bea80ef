"""Conflicts: which rule cannot hold, where, by how much, and the cheapest cure.

Two questions are answered here for pupils who are sent to schools. *Stranded*: who has no school left that the rules
allow. *Short*: for whom there are too few places. The latter is told by P. Hall's condition (1935): a set of units
whose allowed schools together have fewer places than the units have pupils. Such a set is read off an optimal flow:
start at an overrun school, take the units that send pupils there, then every school those are allowed to, and so on.
All schools met this way are full (else a pupil could be moved along the path, see the maximal-flow minimal-cut theorem
of L. R. Ford and D. R. Fulkerson, 1956), so the set is a proof that no assignment has a place for everybody in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.rules import Rules
from planning.scenario import Scenario, name_stage

if TYPE_CHECKING:
    from planning.assignment import Ways
    from planning.assignment_problem import Assignment
    from planning.capacity import Sent
    from planning.way_costs import WayCosts

RuleId = Literal[
    "capacity",
    "travel_cap",
    "closed",
    "barrier",
    "lock",
    "connected",
    "unreached",
    "budget",
    "seat",
    "no_zone",
    "class_size",
    "action",
    "asked",
    "changes",
    "count",
    "min_pupils",
    "order",
    "time",
]
WITHOUT_PLACE_COLUMNS = ("stage", "unit_id", "name", "town", "school_id", "priority", "pupils")
"""``school_id`` is where the plan sends them (the name of the group, for a shared zone); ``priority`` their class."""
NAMED = 4
"""Units or schools named in a message; the fields hold all of them."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conflict:
    """One rule that cannot hold, for some units and schools.

    ``message`` says in words which rule, where and by how much; ``cure`` the cheapest change found that mends it.
    ``unit_ids`` and ``school_ids`` are complete and sorted; messages name only the first few. ``short_pupils`` is the
    number of pupils for whom the rule cannot hold (0 where their number is unknown). ``rule_id``: the rule of the
    rulebook that is meant, where there is one.
    """

    rule: RuleId
    message: Message
    unit_ids: tuple[str, ...] = ()
    school_ids: tuple[str, ...] = ()
    short_pupils: float = 0.0
    cure: Message = field(default_factory=lambda: Message(""))
    rule_id: str = ""


def name_some(names: Sequence[str], limit: int = NAMED) -> Message:
    """Return the first names, and how many more there are."""
    shown = tuple(names[:limit])
    if len(names) <= limit:
        return msg("{names}", names=shown)
    return msg("{names} and {count} more", names=shown, count=len(names) - limit)


@dataclass(frozen=True, eq=False)
class Case:
    """What the checks of one stage need: the problem, and the names of things."""

    study: StudyArea
    rules: Rules
    scenario: Scenario
    stage: str
    schools: pd.DataFrame
    ways: Ways
    costs: WayCosts
    assignment: Assignment

    @property
    def unit_names(self) -> npt.NDArray[np.object_]:
        """Names of the units in the order of ``ways``."""
        about = self.study.units.set_index("unit_id")["name"].reindex(self.ways.unit_ids).fillna("").astype(str)
        return np.where(about.to_numpy() == "", self.ways.unit_ids, about.to_numpy()).astype(object)

    @property
    def towns(self) -> npt.NDArray[np.object_]:
        """Town of each unit, ``""`` where unknown."""
        about = self.study.units.set_index("unit_id")["town"].reindex(self.ways.unit_ids)
        towns: npt.NDArray[np.object_] = about.fillna("").astype(str).to_numpy(dtype=object)
        return towns

    @property
    def column_names(self) -> list[str]:
        """Names of the schools, or groups, that pupils are sent to."""
        names = self.schools.set_index("school_id")["name"].to_dict()
        return [str(names.get(key, key)) for key in self.assignment.columns.name]

    def column_schools(self, columns: Ints) -> tuple[str, ...]:
        """Return the ids of the schools of some columns, sorted."""
        start, member = self.assignment.columns.start, self.assignment.columns.member
        found = {str(self.ways.school_ids[at]) for c in columns for at in member[start[c] : start[c + 1]]}
        return tuple(sorted(found))

    @property
    def class_places(self) -> Floats:
        """Places of one class as designed, by column; NaN where the rulebook has no such number."""
        kinds = self.schools.set_index("school_id")["kind"].reindex(self.ways.school_ids).fillna("").astype(str)
        first = self.assignment.columns.member[self.assignment.columns.start[:-1]]
        sizes = [self.rules.limit("design_class_size", self.stage, kind=kinds.iloc[at]) for at in first]
        return np.array([np.nan if size is None else size for size in sizes])


def find_stranded(case: Case) -> tuple[tuple[Conflict, ...], tuple[Conflict, ...]]:
    """Return (conflicts, facts): units that the rules leave without any school, and units that no way leads from."""
    rows = case.assignment.rows
    column, _ = case.assignment.nearest()
    lost = np.unique(rows.unit[column < 0])
    if not len(lost):
        return (), ()
    low = np.isin(lost, rows.unit[(column < 0) & rows.low])
    usable = case.costs.travel[lost].copy()
    usable[~low[:, None] & case.ways.low_only[None, :]] = np.inf
    causes = _find_causes(case, lost, low, usable)
    towns = case.towns[lost]
    hard: list[Conflict] = []
    soft: list[Conflict] = []
    for cause in ("travel_cap", "closed", "barrier", "unreached"):
        for town in sorted(set(towns[causes == cause])):
            at = np.flatnonzero((causes == cause) & (towns == town))
            conflict = _describe_stranded(case, cause, str(town), lost[at], usable[at])
            (soft if cause == "unreached" else hard).append(conflict)
    return tuple(hard), tuple(soft)


def find_missing_limit(case: Case) -> tuple[Conflict, ...]:
    """Return a remark where a limit of travel was asked for and no rule of the rulebook gives one."""
    if case.costs.travel_cap == "none" or np.isfinite(case.costs.limit).any():
        return ()
    return (
        Conflict(
            rule="travel_cap",
            message=msg(
                "{stage}: the rulebook has no limit of travel, so none was applied.", stage=name_stage(case.stage)
            ),
            cure=msg("Switch on a rule for it in a rulebook of your own."),
        ),
    )


def _find_causes(case: Case, lost: Ints, low: npt.NDArray[np.bool_], usable: Floats) -> npt.NDArray[np.object_]:
    """Return for each lost unit the one rule whose absence would give it a school again."""
    causes = np.where(np.isfinite(usable).any(axis=1), "closed", "unreached").astype(object)
    points = ~low[:, None] & case.ways.low_only[None, :]
    for cause, keyword in (("barrier", "barriers"), ("closed", "closed"), ("travel_cap", "caps")):
        cost = case.costs.cost(**{keyword: False})[lost]
        cost[points] = np.inf
        causes[np.isfinite(cost).any(axis=1) & (causes != "unreached")] = cause
    return causes


def _describe_stranded(case: Case, cause: str, town: str, units: Ints, usable: Floats) -> Conflict:
    pupils = case.ways.pupils[units]
    names = [str(name) for name in case.unit_names[units]]
    values: dict[str, object] = {
        "stage": name_stage(case.stage),
        "town": town or msg("town unknown"),
        "units": len(units),
        "names": name_some(names),
        "pupils": float(np.nansum(pupils)),
    }
    cure = Message("")
    if cause == "travel_cap":
        need = float(_nearest_open(case, units, usable).max())
        cure = _cure_travel_cap(case, units, need)
        message = msg(
            "{stage}, {town}: {units} units with {pupils:,.0f} pupils have no school within the limit of travel:"
            " {names}.",
            **values,
        )
    elif cause == "barrier":
        message = msg(
            "{stage}, {town}: {units} units with {pupils:,.0f} pupils have no school on their side of the barrier:"
            " {names}.",
            **values,
        )
        cure = msg("Allow the crossing, or open a school on this side.")
    elif cause == "closed":
        message = msg(
            "{stage}, {town}: {units} units with {pupils:,.0f} pupils are closed out of every school that they can"
            " reach: {names}.",
            **values,
        )
        cure = msg("Open {school} to them.", school=_name_common_school(case, usable))
    else:
        message = msg(
            "{stage}, {town}: no way leads from {units} units with {pupils:,.0f} pupils to a school: {names}.", **values
        )
        cure = msg("Check the roads there, or plan boarding or a bus.")
    return Conflict(
        rule=cause,  # type: ignore[arg-type]
        message=message,
        unit_ids=tuple(sorted(map(str, case.ways.unit_ids[units]))),
        short_pupils=float(np.nansum(pupils)),
        cure=cure,
    )


def _nearest_open(case: Case, units: Ints, usable: Floats) -> Floats:
    """Return the way of each unit to the nearest school that only the limit of travel forbids."""
    cost = case.costs.cost(caps=False)[units]
    allowed = np.where(np.isfinite(cost) & np.isfinite(usable), usable, np.inf)
    least: Floats = allowed.min(axis=1)
    return least


def _cure_travel_cap(case: Case, units: Ints, need: float) -> Message:
    """Return the cheapest of: a bus that is fast enough, else a school in their middle or a higher limit."""
    values: dict[str, object] = {
        "name": str(case.unit_names[units[int(np.nan_to_num(case.ways.pupils[units]).argmax())]])
    }
    if case.costs.measure == "length":
        return msg("Raise the limit to {limit:,.0f} m, or open a place in {name}.", limit=math.ceil(need), **values)
    ride = _ride_min(case, units)
    values["limit"] = math.ceil(need)
    if ride is not None and ride <= float(case.costs.limit[units].max()):
        return msg(
            "A bus: all reach a school in {ride:.0f} min. Else raise the limit to {limit} min, or open a place in"
            " {name}.",
            ride=ride,
            **values,
        )
    return msg("Raise the limit to {limit} min, or open a place in {name}.", **values)


def _ride_min(case: Case, units: Ints) -> float | None:
    """Return the longest of the rides to the nearest school of the stage, None where there are no rides known."""
    travel = case.study.travel.get("drive")
    if travel is None or case.scenario.mode == "drive":
        return None
    rows = pd.Index(travel.unit_ids, dtype=object).get_indexer(pd.Index(case.ways.unit_ids[units], dtype=object))
    complete = case.ways.school_ids[~case.ways.low_only]
    columns = pd.Index(travel.destination_ids, dtype=object).get_indexer(pd.Index(complete, dtype=object))
    if (rows < 0).any() or not (columns >= 0).any():
        return None
    rides = travel.time_min[np.ix_(rows, columns[columns >= 0])]
    least = np.where(np.isnan(rides), np.inf, rides).min(axis=1)
    return float(least.max()) if np.isfinite(least).all() else None


def _name_common_school(case: Case, usable: Floats) -> str:
    """Return the school that the most of the units can reach, of those the nearest on the whole."""
    reach = np.isfinite(usable).sum(axis=0)
    total = np.where(np.isfinite(usable), usable, 0.0).sum(axis=0)
    best = np.lexsort((total, -reach))[0]
    names = case.schools.set_index("school_id")["name"]
    return str(names.get(case.ways.school_ids[best], case.ways.school_ids[best]))


def find_shortages(case: Case, sent: Sent, flow: Sent) -> tuple[Conflict, ...]:
    """Return where places are short: groups of units by Hall's condition, then the rest by town. No pupil twice.

    ``flow`` is the assignment with units that may be split, ``sent`` the plan (the same, where units may be split).
    The rest are pupils above places though the rules leave places elsewhere: it was cheaper, or units are kept whole.
    """
    found: list[Conflict] = []
    explained = np.zeros(len(case.assignment.columns.name), dtype=np.bool_)
    for rows, columns in find_hall_groups(case.assignment, flow):
        group = _describe_group(case, flow, rows, columns)
        if group is not None:
            found.append(group)
            explained[columns] = True
    return (*found, *_describe_towns(case, sent, ~explained))


def find_hall_groups(assignment: Assignment, sent: Sent) -> list[tuple[Ints, Ints]]:
    """Return (rows, columns) of each set of rows whose allowed columns are all full and together too small.

    Each set is the least one that holds its overrun columns; sets that overlap are told as one. Where overrunning was
    merely cheaper than walking to free places there is no such set.
    """
    width = len(assignment.columns.name)
    load = sent.load(width)
    full = load >= assignment.columns.places - 1e-6
    found: list[tuple[Ints, Ints]] = []
    left = set(np.flatnonzero(sent.over > 0).tolist())
    while left:
        inside, rows = _close(assignment, sent, min(left), full)
        left -= set(np.flatnonzero(inside).tolist())
        if (inside & ~full).any():
            continue
        merged = [item for item in found if inside[item[1]].any()]
        found = [item for item in found if not inside[item[1]].any()]
        for other_rows, other in merged:
            rows = np.union1d(rows, other_rows)
            inside[other] = True
        found.append((rows, np.flatnonzero(inside)))
    return found


def _close(
    assignment: Assignment, sent: Sent, first: int, full: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Return the columns that pupils of column ``first`` could be moved on to, step by step, and the rows met."""
    inside = np.zeros(len(full), dtype=np.bool_)
    inside[first] = True
    fresh = inside.copy()
    rows = np.empty(0, dtype=np.int64)
    while fresh.any() and not (inside & ~full).any():
        new = np.setdiff1d(sent.row[fresh[sent.column]], rows)
        rows = np.union1d(rows, new)
        reached = np.isfinite(assignment.row_costs(new)).any(axis=0) if len(new) else np.zeros(len(full), dtype=bool)
        fresh = reached & ~inside
        inside |= fresh
    return inside, rows


def _describe_group(case: Case, sent: Sent, rows: Ints, columns: Ints) -> Conflict | None:
    pupils = float(case.assignment.rows.pupils[rows].sum())
    places = float(case.assignment.columns.places[columns].sum())
    short = pupils - places
    if short <= 1e-6:
        return None
    units = np.unique(case.assignment.rows.unit[rows])
    towns = sorted({str(town) for town in case.towns[units] if town})
    worst = columns[np.argsort(-sent.over[columns], kind="stable")]
    names = [case.column_names[column] for column in worst]
    values: dict[str, object] = {
        "stage": name_stage(case.stage),
        "units": len(units),
        "towns": name_some(towns) if towns else msg("town unknown"),
        "pupils": pupils,
        "schools": len(columns),
        "places": places,
        "names": name_some(names),
        "short": short,
    }
    if len(columns) == len(case.assignment.columns.name):
        message = msg(
            "{stage}: {pupils:,.0f} pupils live here, and all schools together have {places:,.0f} places:"
            " {short:,.0f} pupils too many.",
            **values,
        )
    else:
        message = msg(
            "{stage}: the rules leave {pupils:,.0f} pupils ({units} units; {towns}) only {names}, with {places:,.0f}"
            " places: {short:,.0f} pupils too many.",
            **values,
        )
    return Conflict(
        rule="capacity",
        message=message,
        unit_ids=tuple(sorted(map(str, case.ways.unit_ids[units]))),
        school_ids=case.column_schools(columns),
        short_pupils=short,
        cure=_cure_short(case, short, worst),
    )


def _cure_short(case: Case, short: float, columns: Ints) -> Message:
    """Return how many places, and classes, are missing at the first of the columns."""
    size = float(case.class_places[columns[0]])
    names = name_some([case.column_names[column] for column in columns], 2)
    if not size > 0:
        return msg("{places:,.0f} more places at {names}.", places=math.ceil(short - 1e-6), names=names)
    classes = math.ceil(short / size - 1e-9)
    return msg(
        "More classes at {names}: {classes} ({places:,.0f} places).",
        names=names,
        classes=classes,
        places=classes * size,
    )


def find_without_place(assignment: Assignment, sent: Sent) -> tuple[Ints, Ints, Floats]:
    """Return (row, column, pupils) of those above the places: the lowest rank first, then who lives farthest, then id.

    A convention, for showing: the plan sends them to that school, where they have no place.
    """
    found: list[tuple[int, int, float]] = []
    cost = assignment.cost[assignment.rows.unit[sent.row], sent.column]
    rank = assignment.rows.rank[sent.row]
    for column in np.flatnonzero(sent.over > 0):
        left = float(sent.over[column])
        at = np.flatnonzero(sent.column == column)
        for item in at[np.lexsort((sent.row[at], -cost[at], -rank[at]))]:
            taken = min(left, float(sent.pupils[item]))
            found.append((int(sent.row[item]), int(column), taken))
            left -= taken
            if left <= 1e-9:
                break
    rows, columns, pupils = zip(*found, strict=True) if found else ((), (), ())
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), np.array(pupils, dtype=np.float64)


def build_without_place(case: Case, sent: Sent) -> pd.DataFrame:
    """Return who would be without a place: ``WITHOUT_PLACE_COLUMNS``, by the convention of ``find_without_place``."""
    row, column, pupils = find_without_place(case.assignment, sent)
    rows = case.assignment.rows
    unit = rows.unit[row]
    table = pd.DataFrame(
        {
            "stage": pd.Series([case.stage] * len(row), dtype=str),
            "unit_id": pd.Series(case.ways.unit_ids[unit], dtype=str),
            "name": pd.Series(case.unit_names[unit], dtype=str),
            "town": pd.Series(case.towns[unit], dtype=str),
            "school_id": pd.Series([case.assignment.columns.name[at] for at in column], dtype=str),
            "priority": pd.Series([rows.class_names[rows.rank[at]] for at in row], dtype=str),
            "pupils": pupils,
        }
    )
    keys = list(WITHOUT_PLACE_COLUMNS[:-1])
    if table.empty:
        return table
    return table.groupby(keys, sort=True)["pupils"].sum().reset_index()


def _describe_towns(case: Case, sent: Sent, use: npt.NDArray[np.bool_]) -> list[Conflict]:
    row, column, pupils = find_without_place(case.assignment, sent)
    row, column, pupils = row[use[column]], column[use[column]], pupils[use[column]]
    unit = case.assignment.rows.unit[row]
    towns = case.towns[unit]
    found: list[Conflict] = []
    for town in sorted(set(towns)):
        at = np.flatnonzero(towns == town)
        by_unit = pd.Series(pupils[at]).groupby(unit[at]).sum().sort_values(ascending=False, kind="stable")
        columns = np.unique(column[at])
        found.append(
            Conflict(
                rule="capacity",
                message=msg(
                    "{stage}, {town}: {short:,.0f} pupils of {units} units are above the places of {schools}: {names}.",
                    stage=name_stage(case.stage),
                    town=str(town) or msg("town unknown"),
                    short=float(pupils[at].sum()),
                    units=len(by_unit),
                    schools=name_some([case.column_names[item] for item in columns], 2),
                    names=name_some([str(case.unit_names[item]) for item in by_unit.index]),
                ),
                unit_ids=tuple(sorted(str(case.ways.unit_ids[item]) for item in by_unit.index)),
                school_ids=case.column_schools(columns),
                short_pupils=float(pupils[at].sum()),
                cure=_cure_short(case, float(pupils[at].sum()), columns),
            )
        )
    return sorted(found, key=lambda conflict: -conflict.short_pupils)


def find_too_big(case: Case) -> tuple[Conflict, ...]:
    """Return the units that no school allowed to them could hold whole."""
    rows = case.assignment.rows
    at = np.flatnonzero(rows.pupils > 0)
    cost = case.assignment.row_costs(at)
    largest = np.where(np.isfinite(cost), case.assignment.columns.places[None, :], -1.0).max(axis=1)
    big = at[(rows.pupils[at] > largest) & (largest >= 0)]
    found = []
    for row, most in zip(big, largest[np.isin(at, big)], strict=True):
        unit = int(rows.unit[row])
        found.append(
            Conflict(
                rule="capacity",
                message=msg(
                    "{stage}: {name} has {pupils:,.0f} pupils, more than the largest school allowed holds"
                    " ({places:,.0f} places).",
                    stage=name_stage(case.stage),
                    name=str(case.unit_names[unit]),
                    pupils=float(rows.pupils[row]),
                    places=float(most),
                ),
                unit_ids=(str(case.ways.unit_ids[unit]),),
                short_pupils=float(rows.pupils[row] - most),
                cure=msg("Split the unit, or let its pupils be split among schools."),
            )
        )
    return tuple(found)
