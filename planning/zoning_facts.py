"""What zoning has to know of one stage: seats, shared zones, ways, borders and today's zones, as numbers.

The order of units and schools is that of their ids, whatever the order of the tables: shuffled rows change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.assignment import Ways, find_nearest, find_zone_schools
from planning.conflicts import name_some
from planning.rules import Rules
from planning.tables import build_stage_schools, build_ways
from planning.way_costs import WayCosts, build_way_costs
from planning.zone_graph import add_bridges, find_stranded

if TYPE_CHECKING:
    from planning.assignment_options import AssignmentOptions
    from planning.scenario import Scenario

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEAREST_BRIDGES = 8
"""Units of a piece of land without a school are linked to the seats of this many nearest zones."""


@dataclass(frozen=True, eq=False)
class ZoneFacts:
    """Units (rows) and zones (columns) of one stage. A zone has one school, or several that share it (多校划片).

    ``members`` positions of the zone's schools in ``ways.school_ids`` and ``split`` their shares of its pupils;
    ``places`` pooled, ``inf`` = unknown; ``seat`` the unit that the zone grows from; ``held`` rows (unit, zone) of the
    other seats of a shared zone. ``pupils`` those left for zones after the low grades that stay at teaching points
    (``low_unit``, ``low_school``, ``low_pupils``, ``low_share``). ``costs`` by school; ``travel`` per pupil to zones,
    ``inf`` = no way; ``on_paper`` units without a way to any school that they can be joined with: their ways are
    estimated. ``links`` neighbours (each once) with ``border_m`` and ``barred`` (parted by a barrier not to be
    crossed); ``bridges`` virtual links of pieces of land without a school. ``current`` today's schools by unit.
    """

    stage: str
    ways: Ways
    costs: WayCosts
    schools: pd.DataFrame
    unit_names: npt.NDArray[np.object_]
    members: tuple[Ints, ...]
    split: tuple[Floats, ...]
    places: Floats
    seat: Ints
    held: Ints
    pupils: Floats
    low_unit: Ints
    low_school: Ints
    low_pupils: Floats
    low_share: Floats
    travel: Floats
    on_paper: Bools
    links: Ints
    border_m: Floats
    barred: Bools
    bridges: Ints
    current: Mapping[int, Ints]
    outline_m: Floats
    area_m2: Floats
    notes: tuple[Message, ...]

    @property
    def n_units(self) -> int:
        """Number of planning units."""
        return len(self.pupils)

    @property
    def n_zones(self) -> int:
        """Number of zones."""
        return len(self.members)

    def zone_of_school(self) -> Ints:
        """Return the zone of every school, −1 for teaching points."""
        zone = np.full(len(self.ways.school_ids), -1, dtype=np.int64)
        for position, members in enumerate(self.members):
            zone[members] = position
        return zone

    def name_zone(self, zone: int) -> str:
        """Return the names of the zone's schools."""
        return " + ".join(str(self.schools["name"].iloc[member]) for member in self.members[zone])

    def zone_ids(self) -> list[str]:
        """Return an id for every zone: the ids of its schools."""
        return [";".join(self.ways.school_ids[members]) for members in self.members]


def build_zone_facts(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    stage: str,
    *,
    joint: tuple[tuple[str, ...], ...] = (),
) -> ZoneFacts:
    """Return what zoning has to know of one stage. ``joint``: more groups of schools that have to share a zone.

    Teaching points have no zone: low grades of units whose nearest school is one stay there, nearest units first, as
    far as its places go. Schools that stand in one unit share a zone, and so do the given groups.
    """
    schools = build_stage_schools(study, stage, scenario.year)
    ways = build_ways(study, scenario, schools)
    units = study.units.sort_values("unit_id", kind="stable").reset_index(drop=True)
    spots = units[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    seats = find_seats(study, schools, ways, spots)
    members, notes = _group_schools(schools, seats, (*scenario.assignment.groups, *(("", group) for group in joint)))
    split = tuple(_split_places(schools, zone) for zone in members)
    places = _pool_places(schools, members)
    current = find_zone_schools(ways, study.zones[study.zones["stage"] == stage])
    low_unit, low_school, low_pupils, low_share = _seat_low_grades(ways, schools, scenario, current)
    pupils = np.nan_to_num(ways.pupils) - np.bincount(low_unit, low_pupils, minlength=len(ways.unit_ids))
    pupils = np.maximum(pupils, 0.0)
    costs = build_way_costs(study, rules, scenario, schools, ways)
    travel = combine_schools(costs.travel, members, split)
    pupils[~np.isfinite(travel).any(axis=1)] = 0.0
    links, border_m, barred = _find_links(study, ways, scenario.assignment)
    seat = np.array([seats[zone[0]] for zone in members], dtype=np.int64)
    held = [(int(seats[school]), at) for at, zone in enumerate(members) for school in zone[1:]]
    held = [(unit, at) for unit, at in dict.fromkeys(held) if unit != seat[at] and unit >= 0]
    bridges = add_bridges(len(units), links, seat, travel, NEAREST_BRIDGES)
    travel, on_paper = _open_stranded(travel, spots, links, bridges, seat)
    notes += _note_geography(ways, units, links, bridges, on_paper, ways.pupils)
    notes += _note_places(schools, members)
    return ZoneFacts(
        stage=stage,
        ways=ways,
        costs=costs,
        schools=schools,
        unit_names=_name_units(units),
        members=members,
        split=split,
        places=places,
        seat=seat,
        held=np.array(held, dtype=np.int64).reshape(-1, 2),
        pupils=pupils,
        low_unit=low_unit,
        low_school=low_school,
        low_pupils=low_pupils,
        low_share=low_share,
        travel=travel,
        on_paper=on_paper,
        links=links,
        border_m=border_m,
        barred=barred,
        bridges=bridges,
        current=current,
        outline_m=_measure_units(study, units, "perimeter_m"),
        area_m2=_measure_units(study, units, "area_m2"),
        notes=tuple(notes),
    )


def find_seats(study: StudyArea, schools: pd.DataFrame, ways: Ways, spots: Floats) -> Ints:
    """Return the unit that each school stands in: ``schools.unit_id``, else the nearest demand point; −1 = unplaced."""
    seats = np.full(len(schools), -1, dtype=np.int64)
    about = study.schools.set_index("school_id").reindex(schools["school_id"])
    if "unit_id" in about:
        ids = pd.Index(about["unit_id"].fillna("").astype(str), dtype=object)
        seats = pd.Index(ways.unit_ids, dtype=object).get_indexer(ids).astype(np.int64)
    places = about[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    for school in np.flatnonzero(seats < 0):
        if len(spots) and np.isfinite(places[school]).all():
            seats[school] = int(np.hypot(*(spots - places[school]).T).argmin())
    return seats


def _group_schools(
    schools: pd.DataFrame, seats: Ints, groups: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[tuple[Ints, ...], list[Message]]:
    """Return the schools of every zone, in the order of their first ids, and notes on zones shared by their seats."""
    ids = schools["school_id"].to_numpy(dtype=object)
    complete = ~schools["low_only"].to_numpy(dtype=bool)
    where = {str(key): at for at, key in enumerate(ids)}
    parent = np.arange(len(ids))

    def root(at: int) -> int:
        while parent[at] != at:
            at = int(parent[at])
        return at

    def join(first: int, second: int) -> bool:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
        return low != high

    notes: list[Message] = []
    for name, wanted in groups:
        known = [where[key] for key in wanted if key in where and complete[where[key]]]
        for other in known[1:]:
            join(known[0], other)
        if 0 < len(known) < len(wanted):
            notes.append(msg("Group {name}: schools that do not teach the whole stage are left out.", name=name))
    first_in: dict[int, int] = {}
    for at in np.flatnonzero(complete & (seats >= 0)):
        other = first_in.setdefault(int(seats[at]), int(at))
        if join(other, int(at)):
            pair = msg("{first} and {second}", first=schools["name"].iloc[other], second=schools["name"].iloc[at])
            notes.append(msg("{schools} stand in the same planning unit: they share one zone.", schools=pair))
    roots = np.array([root(at) for at in range(len(ids))], dtype=np.int64)
    kept = [np.flatnonzero((roots == at) & complete) for at in np.unique(roots[complete])]
    return tuple(zone.astype(np.int64) for zone in kept), notes


def _split_places(schools: pd.DataFrame, zone: Ints) -> Floats:
    """Return the share of a zone's pupils for each of its schools: by places where all are known, else even."""
    places = schools["capacity_places"].to_numpy(dtype=np.float64)[zone]
    known = np.isfinite(places).all() and places.sum() > 0
    return places / places.sum() if known else np.full(len(zone), 1.0 / len(zone))


def _pool_places(schools: pd.DataFrame, members: tuple[Ints, ...]) -> Floats:
    places = schools["capacity_places"].to_numpy(dtype=np.float64)
    places = np.where(np.isnan(places), np.inf, places)
    return np.array([places[zone].sum() for zone in members], dtype=np.float64)


def combine_schools(table: Floats, members: tuple[Ints, ...], split: tuple[Floats, ...]) -> Floats:
    """Return a table by zone from one by school (inf = not possible): the mean over the zone's possible schools."""
    if all(len(zone) == 1 for zone in members):
        return table[:, [zone[0] for zone in members]]
    combined = np.full((len(table), len(members)), np.inf)
    for at, (zone, shares) in enumerate(zip(members, split, strict=True)):
        columns = table[:, zone]
        known = np.isfinite(columns)
        weight = known * np.maximum(shares, 1e-12)
        total = weight.sum(axis=1)
        sums = (np.where(known, columns, 0.0) * weight).sum(axis=1)
        combined[:, at] = np.divide(sums, total, out=np.full(len(total), np.inf), where=total > 0)
    return combined


def _seat_low_grades(
    ways: Ways, schools: pd.DataFrame, scenario: Scenario, current: Mapping[int, Ints]
) -> tuple[Ints, Ints, Floats, Floats]:
    """Return unit, teaching point, pupils and share of the unit for the low grades that stay at teaching points."""
    none = np.empty(0, dtype=np.int64)
    if not ways.low_only.any() or scenario.low_grade_share <= 0:
        return none, none, np.empty(0), np.empty(0)
    nearest = find_nearest(ways, measure=scenario.measure, preferred=current)
    table = ways.time_min if scenario.measure == "time" else ways.length_m
    units = np.flatnonzero((nearest >= 0) & ways.low_only[np.maximum(nearest, 0)])
    units = units[np.lexsort((units, table[units, nearest[units]]))]
    places = schools["capacity_places"].to_numpy(dtype=np.float64)
    left = np.where(np.isnan(places), np.inf, places)
    taken = np.zeros(len(units))
    share = np.full(len(units), float(scenario.low_grade_share))
    for row, unit in enumerate(units):
        wanted = float(np.nan_to_num(ways.pupils[unit])) * scenario.low_grade_share
        taken[row] = min(wanted, left[nearest[unit]])
        left[nearest[unit]] -= taken[row]
        if wanted > 0:
            share[row] *= taken[row] / wanted
    kept = share > 0
    return units[kept], nearest[units][kept].astype(np.int64), taken[kept], share[kept]


def _find_links(study: StudyArea, ways: Ways, options: AssignmentOptions) -> tuple[Ints, Floats, Bools]:
    """Return neighbours (each pair once, in the order of ids), their border, and which are parted by a barrier."""
    adjacency = study.adjacency
    index = pd.Index(ways.unit_ids, dtype=object)
    first = index.get_indexer(pd.Index(adjacency.first_ids, dtype=object))
    second = index.get_indexer(pd.Index(adjacency.second_ids, dtype=object))
    known = (first >= 0) & (second >= 0) & (first != second)
    pairs = np.sort(np.column_stack([first, second]), axis=1)[known].astype(np.int64)
    parted = find_parted_pairs(study, options)[known]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], np.asarray(adjacency.border_m, dtype=np.float64)[known][order], parted[order]


def find_parted_pairs(study: StudyArea, options: AssignmentOptions) -> Bools:
    """Return which pairs of neighbours are parted by a barrier that must not be crossed."""
    parted = np.zeros(len(study.adjacency.first_ids), dtype=np.bool_)
    wanted = set(options.barriers)
    tables = [study.adjacency.barriers]
    if options.cross_at == "nowhere":
        tables.append(study.adjacency.crossed)
    for words in tables:
        if wanted and words:
            parted |= np.array([not wanted.isdisjoint(text.split(";")) for text in words], dtype=np.bool_)
    return parted


def _estimate_ways(travel: Floats, spots: Floats, seat: Ints, rows: Ints) -> Floats:
    """Return ways of some units as the straight line times a long detour (95 of 100 known ways have less)."""
    placed = spots[np.maximum(seat, 0)]
    sample = np.linspace(0, len(spots) - 1, min(len(spots), 500)).astype(np.int64)

    def straight(units: Ints) -> Floats:
        gap = spots[units][:, None, :] - placed[None, :, :]
        length_m: Floats = np.hypot(gap[:, :, 0], gap[:, :, 1])
        return length_m

    known_m = straight(sample)
    known = np.isfinite(travel[sample]) & (known_m > 0)
    factor = float(np.quantile(travel[sample][known] / known_m[known], 0.95)) if known.any() else 1.0
    return straight(rows) * factor


def _open_stranded(travel: Floats, spots: Floats, links: Ints, bridges: Ints, seat: Ints) -> tuple[Floats, Bools]:
    """Return the ways with estimates for units that no chain of neighbours joins to a school within reach."""
    opened = np.zeros(len(travel), dtype=np.bool_)
    every = np.vstack([links, bridges])
    while True:
        fresh = np.setdiff1d(find_stranded(np.isfinite(travel), every, seat), np.flatnonzero(opened))
        if not len(fresh):
            return travel, opened
        guess = _estimate_ways(travel, spots, seat, fresh)
        travel = travel.copy()
        travel[fresh] = np.where(np.isfinite(travel[fresh]), travel[fresh], guess)
        opened[fresh] = True


def _note_geography(
    ways: Ways, units: pd.DataFrame, links: Ints, bridges: Ints, on_paper: Bools, pupils: Floats
) -> list[Message]:
    names = _name_units(units)
    notes: list[Message] = []
    cut_off = np.unique(bridges[:, 0]) if len(bridges) else np.empty(0, dtype=np.int64)
    if len(cut_off):
        notes.append(
            msg(
                "{count} units lie on land that borders no unit with a school; they may belong to a zone as exclaves:"
                " {units}.",
                count=len(cut_off),
                units=list_names(names[cut_off]),
            )
        )
    if on_paper.any():
        notes.append(
            msg(
                "{count} units have no way to a school that they can be joined with; they are zoned with an estimated"
                " way: {units}.",
                count=int(on_paper.sum()),
                units=list_names(names[on_paper]),
            )
        )
    unknown = np.isnan(pupils)
    if unknown.any():
        notes.append(
            msg(
                "The pupils of {count} units are not known; they weigh nothing and follow the nearest school.",
                count=int(unknown.sum()),
            )
        )
    return notes


def _note_places(schools: pd.DataFrame, members: tuple[Ints, ...]) -> list[Message]:
    zoned = np.concatenate(members) if members else np.empty(0, dtype=np.int64)
    unknown = zoned[schools["capacity_places"].isna().to_numpy()[zoned]]
    if not len(unknown):
        return []
    names = schools["name"].to_numpy(dtype=object)[unknown]
    return [
        msg(
            "The places of {count} schools are not known; they are taken as unlimited: {schools}.",
            count=len(unknown),
            schools=list_names(names),
        )
    ]


def list_names(names: Iterable[object]) -> Message:
    """Return the first few names, and how many more there are."""
    return name_some([str(name) for name in names])


def _name_units(units: pd.DataFrame) -> npt.NDArray[np.object_]:
    names = units["name"].fillna("").astype(str)
    return names.where(names != "", units["unit_id"].astype(str)).to_numpy(dtype=object)


def _measure_units(study: StudyArea, units: pd.DataFrame, name: str) -> Floats:
    """Return area or perimeter of the shapes whose borders were measured, else of the units; unknown = 0."""
    measured: Floats = np.asarray(getattr(study.adjacency, name), dtype=np.float64)
    if len(measured) == len(units):
        index = pd.Index(study.units["unit_id"].to_numpy(dtype=object))
        in_order: Floats = measured[index.get_indexer(pd.Index(units["unit_id"].to_numpy(dtype=object)))]
        return in_order
    if name not in units:
        return np.zeros(len(units))
    own: Floats = np.nan_to_num(units[name].to_numpy(dtype=np.float64))
    return own
