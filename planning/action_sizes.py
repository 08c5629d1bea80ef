"""Actions that keep a school where it is: places, stages, teaching points, beds."""

from __future__ import annotations

import math

import numpy as np

from geodata.messages import msg
from geodata.study import STAGES
from planning.action_checks import check_kind, check_left, check_school, count_places
from planning.action_state import PlanSoFar, derive_kind, name_stages
from planning.actions import AddBoarding, ChangePlaces, ChangeStages, MakeTeachingPoint
from planning.scenario import name_stage

UPPER_FROM = 4
"""First grade that a teaching point does not teach."""


def change_places(state: PlanSoFar, action: ChangePlaces) -> None:
    """Expand or shrink one stage of a school."""
    if not check_school(state, action.school_id, action.stage):
        return
    places, classes = state.find_places(action.school_id, action.stage)
    found = _find_new_size(state, action, places, classes)
    if found is None:
        return
    capacity, new_classes, source = found
    if capacity < 0 or new_classes < 0:
        state.fail(
            msg("{school} has {places:,.0f} places for {stage}: they cannot shrink by {less:,.0f}.",
                school=state.name(action.school_id), stage=name_stage(action.stage), places=places,
                less=places - capacity),
            msg("Take away fewer places, or close the school."),
        )  # fmt: skip
        return
    if capacity == 0:
        state.warn(
            msg("{school} keeps no place for {stage}.", school=state.name(action.school_id),
                stage=name_stage(action.stage)),
            msg("Close the school where that is meant."),
        )  # fmt: skip
    state.record(action.school_id, action.stage, "places", places_after=capacity, classes_after=new_classes)
    state.set_places(action.school_id, action.stage, capacity, new_classes, source)


def _find_new_size(
    state: PlanSoFar, action: ChangePlaces, places: float, classes: float
) -> tuple[float, float, str] | None:
    """Return places, classes and source after the change; classes follow places at the class size of today."""
    kind, name = state.kind(action.school_id), state.name(action.school_id)
    size = state.class_size(action.stage, kind)
    if action.capacity_places is not None or action.classes is not None:
        found = count_places(state, action.stage, kind, action.capacity_places, action.classes)
        if found is None or not math.isnan(found[1]):
            return found
        return found[0], _scale_classes(places, classes, found[0], size), found[2]
    added = action.add_places
    if added is None:
        if size is None:
            count_places(state, action.stage, kind, None, action.add_classes)
            return None
        added = float(action.add_classes or 0.0) * size
    if math.isnan(places):
        state.fail(
            msg("The places of {school} for {stage} are not known, so they cannot be changed by a number.",
                school=name, stage=name_stage(action.stage)),
            msg("Give the new number of places."),
        )  # fmt: skip
        return None
    if action.add_classes is not None:
        return places + added, classes + action.add_classes, "given"
    return places + added, _scale_classes(places, classes, places + added, size), "given"


def _scale_classes(places: float, classes: float, capacity: float, size: float | None) -> float:
    """Return classes for a new number of places: as many pupils to a class as now, else as designed; NaN unknown."""
    if capacity == places:
        return classes
    if places > 0 and classes > 0:
        size = places / classes
    if size is None or not size > 0:
        return float("nan")
    return float(math.ceil(capacity / size - 1e-9)) if capacity > 0 else min(0.0, capacity)


def make_teaching_point(state: PlanSoFar, action: MakeTeachingPoint) -> None:
    """Keep grades 1 to 3 of a primary school."""
    key = action.school_id
    if not check_school(state, key):
        return
    stages = state.find_stages(key)
    name = state.name(key)
    if "primary" not in stages:
        state.fail(
            msg("{school} does not teach primary grades, so it cannot become a teaching point.", school=name),
            msg("A teaching point teaches grades 1 to 3 of primary school."),
        )
        return
    if state.is_low_only(key, "primary"):
        state.fail(msg("{school} is a teaching point already.", school=name), msg("Remove this action."))
        return
    more = [stage for stage in stages if stage not in ("kindergarten", "primary")]
    if more:
        state.fail(
            msg("{school} also teaches {stages}: a teaching point does not.", school=name, stages=name_stages(more)),
            msg("Drop these stages first."),
        )
        return
    if not check_left(state, [key], ["primary"], closing=False):
        return
    places, classes = state.find_places(key, "primary")
    sized = action.capacity_places is not None or action.classes is not None
    if sized:
        found = count_places(state, "primary", "teaching_point", action.capacity_places, action.classes)
        if found is None:
            return
        size = state.class_size("primary", "teaching_point")
        new = found[1] if not math.isnan(found[1]) else _scale_classes(places, classes, found[0], size)
        state.record(
            key, "primary", "teaching_point", kind_after="teaching_point", places_after=found[0], classes_after=new
        )
        state.set_places(key, "primary", found[0], new, found[2])
    else:
        state.record(key, "primary", "teaching_point", kind_after="teaching_point")
    state.set_school(key, kind="teaching_point")
    _drop_upper_rolls(state, key)
    for unit in list(state.pins.get("primary", {}).get("upper", {})):
        left = [school for school in state.pins["primary"]["upper"][unit] if school != key]
        state.pin("primary", "upper", unit, left)


def _drop_upper_rolls(state: PlanSoFar, school_id: str) -> None:
    """Take the grades that a teaching point does not teach out of its rolls: they would make it count as complete."""
    rolls = state.study.rolls
    gone = (rolls["school_id"] == school_id) & (rolls["stage"] == "primary") & (rolls["grade"] >= UPPER_FROM)
    if gone.any():
        state.put(rolls=rolls[~gone].reset_index(drop=True))


def change_stages(state: PlanSoFar, action: ChangeStages) -> None:
    """Add or drop stages of a school."""
    key = action.school_id
    if not check_school(state, key):
        return
    name, held = state.name(key), state.find_stages(key)
    for item in action.add:
        if item.stage in held:
            state.fail(
                msg("{school} teaches {stage} already.", school=name, stage=name_stage(item.stage)),
                msg("Change its places instead."),
            )
    missing = [stage for stage in action.drop if not check_school(state, key, stage)]
    after = [stage for stage in STAGES if (stage in held and stage not in action.drop)
             or stage in {item.stage for item in action.add}]  # fmt: skip
    check_kind(state, action.becomes, after)
    if not after:
        state.fail(msg("{school} would be left without any stage.", school=name), msg("Close the school instead."))
    if state.failed or missing or not check_left(state, [key], action.drop):
        return
    kind = action.becomes or derive_kind(state.kind(key), after)
    sizes = [count_places(state, item.stage, kind, item.capacity_places, item.classes) for item in action.add]
    if any(size is None for size in sizes):
        return
    for stage in action.drop:
        state.record(key, stage, "stages", kind_after=kind, places_after=0.0, classes_after=0.0)
    for item, size in zip(action.add, sizes, strict=True):
        assert size is not None
        design = state.class_size(item.stage, kind)
        classes = size[1] if not math.isnan(size[1]) else _scale_classes(np.nan, np.nan, size[0], design)
        state.record(key, item.stage, "stages", kind_after=kind, places_before=0.0, classes_before=0.0,
                     places_after=size[0], classes_after=classes)  # fmt: skip
        state.set_places(key, item.stage, size[0], classes, size[2])
        state.closed.pop((key, item.stage), None)
        if state.has_zones(item.stage) and state.scenario.enrolment == "zones":
            state.warn(
                msg("No unit has {school} in its zone for {stage} yet.", school=name, stage=name_stage(item.stage)),
                msg("Move units to it, or propose new zones."),
            )
    state.drop_stages(key, action.drop, kind)
    state.set_school(key, kind=kind)


def add_boarding(state: PlanSoFar, action: AddBoarding) -> None:
    """Add beds to a school."""
    key = action.school_id
    if not check_school(state, key):
        return
    stages = state.find_stages(key)
    if stages == ["kindergarten"]:
        state.fail(
            msg("{school} is a kindergarten: its children do not board.", school=state.name(key)),
            msg("Run a bus instead, or choose a school."),
        )
        return
    if stages and set(stages) <= {"kindergarten", "primary"} and state.is_low_only(key, "primary"):
        state.warn(
            msg("{school} teaches grades 1 to 3 only, who must not board.", school=state.name(key)),
            msg("Put the beds at the school that takes grades 4 to 6."),
        )
    beds = float(state.about(key, "boarding_places"))  # type: ignore[arg-type]
    after = action.beds + (0.0 if math.isnan(beds) else beds)
    state.record(key, "", "boarding", places_before=beds, places_after=after)
    state.set_school(key, boarding_places=after)
