"""What may be decided upon: the open schools of a stage and the candidate sites, with sizes and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import FrozenArrays, StudyArea
from planning.rules import Rules
from planning.scenario import name_mode, name_stage
from planning.siting_options import SIZES_CLASSES, SitingOptions
from planning.solvers.problems import Bools, Floats
from planning.tables import add_school_sizes, build_stage_schools

GRADES: Mapping[str, int] = {"kindergarten": 3, "primary": 6, "junior": 3, "senior": 3}
"""Grades of each stage: how a site for several stages shares out its classes, and the fewest classes of a school."""
LOW_GRADES = 3
"""Grades of a teaching point."""
NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Facilities(FrozenArrays):
    """Schools and sites, one position each: schools first, both by id.

    Parameters
    ----------
    ids, names : one per facility
    is_site, fixed, low_only, alone : shape (facilities,)
        Candidate site; neither closed nor extended and without cost (private); teaching point; teaches no other stage.
    may_close, may_grow : shape (facilities,)
        May be closed; may be extended (a school) or built (a site).
    places, classes : shape (facilities,)
        Of today, 0 for sites; ``inf`` places = not known, so without limit; NaN classes = not known.
    class_size : shape (facilities,)
        Pupils per class that places are counted with; NaN = the rulebook has none.
    roll_pupils : shape (facilities,)
        On the roll today; NaN = not known, and for sites.
    least_classes : shape (facilities,)
        Classes that the school runs however few its pupils are: one per grade, or its classes of today if fewer.
    sizes_classes, building_cny : one tuple per facility
        Classes that can be added (school) or built (site), ascending, and the whole cost of each.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    is_site: Bools
    fixed: Bools
    low_only: Bools
    alone: Bools
    may_close: Bools
    may_grow: Bools
    places: Floats
    classes: Floats
    class_size: Floats
    roll_pupils: Floats
    least_classes: Floats
    sizes_classes: tuple[tuple[float, ...], ...]
    building_cny: tuple[tuple[float, ...], ...]

    @property
    def count(self) -> int:
        """Number of facilities."""
        return len(self.ids)

    def position(self) -> dict[str, int]:
        """Return positions by id."""
        return {key: at for at, key in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class FacilityList:
    """The facilities, the sites left out (site_id, reason), and what the reader must know.

    ``table`` has the columns that ``planning.tables.build_ways`` asks for, one row per facility.
    """

    facilities: Facilities
    table: pd.DataFrame
    left_out: pd.DataFrame
    notes: tuple[Message, ...]


@dataclass
class _Row:
    """One facility while it is put together."""

    key: str
    name: str
    is_site: bool
    fixed: bool = False
    low_only: bool = False
    alone: bool = True
    may_close: bool = False
    may_grow: bool = False
    places: float = 0.0
    classes: float = 0.0
    class_size: float = NAN
    roll_pupils: float = NAN
    least_classes: float = 0.0
    sizes: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()
    full: bool = False


@dataclass
class _Gathered:
    """What is found on the way."""

    rows: list[_Row] = field(default_factory=list)
    left_out: list[tuple[str, Message]] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


def list_facilities(
    study: StudyArea,
    rules: Rules,
    options: SitingOptions,
    *,
    year: int | None,
    blocked: Mapping[str, Message] | None = None,
) -> FacilityList:
    """Return the open schools of the stage and the sites that it may be built on.

    Parameters
    ----------
    study
        After the base scenario's actions.
    year
        Of rolls and rules; None: the latest.
    blocked
        Why a siting rule forbids a school, by site.
    """
    found = _Gathered()
    schools = add_school_sizes(build_stage_schools(study, options.stage, year), study, year)
    taught = study.places.groupby("school_id")["stage"].nunique()
    for row in schools.to_dict("records"):
        found.rows.append(_read_school(row, rules, options, int(taught.get(row["school_id"], 1)), year))
    full = sum(row.full and not row.fixed for row in found.rows)
    if full and options.may_close is None:
        found.notes.append(
            msg(
                "{count} schools are full by their rolls: their closing is not proposed unless it is named as allowed.",
                count=full,
            )
        )
    unknown = [row.name for row in found.rows if math.isinf(row.places)]
    if unknown:
        found.notes.append(
            msg("The places of {count} schools are not known: they count as without limit.", count=len(unknown))
        )
    guessed = int(schools["capacity_places"].isna().sum()) - len(unknown)
    if guessed:
        found.notes.append(
            msg(
                "The places of {count} schools are not known: they are counted from their classes, or taken to be their"
                " rolls. Run as a scenario they are without limit.",
                count=guessed,
            )
        )
    held = {row.key for row in found.rows}
    _read_sites(found, study, rules, options, year=year, blocked=blocked or {}, held=held)
    return _compose(found, options.stage)


def _read_school(row: Mapping[Any, Any], rules: Rules, options: SitingOptions, stages: int, year: int | None) -> _Row:
    """Return one open school; places are counted with ``max_class_size`` where that is asked and lowers them."""
    stage, kind, key = options.stage, str(row["kind"]), str(row["school_id"])
    design = rules.limit("design_class_size", stage, kind=kind, year=year)
    size = options.rules.max_class_size or design or NAN
    classes, places = float(row["classes"]), float(row["capacity_places"])
    if math.isnan(places):
        roll = float(row["actual_pupils"])
        places = classes * size if classes * size > 0 else (roll if roll > 0 else math.inf)
    rooms = places / design if design and math.isfinite(places) else classes
    rooms = max(classes, rooms) if classes > 0 else rooms
    if options.rules.max_class_size and rooms > 0:
        places = min(places, math.floor(rooms + 1e-9) * options.rules.max_class_size)
    private = row["ownership"] == "private"
    nearly = rules.limit("nearly_full_from", stage, kind=kind, year=year) or 1.0
    full = float(row["fill_share"]) >= min(1.0, nearly)
    held = classes if classes > 0 else (round(rooms, 1) if math.isfinite(rooms) else NAN)
    joint = float(row["size_classes"])
    most = _limit_classes(rules, options, kind, year)
    now = max(value for value in (held, joint, 0.0) if not math.isnan(value))
    sizes = tuple(float(add) for add in sorted(set(options.expand_classes)) if now + add <= most)
    grades = LOW_GRADES if row["low_only"] else GRADES[stage]
    protected = key in options.rules.protected
    return _Row(
        key=key,
        name=str(row["name"]),
        is_site=False,
        fixed=private,
        low_only=bool(row["low_only"]),
        alone=stages == 1,
        may_close=not private
        and not protected
        and (key in options.may_close if options.may_close is not None else not full),
        may_grow=not private and _is_named(options.may_expand, key) and math.isfinite(places) and size > 0,
        places=places,
        classes=held,
        class_size=size,
        roll_pupils=float(row["actual_pupils"]),
        least_classes=min(grades, held) if held > 0 else grades,
        sizes=sizes,
        costs=tuple(add * size * options.costs.expanding_cny_per_place for add in sizes),
        full=full,
    )


def _is_named(ids: tuple[str, ...] | None, key: str) -> bool:
    return ids is None or key in ids


def _limit_classes(rules: Rules, options: SitingOptions, kind: str, year: int | None) -> float:
    asked = options.rules.max_classes
    if asked is not None:
        return float(asked)
    limit = rules.limit("max_classes", options.stage, kind=kind, year=year)
    return math.inf if limit is None else limit


def _read_sites(
    found: _Gathered,
    study: StudyArea,
    rules: Rules,
    options: SitingOptions,
    *,
    year: int | None,
    blocked: Mapping[str, Message],
    held: set[str],
) -> None:
    """Add the sites that fit the stage, and say why the others do not."""
    stage = options.stage
    size = options.rules.max_class_size or rules.limit("design_class_size", stage, year=year)
    shared, reached = False, _find_reached(study, options)
    for site in study.sites.sort_values("site_id", kind="stable").to_dict("records"):
        key = str(site["site_id"])
        stages = _split(site.get("stages"))
        classes = _read_sizes(site, rules, options, year)
        if not _is_named(options.may_open, key):
            continue
        reason = None
        if stages and stage not in stages:
            reason = msg("It is not meant for {stage}.", stage=name_stage(stage))
        elif key in blocked:
            reason = blocked[key]
        elif key in held:
            reason = msg("A school of the same id is open already.")
        elif key not in reached:
            reason = msg("Nobody has a way to it {mode}.", mode=name_mode(options.mode))
        elif size is None:
            reason = msg("The rulebook has no design class size for {stage}.", stage=name_stage(stage))
        elif not classes:
            reason = msg("None of its sizes is within the most classes of a school.")
        if reason is not None:
            found.left_out.append((key, reason))
            continue
        assert size is not None
        shared |= len(stages) > 1
        cost = _price_site(site, classes, size, stages, options)
        name = str(site.get("name") or key)
        found.rows.append(
            _Row(key, name, True, may_grow=True, class_size=size, sizes=classes, costs=cost)  # nothing stands there yet
        )
    if shared:
        found.notes.append(
            msg(
                "Sites for several stages: this stage takes classes and cost in proportion to its grades; the other"
                " stages are not part of the proposal."
            )
        )


def _find_reached(study: StudyArea, options: SitingOptions) -> set[str]:
    """Return the places to which at least one unit has a way."""
    travel = study.travel[options.mode]
    known: Bools = np.asarray((np.isfinite(travel.time_min) | np.isfinite(travel.length_m)).any(axis=0))
    return {str(key) for key, there in zip(travel.destination_ids, known, strict=True) if there}


def _split(value: object) -> list[str]:
    text = "" if value is None or value != value else str(value)
    return [part.strip() for part in text.split(";") if part.strip()]


def _read_sizes(site: Mapping[Any, Any], rules: Rules, options: SitingOptions, year: int | None) -> tuple[float, ...]:
    """Return the sizes of a site in classes of the stage: its own, else those asked for, else those of the rulebook."""
    stages = _split(site.get("stages")) or [options.stage]
    own = [float(part) for part in _split(site.get("class_options")) if part.replace(".", "", 1).isdigit()]
    if own and len(stages) > 1:
        total = sum(GRADES.get(stage, 0) for stage in stages)
        own = [math.floor(size * GRADES[options.stage] / total + 1e-9) for size in own]
    sizes = own or [float(size) for size in options.sizes_classes] or _list_steps(rules, options.stage)
    most = _limit_classes(rules, options, options.stage, year)
    return tuple(sorted({size for size in sizes if 0 < size <= most}))


def _list_steps(rules: Rules, stage: str) -> list[float]:
    """Return the sizes that the rulebook's schools are built for; else those of the program."""
    rule = rules.find("urban_scale_steps", stage)
    steps = rule.params.get(stage) if rule is not None else None
    return [float(step) for step in steps or SIZES_CLASSES]


def _price_site(
    site: Mapping[Any, Any], classes: tuple[float, ...], size: float, stages: list[str], options: SitingOptions
) -> tuple[float, ...]:
    """Return the cost of each size: the site's own for the largest and the others in proportion; else by place."""
    whole = site.get("cost_cny")
    if whole is None or whole != whole:
        return tuple(count * size * options.costs.building_cny_per_place for count in classes)
    part = GRADES[options.stage] / sum(GRADES.get(stage, 0) for stage in stages) if len(stages) > 1 else 1.0
    return tuple(float(whole) * part * count / classes[-1] for count in classes)


def _compose(found: _Gathered, stage: str) -> FacilityList:
    rows = found.rows

    def flags(name: str) -> Bools:
        return np.array([getattr(row, name) for row in rows], dtype=np.bool_)

    def numbers(name: str) -> Floats:
        return np.array([getattr(row, name) for row in rows], dtype=np.float64)

    facilities = Facilities(
        ids=tuple(row.key for row in rows),
        names=tuple(row.name for row in rows),
        is_site=flags("is_site"),
        fixed=flags("fixed"),
        low_only=flags("low_only"),
        alone=flags("alone"),
        may_close=flags("may_close"),
        may_grow=flags("may_grow"),
        places=numbers("places"),
        classes=numbers("classes"),
        class_size=numbers("class_size"),
        roll_pupils=numbers("roll_pupils"),
        least_classes=numbers("least_classes"),
        sizes_classes=tuple(row.sizes for row in rows),
        building_cny=tuple(row.costs for row in rows),
    )
    table = pd.DataFrame(
        {
            "school_id": pd.Series([row.key for row in rows], dtype=str),
            "stage": stage,
            "low_only": facilities.low_only,
            "capacity_places": facilities.places,
        }
    )
    left_out = pd.DataFrame(found.left_out, columns=["site_id", "reason"])
    return FacilityList(facilities, table, left_out, tuple(found.notes))
