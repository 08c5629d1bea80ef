"""The plan so far: what an action finds when its turn comes, and what it leaves behind; only while they are applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import STAGES, StudyArea
from geodata.values import find_near_id
from planning.actions import Action
from planning.assignment import Ints, Ways, find_nearest, find_zone_schools
from planning.pins import PIN_COLUMNS, Pins, pin_bands
from planning.rules import Rules
from planning.scenario import Scenario, name_stage
from planning.tables import build_stage_schools, build_ways

CHANGE_COLUMNS = (
    *("number", "year", "school_id", "name", "stage", "what", "kind_before", "kind_after"),
    *("places_before", "places_after", "classes_before", "classes_after", "into", "x_m", "y_m"),
)
BUS_COLUMNS = ("number", "unit_id", "school_id", "time_min", "seats")
BANDS = ("low", "upper")
NAN = float("nan")


@dataclass(frozen=True)
class ActionProblem:
    """What is wrong with one action, or doubtful (``"warning"``), and what would cure it.

    ``number``: place of the action in ``scenario.all_actions``, from 1.
    """

    number: int
    action: Action
    severity: Literal["error", "warning"]
    message: Message
    cure: Message | None = None


@dataclass(frozen=True, eq=False)
class Catchment:
    """Units of a school by grade band, and the schools that share its zone with it (same band), by unit."""

    units: dict[str, list[str]]
    others: dict[str, dict[str, tuple[str, ...]]]


@dataclass(eq=False)
class PlanSoFar:
    """A working copy: ``study`` is replaced, never changed in place.

    ``pins``: schools by stage, band and unit. ``closed``: number of the action that took a stage from a school.
    ``groups``: campuses as (name, school ids). ``locks``: (unit, stage, school) for new zones. ``names`` of all schools
    ever seen. ``later``: number of the action that opens a school, for ids that are not there yet. ``sites``: number of
    the action that took a site. ``own_tables``: minutes and metres by mode that bus lines may write into.
    """

    study: StudyArea
    rules: Rules
    scenario: Scenario
    names: dict[str, str]
    later: dict[str, int]
    pins: dict[str, dict[str, dict[str, tuple[str, ...]]]] = field(default_factory=dict)
    closed: dict[tuple[str, str], int] = field(default_factory=dict)
    groups: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    locks: dict[tuple[str, str], str] = field(default_factory=dict)
    changes: list[dict[str, object]] = field(default_factory=list)
    bus: list[dict[str, object]] = field(default_factory=list)
    problems: list[ActionProblem] = field(default_factory=list)
    sites: dict[str, int] = field(default_factory=dict)
    own_tables: dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = field(default_factory=dict)
    number: int = 0
    action: Action | None = None
    failed: bool = False
    _ways: dict[str, Ways] = field(default_factory=dict)
    _listed: dict[str, pd.DataFrame] = field(default_factory=dict)

    def fail(self, message: Message, cure: Message | None = None) -> None:
        """Note what makes the present action impossible."""
        assert self.action is not None
        self.failed = True
        self.problems.append(ActionProblem(self.number, self.action, "error", message, cure))

    def warn(self, message: Message, cure: Message | None = None) -> None:
        """Note what is doubtful about the present action."""
        assert self.action is not None
        self.problems.append(ActionProblem(self.number, self.action, "warning", message, cure))

    def put(self, **changes: object) -> None:
        """Replace parts of the study."""
        self.study = replace(self.study, **changes)  # type: ignore[arg-type]
        self._ways.clear()
        self._listed.clear()

    def name(self, school_id: str) -> str:
        """Return the name of a school, open or closed; its id where it has none."""
        return self.names.get(school_id) or school_id

    def find_stages(self, school_id: str) -> list[str]:
        """Return the stages that a school teaches now, youngest first."""
        held = set(self.study.places.loc[self.study.places["school_id"] == school_id, "stage"])
        return [stage for stage in STAGES if stage in held] if self.is_open(school_id) else []

    def is_open(self, school_id: str) -> bool:
        """Whether the school is there now."""
        return bool((self.study.schools["school_id"] == school_id).any())

    def about(self, school_id: str, column: str) -> object:
        """Return one value of the row of an open school."""
        rows = self.study.schools.loc[self.study.schools["school_id"] == school_id, column]
        return rows.iloc[0]

    def kind(self, school_id: str) -> str:
        """Return the kind of an open school."""
        return str(self.about(school_id, "kind"))

    def find_places(self, school_id: str, stage: str) -> tuple[float, float]:
        """Return places and classes of an open school's stage, NaN where unknown; classes of the rolls come first."""
        rows = self.study.places
        row = rows[(rows["school_id"] == school_id) & (rows["stage"] == stage)]
        if row.empty:
            return NAN, NAN
        listed = self.list_schools(stage).set_index("school_id")
        classes = listed["classes"].get(school_id, NAN)
        return float(row["capacity_places"].iloc[0]), float(classes)

    def list_schools(self, stage: str) -> pd.DataFrame:
        """Return the schools open for a stage now (``planning.tables.build_stage_schools``)."""
        if stage not in self._listed:
            self._listed[stage] = build_stage_schools(self.study, stage, self.scenario.year)
        return self._listed[stage]

    def is_low_only(self, school_id: str, stage: str) -> bool:
        """Whether the school teaches grades 1 to 3 only."""
        listed = self.list_schools(stage).set_index("school_id")["low_only"]
        return bool(listed.get(school_id, False))

    def class_size(self, stage: str, kind: str) -> float | None:
        """Return the design class size, None where the rulebook has none."""
        return self.rules.limit("design_class_size", stage, kind=kind, year=self.scenario.year)

    def ways(self, stage: str) -> Ways | None:
        """Return the ways of a stage now; None where nobody teaches it or the mode has no travel."""
        if stage not in self._ways:
            schools = self.list_schools(stage)
            if schools.empty or self.scenario.mode not in self.study.travel:
                return None
            self._ways[stage] = build_ways(self.study, self.scenario, schools)
        return self._ways[stage]

    def has_zones(self, stage: str) -> bool:
        """Whether zones of the stage are known."""
        return bool((self.study.zones["stage"] == stage).any())

    def list_pins(self) -> pd.DataFrame:
        """Return the pins as a table (``PIN_COLUMNS``), ordered."""
        rows: list[tuple[str, str, str, str]] = []
        for stage, bands in self.pins.items():
            low, upper = (bands.get(band, {}) for band in BANDS)
            for unit in sorted(low.keys() | upper.keys()):
                if low.get(unit) == upper.get(unit):
                    rows += [(unit, stage, school, "") for school in low[unit]]
                else:
                    rows += [(unit, stage, school, "low") for school in low.get(unit, ())]
                    rows += [(unit, stage, school, "upper") for school in upper.get(unit, ())]
        table = pd.DataFrame(sorted(rows), columns=list(PIN_COLUMNS), dtype=str)
        return table.astype(dict.fromkeys(PIN_COLUMNS, str))

    def pin(self, stage: str, band: str, unit_id: str, school_ids: Iterable[str]) -> None:
        """Say where the pupils of a unit go; no schools: wherever the method sends them."""
        schools = tuple(sorted(set(school_ids)))
        here = self.pins.setdefault(stage, {}).setdefault(band, {})
        if schools:
            here[unit_id] = schools
        else:
            here.pop(unit_id, None)

    def unpin_school(self, school_id: str, stage: str) -> None:
        """Take a closed school out of every pin."""
        for band, here in self.pins.get(stage, {}).items():
            for unit, schools in [item for item in here.items() if school_id in item[1]]:
                self.pin(stage, band, unit, [key for key in schools if key != school_id])

    def find_catchment(self, school_id: str, stage: str) -> Catchment:
        """Return who belongs to a school now: by zones of the stage, where there are any, else the nearest school."""
        if self.has_zones(stage):
            return self._find_zone_catchment(school_id, stage)
        ways = self.ways(stage)
        units: dict[str, list[str]] = {band: [] for band in BANDS}
        at = -1 if ways is None else _find_at(ways.school_ids, school_id)
        if ways is not None and at >= 0:
            low, upper = self._find_nearest(ways, stage)
            units["low"] = [str(key) for key in ways.unit_ids[low == at]]
            units["upper"] = [str(key) for key in ways.unit_ids[upper == at]]
        return Catchment(units, {band: {} for band in BANDS})

    def _find_nearest(self, ways: Ways, stage: str) -> tuple[Ints, Ints]:
        zones = find_zone_schools(ways, self.study.zones[self.study.zones["stage"] == stage])
        measure = self.scenario.measure
        nearest = find_nearest(ways, measure=measure, preferred=zones)
        pins = self._build_pins(ways, stage)
        low, upper = pin_bands(ways, nearest, pins, measure=measure, preferred=zones)
        if upper is None and ways.low_only.any():
            upper = find_nearest(ways, measure=measure, allowed=~ways.low_only, preferred=zones)
        return low, low if upper is None else upper

    def _build_pins(self, ways: Ways, stage: str) -> Pins | None:
        """Return the pins of a stage by position."""
        here = self.pins.get(stage, {})
        if not any(here.values()):
            return None
        unit_at = {str(key): at for at, key in enumerate(ways.unit_ids)}
        school_at = {str(key): at for at, key in enumerate(ways.school_ids)}
        low, upper = (
            {
                unit_at[unit]: np.array(sorted(school_at[key] for key in schools), dtype=np.int64)
                for unit, schools in here.get(band, {}).items()
            }
            for band in BANDS
        )
        return Pins(low, upper)

    def _find_zone_catchment(self, school_id: str, stage: str) -> Catchment:
        rows = self.study.zones[self.study.zones["stage"] == stage]
        own = set(rows.loc[rows["school_id"] == school_id, "unit_id"])
        listed = self.list_schools(stage).set_index("school_id")["low_only"].to_dict()
        units: dict[str, list[str]] = {band: [] for band in BANDS}
        others: dict[str, dict[str, tuple[str, ...]]] = {band: {} for band in BANDS}
        for unit, members in rows[rows["unit_id"].isin(own)].groupby("unit_id")["school_id"]:
            schools = sorted({str(key) for key in members if key in listed})
            points = [key for key in schools if listed[key]]
            complete = [key for key in schools if not listed[key]]
            for band, served in (("low", points or complete), ("upper", complete)):
                if school_id in served:
                    units[band].append(str(unit))
                    others[band][str(unit)] = tuple(key for key in served if key != school_id)
        return Catchment({band: sorted(found) for band, found in units.items()}, others)

    def record(self, school_id: str, stage: str, what: str, **values: object) -> None:
        """Note what changes at a school; what is not said stays as it is now (call it before the change)."""
        there = self.is_open(school_id)
        places, classes = self.find_places(school_id, stage) if there and stage else (NAN, NAN)
        kind = self.kind(school_id) if there else ""
        assert self.action is not None
        row: dict[str, object] = {
            "number": self.number,
            "year": self.action.year,
            "school_id": school_id,
            "name": self.name(school_id),
            "stage": stage,
            "what": what,
            "kind_before": kind,
            "kind_after": kind,
            "places_before": places,
            "places_after": places,
            "classes_before": classes,
            "classes_after": classes,
            "into": "",
            "x_m": float(self.about(school_id, "x_m")) if there else NAN,  # type: ignore[arg-type]
            "y_m": float(self.about(school_id, "y_m")) if there else NAN,  # type: ignore[arg-type]
        }
        self.changes.append({**row, **values})

    def set_school(self, school_id: str, **values: object) -> None:
        """Change columns of one school's row."""
        schools = self.study.schools.copy()
        for column, value in values.items():
            schools.loc[schools["school_id"] == school_id, column] = value
        self.put(schools=schools)

    def set_places(self, school_id: str, stage: str, capacity: float, classes: float, source: str) -> None:
        """Set places and classes of one stage, added where it is new. Planned classes replace counted ones."""
        places = self.study.places
        here = (places["school_id"] == school_id) & (places["stage"] == stage)
        row = pd.DataFrame(
            [(school_id, stage, capacity, classes, source)],
            columns=["school_id", "stage", "capacity_places", "classes", "capacity_source"],
        ).astype({name: places[name].dtype for name in ("school_id", "stage", "capacity_source")})
        rolls = self.study.rolls
        counted = (rolls["school_id"] == school_id) & (rolls["stage"] == stage) & rolls["classes"].notna()
        if counted.any():
            rolls = rolls.assign(classes=rolls["classes"].where(~counted))
        self.put(places=pd.concat([places[~here], row], ignore_index=True), rolls=rolls)

    def add_zones(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Add (unit, stage, school) to the zones, each once."""
        if rows:
            zones = self.study.zones
            more = pd.DataFrame(list(rows), columns=["unit_id", "stage", "school_id"]).astype(
                {name: zones[name].dtype for name in ("unit_id", "stage", "school_id")}
            )
            self.put(zones=pd.concat([zones, more], ignore_index=True).drop_duplicates(ignore_index=True))

    def drop_zones(self, stage: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Take (unit, school) out of the zones of a stage."""
        if pairs:
            zones = self.study.zones
            keys = pd.MultiIndex.from_frame(zones[["unit_id", "school_id"]].astype(str))
            gone = keys.isin(list(pairs)) & (zones["stage"] == stage).to_numpy()
            self.put(zones=zones[~gone].reset_index(drop=True))

    def drop_stages(self, school_id: str, stages: Sequence[str], kind_after: str) -> None:
        """Close stages of a school; with the last one it is gone."""
        places, zones = self.study.places, self.study.zones
        kept = ~((places["school_id"] == school_id) & places["stage"].isin(stages))
        outside = ~((zones["school_id"] == school_id) & zones["stage"].isin(stages))
        for stage in stages:
            self.closed[(school_id, stage)] = self.number
            self.unpin_school(school_id, stage)
        schools = self.study.schools
        if not (places.loc[kept, "school_id"] == school_id).any():
            schools = schools[schools["school_id"] != school_id].reset_index(drop=True)
            self.groups = [(name, tuple(key for key in ids if key != school_id)) for name, ids in self.groups]
            self.bus = [row for row in self.bus if row["school_id"] != school_id]
        self.put(
            places=places[kept].reset_index(drop=True), zones=zones[outside].reset_index(drop=True), schools=schools
        )
        if self.is_open(school_id):
            self.set_school(school_id, kind=kind_after)


def _find_at(ids: npt.NDArray[np.object_], key: str) -> int:
    found = np.flatnonzero(ids == key)
    return int(found[0]) if len(found) else -1


def derive_kind(kind: str, stages: Iterable[str]) -> str:
    """Return the kind that the stages of a school make; ``kind`` where they make none of those known."""
    held = set(stages)
    taught = frozenset(held - {"kindergarten"})
    if not taught:
        return "kindergarten" if held else kind
    if taught == {"primary"}:
        return "teaching_point" if kind == "teaching_point" else "primary"
    return _KINDS.get(taught, kind)


_KINDS = {
    frozenset({"junior"}): "junior",
    frozenset({"senior"}): "senior",
    frozenset({"primary", "junior"}): "nine_year",
    frozenset({"junior", "senior"}): "complete_secondary",
    frozenset({"primary", "junior", "senior"}): "twelve_year",
}


def name_stages(stages: Iterable[str]) -> Message:
    """Return stages in words."""
    words = [name_stage(stage) for stage in stages]
    found = words[0] if words else msg("none")
    for word in words[1:]:
        found = msg("{first}, {second}", first=found, second=word)
    return found


def suggest(wanted: str, known: Iterable[str]) -> Message | None:
    """Return "did you mean", None where nothing is alike."""
    near = find_near_id(wanted, known)
    return msg("Did you mean {name}?", name=near) if near else None
