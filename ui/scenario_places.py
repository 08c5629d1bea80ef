"""Forms of steps that begin at a community or a candidate site: open a school, move the community, a bus line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from geodata.study import STAGES, Stage
from planning.actions import AddBusLine, MoveUnits, OpenSchool, StagePlaces
from reports.language import Translator
from reports.legend import name_stage_short
from ui.scenario_forms import add_button, list_units, pick_list, render_bus_terms
from ui.scenario_view import View, read_number
from ui.text import clean

DEFAULT_CLASSES = 12
MOST_NEAREST = 400


def list_unit_tasks(view: View, _: Translator) -> dict[str, str]:
    """Return the steps that make sense at a community, with their names."""
    tasks = {"open": _("Open a school here"), "move": _("Move to another school")}
    if view.scenario.enrolment == "choice":
        tasks.pop("move")  # families choose: nobody can be moved
    return {**tasks, **({"bus": _("Bus line")} if "drive" in view.study.travel else {})}


def suggest_id(view: View) -> str:
    """Return an id that no school has, in the study or in a step."""
    taken = set(view.study.schools["school_id"].astype(str)) | set(view.names)
    return next(f"new-{number}" for number in range(1, 10_000) if f"new-{number}" not in taken)


def render_unit_form(view: View, unit_id: str, task: str, _: Translator) -> None:
    """Draw the form of one step."""
    if task == "open":
        render_open(view, unit_id, "", _)
    elif task == "move":
        _render_move(view, unit_id, _)
    elif task == "bus":
        _render_bus(view, unit_id, _)


def read_site_options(row: pd.Series) -> tuple[list[int], list[Stage]]:
    """Return the sizes in classes that fit on a site, and the stages that may be built; both may be empty."""
    sizes = [int(part) for part in str(row.get("class_options") or "").split(";") if part.strip().isdigit()]
    named = {part.strip() for part in str(row.get("stages") or "").split(";")}
    return sizes, [stage for stage in STAGES if stage in named]


def render_open(view: View, unit_id: str, site_id: str, _: Translator, site: pd.Series | None = None) -> None:
    """Draw the form that opens a school in a community, or at a candidate site."""
    sizes, allowed = ([], []) if site is None else read_site_options(site)
    mark = site_id or unit_id
    fresh = suggest_id(view)
    place = clean(view.name(mark), longest=40)
    name = st.text_input(
        _("Name of the school"),
        value=_("New school · {place}", place=place),
        key=f"scenario_name_{mark}_{fresh}",
        max_chars=80,
    )
    options: list[Stage] = allowed or list(STAGES)
    first = [view.stage] if view.stage in options else options[:1]
    stages = st.pills(
        _("Stages"),
        options,
        format_func=lambda item: name_stage_short(item, _),
        selection_mode="multi",
        default=first,
        key=f"scenario_open_stages_{mark}",
    )
    found = tuple(StagePlaces(stage, classes=float(_choose_size(stage, sizes, mark, _))) for stage in stages)
    if found and not {item.stage for item in found} & set(view.scenario.stages):
        words = _("This scenario asks about another stage: add this one under Settings to see what the school does.")
        st.caption(":orange[●] " + words)
    takes = "nearest"
    if view.scenario.enrolment in ("zones", "zoning"):
        ways = {"nearest": _("Every community nearer to it than to its present school"), "nobody": _("Nobody yet")}
        takes = (
            st.radio(_("Who goes there"), list(ways), format_func=ways.__getitem__, key=f"scenario_takes_{mark}")
            or takes
        )
    where = {"site_id": site_id} if site_id else {"unit_id": unit_id}
    add_button(
        view,
        _("Open this school"),
        lambda: OpenSchool(school_id=fresh, name=name.strip() or fresh, stages=found, takes=takes, **where),  # type: ignore[arg-type]
        key="scenario_add_open",
        ready=bool(found),
    )


def _choose_size(stage: Stage, sizes: list[int], mark: str, _: Translator) -> int:
    label = _("Classes: {stage}", stage=name_stage_short(stage, _))
    key = f"scenario_size_{mark}_{stage}"
    if not sizes:
        return int(st.number_input(label, min_value=1, max_value=200, value=DEFAULT_CLASSES, step=6, key=key))
    chosen = st.segmented_control(label, sizes, default=sizes[0], key=key, required=True)
    return int(chosen or sizes[0])


def list_near_schools(view: View, unit_id: str, _: Translator) -> dict[str, str]:
    """Return the open schools of the stage by the way from a community, each with its minutes."""
    study = view.after
    matrix = study.travel.get(view.scenario.mode)
    taught = set(study.places.loc[study.places["stage"] == view.stage, "school_id"].astype(str))
    if matrix is None or unit_id not in matrix.unit_ids:
        return {key: clean(view.name(key), longest=50) for key in sorted(taught)}
    minutes = matrix.time_min[matrix.unit_ids.index(unit_id)]
    order = np.argsort(np.nan_to_num(minutes, nan=np.inf), kind="stable")
    found: dict[str, str] = {}
    for number in order:
        key = str(matrix.destination_ids[number])
        if key in taught and len(found) < MOST_NEAREST:
            way = _("{value} min", value=_.number(minutes[number], digits=0)) if np.isfinite(minutes[number]) else "—"
            found[key] = f"{clean(view.name(key), longest=40)} · {way}"
    return found


def _pick_others(view: View, key: str, unit_id: str, _: Translator) -> list[str]:
    """Draw the choice of more communities for the same step; return their ids."""
    return pick_list(
        key,
        "unit",
        {"kind": "unit", "id": unit_id},
        {item: name for item, name in list_units(view).items() if item != unit_id},
        _("More communities: click them on the map"),
        _("only this one"),
    )


def _render_move(view: View, unit_id: str, _: Translator) -> None:
    key = f"scenario_move_{unit_id}"
    others = _pick_others(view, key, unit_id, _)
    near = list_near_schools(view, unit_id, _)
    to = st.multiselect(
        _("To"),
        list(near),
        format_func=lambda item: near.get(item, item),
        key=f"{key}_to",
        placeholder=_("nearest first"),
        help=_("Several schools share the communities (多校划片)."),
        select_all=False,
    )
    stage = view.stage
    add_button(
        view,
        _("Move"),
        lambda: MoveUnits(unit_ids=(unit_id, *others), stage=stage, school_ids=tuple(to)),
        key="scenario_add_move",
        ready=bool(to),
    )


def _render_bus(view: View, unit_id: str, _: Translator) -> None:
    key = f"scenario_bus_unit_{unit_id}"
    others = _pick_others(view, key, unit_id, _)
    near = list_near_schools(view, unit_id, _)
    to = st.selectbox(
        _("To"),
        list(near),
        format_func=lambda item: near.get(item, item),
        key=f"{key}_to",
        index=None,
        placeholder=_("nearest first"),
    )
    seats, factor, wait = render_bus_terms(key, _)
    add_button(
        view,
        _("Add the bus line"),
        lambda: AddBusLine(
            school_id=str(to), unit_ids=(unit_id, *others), seats=seats, time_factor=factor, wait_min=wait
        ),
        key="scenario_add_bus",
        ready=to is not None,
    )


def list_site_facts(row: pd.Series, _: Translator) -> list[tuple[str, str]]:
    """Return what is known of a candidate site."""
    sizes, stages = read_site_options(row)
    cost = read_number(row, "cost_cny")
    return [
        (_("Site area"), _("{value} m²", value=_.number(read_number(row, "area_m2")))),
        (_("Sizes (classes)"), " / ".join(str(size) for size in sizes) or _("not known")),
        (_("Stages"), _.join([name_stage_short(stage, _) for stage in stages]) if stages else _("not known")),
        (
            _("Cost"),
            _("{value} × 10,000 yuan", value=_.number(cost / 1e4, digits=0)) if cost == cost else _("not known"),
        ),
    ]
