"""The forms of the steps that a school can take: close, merge, teaching point, places, stages, beds, bus line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from geodata.study import STAGES, Stage
from planning.actions import (
    Action,
    AddBoarding,
    AddBusLine,
    ChangePlaces,
    ChangeStages,
    CloseSchool,
    MakeTeachingPoint,
    MergeSchools,
    StagePlaces,
)
from reports.language import Translator
from reports.legend import name_stage_short
from ui.rulebooks import read_rules
from ui.scenario_pick import start_pick
from ui.scenario_view import Offer, View, add_action, find_row, read_number
from ui.scenario_who import read_who
from ui.state import translator
from ui.text import clean, plain

MOST_NEAREST = 400


def list_stages(view: View, school_id: str) -> list[Stage]:
    """Return the stages that a school teaches after the steps so far."""
    places = view.after.places
    taught = set(places.loc[places["school_id"].astype(str) == school_id, "stage"].astype(str))
    return [stage for stage in STAGES if stage in taught]


def list_tasks(view: View, school_id: str, _: Translator) -> dict[str, str]:
    """Return the steps that make sense at a school, with their names."""
    stages = list_stages(view, school_id)
    row = find_row(view.after.schools, "school_id", school_id)
    kind = "" if row is None else str(row["kind"])
    tasks = {"close": _("Close down"), "merge": _("Merge")}
    if "primary" in stages and kind != "teaching_point":
        tasks["teaching_point"] = _("Teaching point")
    return {
        **tasks,
        "places": _("Places"),
        "stages": _("Stages"),
        "boarding": _("Beds"),
        **({"bus": _("Bus line")} if "drive" in view.study.travel else {}),
    }


def render_school_form(view: View, school_id: str, task: str, _: Translator) -> None:
    """Draw the form of one step."""
    forms: dict[str, Callable[[View, str, Translator], None]] = {
        "close": _render_close,
        "merge": _render_merge,
        "teaching_point": _render_point,
        "places": _render_places,
        "stages": _render_stages,
        "boarding": _render_beds,
        "bus": _render_bus,
    }
    if task in forms:
        forms[task](view, school_id, _)


def add_button(view: View, label: str, build: Callable[[], Action], *, key: str, ready: bool = True) -> None:
    """Draw the button that puts a step into the scenario; below it what the step would do, once it is known."""

    _ = translator()

    def add() -> None:
        add_action(build(), view.names)

    named = bool(read_who())
    st.button(label, type="primary", key=key, on_click=add, disabled=not (ready and named), width="stretch")
    if not named:
        st.caption(_("Give your name first: it stands beside every change."))
    place = st.empty()
    if ready:
        view.offers.append(Offer(build, place))


def _choose_stages(view: View, school_id: str, key: str, _: Translator) -> tuple[Stage, ...]:
    """Draw which stages are meant; empty for the whole school, which is not asked where there is one stage."""
    stages = list_stages(view, school_id)
    if len(stages) < 2:
        return ()
    chosen = st.pills(
        _("Stages (none chosen: the whole school)"),
        stages,
        format_func=lambda name: name_stage_short(name, _),
        selection_mode="multi",
        key=key,
    )
    found = tuple(stage for stage in stages if stage in chosen)
    return () if len(found) == len(stages) else found


def _render_close(view: View, school_id: str, _: Translator) -> None:
    stages = _choose_stages(view, school_id, f"scenario_close_stages_{school_id}", _)
    st.caption(
        _("Its pupils go where the rule of this scenario sends them: to the nearest school, or as places allow.")
    )
    add_button(
        view,
        _("Close this school"),
        lambda: CloseSchool(school_id=school_id, stages=stages),
        key="scenario_add_close",
    )


def list_near(view: View, school_id: str, stages: tuple[Stage, ...]) -> dict[str, str]:
    """Return the other open schools with one of the stages, the nearest first, each with its distance."""
    schools, places = view.after.schools, view.after.places
    wanted = set(stages or list_stages(view, school_id))
    taught = set(places.loc[places["stage"].isin(wanted), "school_id"].astype(str))
    own = find_row(schools, "school_id", school_id)
    if own is None:
        return {}
    ids = schools["school_id"].astype(str).to_numpy()
    away = np.hypot(schools["x_m"].to_numpy() - float(own["x_m"]), schools["y_m"].to_numpy() - float(own["y_m"]))
    order = [number for number in np.argsort(away) if ids[number] in taught and ids[number] != school_id]
    return {
        str(ids[number]): f"{clean(view.name(str(ids[number])), longest=40)} · {away[number] / 1000:.1f} km"
        for number in order[:MOST_NEAREST]
    }


def pick_list(key: str, kind: str, of: dict[str, str], options: dict[str, str], label: str, empty: str) -> list[str]:
    """Draw a list into which clicks on the map go; returns what is in it."""
    start_pick(kind, key, of)
    kept = [item for item in st.session_state.get(key) or [] if item in options]
    st.session_state[key] = kept
    return st.multiselect(
        label,
        list(options),
        format_func=lambda item: options.get(item, item),
        key=key,
        placeholder=empty,
        select_all=False,
    )


def _render_merge(view: View, school_id: str, _: Translator) -> None:
    stages = _choose_stages(view, school_id, f"scenario_merge_stages_{school_id}", _)
    into = pick_list(
        f"scenario_into_{school_id}",
        "school",
        {"kind": "school", "id": school_id},
        list_near(view, school_id, stages),
        _("Into: click schools on the map, or choose"),
        _("nearest first"),
    )
    campus = st.checkbox(
        _("Stays in use as a campus"),
        key=f"scenario_campus_{school_id}",
        disabled=len(into) != 1,
        help=_("The building stays, places are counted together, nobody has to move. One receiving school only."),
    )
    add_button(
        view,
        _("Merge"),
        lambda: MergeSchools(
            school_ids=(school_id,), into=tuple(into), stages=stages, as_campus=campus and len(into) == 1
        ),
        key="scenario_add_merge",
        ready=bool(into),
    )


def _render_point(view: View, school_id: str, _: Translator) -> None:
    st.caption(_("Grades 1 to 3 stay; grades 4 to 6 go to other schools. Teaching points keep their places."))
    add_button(
        view,
        _("Make it a teaching point"),
        lambda: MakeTeachingPoint(school_id=school_id),
        key="scenario_add_point",
    )


def _choose_stage(view: View, school_id: str, key: str, _: Translator) -> Stage:
    stages = list_stages(view, school_id)
    first = view.stage if view.stage in stages else stages[0]
    if len(stages) < 2:
        return first
    if st.session_state.get(key) not in stages:
        st.session_state[key] = first
    chosen = st.segmented_control(
        _("Stage"), stages, format_func=lambda name: name_stage_short(name, _), key=key, required=True
    )
    return chosen or first


def _render_places(view: View, school_id: str, _: Translator) -> None:
    stage = _choose_stage(view, school_id, f"scenario_places_stage_{school_id}", _)
    rows = view.after.places
    row = find_row(rows[rows["stage"] == stage], "school_id", school_id)
    now = {"classes": read_number(row, "classes"), "places": read_number(row, "capacity_places")}
    words = {"classes": _("By classes"), "places": _("By places")}
    by = st.segmented_control(
        _("New size"),
        list(words),
        format_func=words.__getitem__,
        key="scenario_places_by",
        default="classes",
        required=True,
    )
    by = by or "classes"
    value = now[by]
    key = f"scenario_places_{by}_{school_id}_{stage}"
    size = st.number_input(
        _("Classes") if by == "classes" else _("Places"),
        min_value=0,
        step=1 if by == "classes" else 45,
        value=round(value) if math.isfinite(value) else 0,
        key=key,
    )
    known = _say_now(now, _)
    if by == "classes":
        known += " " + _say_design(view, school_id, stage, size, _)
    st.caption(plain(known, longest=300))
    field: dict[str, Any] = {"classes": float(size)} if by == "classes" else {"capacity_places": float(size)}
    add_button(
        view,
        _("Change the size"),
        lambda: ChangePlaces(school_id=school_id, stage=stage, **field),
        key="scenario_add_places",
        ready=not math.isfinite(value) or size != round(value),
    )


def _say_design(view: View, school_id: str, stage: Stage, classes: float, _: Translator) -> str:
    """Say how many places so many classes count for; those of a county may have been given by another measure."""
    about = find_row(view.after.schools, "school_id", school_id)
    kind = "" if about is None else str(about["kind"])
    design = read_rules(view.rulebook).limit("design_class_size", stage, kind=kind, year=view.scenario.year)
    if design is None:
        return ""
    return _(
        "{classes} classes are counted as {places} places, by the class size that the rules design for.",
        classes=_.number(classes),
        places=_.number(classes * design),
    )


def _say_now(now: dict[str, float], _: Translator) -> str:
    parts = [
        *([_("{count} classes", count=_.number(now["classes"]))] if math.isfinite(now["classes"]) else []),
        *([_("{count} places", count=_.number(now["places"]))] if math.isfinite(now["places"]) else []),
    ]
    return _("So far: {words}.", words=" · ".join(parts) or _("not known"))


def _render_stages(view: View, school_id: str, _: Translator) -> None:
    have = list_stages(view, school_id)
    free = [stage for stage in STAGES if stage not in have]
    add = st.multiselect(
        _("Add"),
        free,
        format_func=lambda name: name_stage_short(name, _),
        key=f"scenario_add_{school_id}",
        placeholder=_("nothing"),
        select_all=False,
    )
    sizes = tuple(
        StagePlaces(
            stage,
            classes=float(
                st.number_input(
                    _("Classes: {stage}", stage=name_stage_short(stage, _)),
                    min_value=1,
                    value=6,
                    key=f"scenario_add_{school_id}_{stage}",
                )
            ),
        )
        for stage in add
    )
    drop = st.multiselect(
        _("Give up"),
        have,
        format_func=lambda name: name_stage_short(name, _),
        key=f"scenario_drop_{school_id}",
        placeholder=_("nothing"),
        select_all=False,
    )
    st.caption(_("A primary school that gets a junior stage becomes a nine-year school."))
    whole = len(drop) == len(have) and not add
    if whole:
        st.caption(":orange[●] " + _("To give up every stage, close the school."))
    add_button(
        view,
        _("Change the stages"),
        lambda: ChangeStages(school_id=school_id, add=sizes, drop=tuple(drop)),
        key="scenario_add_stages",
        ready=bool(add or drop) and not whole,
    )


def _render_beds(view: View, school_id: str, _: Translator) -> None:
    row = find_row(view.after.schools, "school_id", school_id)
    beds = read_number(row, "boarding_places")
    count = st.number_input(_("Beds to add"), min_value=1, step=10, value=50, key=f"scenario_beds_{school_id}")
    words = _(
        "So far: {words}.", words=_("{count} beds", count=_.number(beds)) if math.isfinite(beds) else _("not known")
    )
    st.caption(plain(words + " " + _("Grades 1 to 3 must not board.")))
    add_button(
        view,
        _("Add beds"),
        lambda: AddBoarding(school_id=school_id, beds=float(count)),
        key="scenario_add_beds",
    )


def list_units(view: View) -> dict[str, str]:
    """Return the names of the communities by id, with their town where that is known."""
    units = view.study.units
    towns = units["town"].fillna("").astype(str)
    return {
        str(key): clean(f"{name or key} · {town}" if town else name or key, longest=60)
        for key, name, town in zip(units["unit_id"], units["name"].fillna("").astype(str), towns, strict=True)
    }


def render_bus_terms(key: str, _: Translator) -> tuple[float | None, float, float]:
    """Draw seats, time factor and wait of a bus line."""
    seats = st.number_input(_("Seats (empty: not limited)"), min_value=1, value=None, step=10, key=f"{key}_seats")
    left, right = st.columns(2)
    hint = _("Stops and detours: the ride takes the time by car times this.")
    factor = left.number_input(
        _("Ride ÷ car"), min_value=1.0, max_value=10.0, value=1.5, step=0.1, key=f"{key}_f", help=hint
    )
    wait = right.number_input(_("Wait (min)"), min_value=0.0, max_value=120.0, value=5.0, step=1.0, key=f"{key}_w")
    return (None if seats is None else float(seats)), float(factor), float(wait)


def _render_bus(view: View, school_id: str, _: Translator) -> None:
    units = pick_list(
        f"scenario_bus_{school_id}",
        "unit",
        {"kind": "school", "id": school_id},
        list_units(view),
        _("From: click communities on the map, or choose"),
        _("none yet"),
    )
    seats, factor, wait = render_bus_terms(f"scenario_bus_terms_{school_id}", _)
    add_button(
        view,
        _("Add the bus line"),
        lambda: AddBusLine(school_id=school_id, unit_ids=tuple(units), seats=seats, time_factor=factor, wait_min=wait),
        key="scenario_add_bus",
        ready=bool(units),
    )
