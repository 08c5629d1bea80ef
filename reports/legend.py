"""The legend in plain words, and the names of what the map can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from reports.colours import (
    BANDS_MIN,
    CHILDREN_COLOURS,
    FILL_BREAKS,
    FILL_COLOURS,
    GROUND_COLOUR,
    REACH_BREAKS,
    REACH_COLOURS,
    TIME_BREAKS_MIN,
    TIME_COLOURS,
    UNKNOWN_COLOUR,
)
from reports.language import Translator

ColourBy = Literal["time", "children", "school", "reach"]
COLOUR_BY: tuple[ColourBy, ...] = ("time", "children", "school", "reach")
Basis = Literal["actual", "modelled"]

STAGE_SHAPES: dict[str, str] = {
    "kindergarten": "triangle",
    "primary": "circle",
    "junior": "square",
    "senior": "diamond",
}
Section = dict[str, Any]


def name_stage_short(stage: str, _: Translator) -> str:
    """Return the stage in one or two words, as a switch shows it."""
    names = {"kindergarten": _("Kindergarten"), "primary": _("Primary"), "junior": _("Junior"), "senior": _("Senior")}
    return names.get(stage, stage)


def name_mode_short(mode: str, _: Translator) -> str:
    """Return how children travel, as a switch shows it."""
    names = {"walk": _("Walk"), "bicycle": _("Bicycle"), "drive": _("Car or bus")}
    return names.get(mode, mode)


def name_kind(kind: str, _: Translator) -> str:
    """Return the kind of a school."""
    names = {
        "kindergarten": _("Kindergarten"),
        "primary": _("Primary school"),
        "teaching_point": _("Teaching point"),
        "junior": _("Junior school"),
        "nine_year": _("Nine-year school"),
        "complete_secondary": _("Junior and senior school"),
        "senior": _("Senior school"),
        "twelve_year": _("Twelve-year school"),
    }
    return names.get(kind, kind)


def name_ownership(ownership: str, _: Translator) -> str:
    """Return who runs a school; nothing where that is not known."""
    return {"public": _("Public"), "private": _("Private")}.get(ownership, "")


def name_setting_short(setting: str, _: Translator) -> str:
    """Return urban, town or rural, as a table shows it."""
    names = {"urban": _("Urban"), "town": _("Town"), "rural": _("Rural")}
    return names.get(setting, _("Unknown setting"))


def name_colour_by(colour_by: str, _: Translator) -> str:
    """Return what the colour of the units means, as a switch shows it."""
    names = {
        "time": _("Travel time"),
        "children": _("Children"),
        "school": _("Catchment"),
        "reach": _("Places in reach"),
    }
    return names.get(colour_by, colour_by)


def build_legend(
    _: Translator,
    *,
    stage: str,
    mode: str,
    colour_by: ColourBy,
    basis: Basis,
    child_breaks: Sequence[float],
    fill_known: bool = True,
    way_note: str = "",
    reach_min: float = 30.0,
) -> list[Section]:
    """Return the legend of the Today map; ``layer`` says with which layer a section comes and goes.

    ``fill_known`` is False where no school has a known fill; ``way_note`` says how ways were measured where not by
    road; ``reach_min`` is how far places within reach may lie.
    """
    stages = {name: name_stage_short(name, _) for name in STAGE_SHAPES}
    reach = colour_by == "reach"
    units = _build_reach_section(_, mode, reach_min) if reach else _build_unit_section(_, mode, colour_by, child_breaks)
    if way_note and colour_by == "time":
        units["note"] = way_note
    shape = STAGE_SHAPES[stage]
    return [
        {**units, "layer": "units"},
        _build_band_section(_, mode),
        _build_fill_section(_, basis, shape) if fill_known else _build_unknown_section(_, shape),
        _build_size_section(_, shape, FILL_COLOURS[2] if fill_known else UNKNOWN_COLOUR, basis),
        {
            "title": _("Shape: stage"),
            "flow": True,
            "layer": "others",
            "items": [
                {"kind": "point", "shape": shape, "colour": "#ffffff", "size": 4.5, "label": stages[name]}
                for name, shape in STAGE_SHAPES.items()
            ],
        },
    ]


def _name_way(mode: str, _: Translator) -> str:
    return {"walk": _("on foot"), "bicycle": _("by bicycle"), "drive": _("by car or school bus")}[mode]


def _build_band_section(_: Translator, mode: str) -> Section:
    """Return the legend of the time bands; it stands in for that of the units, which the bands cover."""
    limits = [f"{limit:g}" for limit in BANDS_MIN]
    return {
        "title": _("Minutes to the nearest school, {by}", by=_name_way(mode, _)),
        "layer": "isochrones",
        "ramp": {"colours": list(TIME_COLOURS[: len(limits)]), "bounds": limits},
        "items": [{"kind": "area", "colour": GROUND_COLOUR, "label": _("over {limit}", limit=limits[-1])}],
    }


def _build_unknown_section(_: Translator, shape: str) -> Section:
    return {
        "title": _("Schools: how full"),
        "layer": "schools",
        "items": [{"kind": "point", "shape": shape, "colour": UNKNOWN_COLOUR, "label": _("places unknown")}],
    }


def _build_unit_section(_: Translator, mode: str, colour_by: ColourBy, child_breaks: Sequence[float]) -> Section:
    hatch = {"kind": "area", "colour": "hatch"}
    if colour_by == "time":
        return {
            "title": _("Minutes to school, {by}", by=_name_way(mode, _)),
            "ramp": {"colours": list(TIME_COLOURS), "bounds": [f"{limit:g}" for limit in TIME_BREAKS_MIN]},
            "items": [{**hatch, "label": _("no school")}],
        }
    if colour_by == "children":
        return {
            "title": _("Children of this stage living here"),
            "ramp": {
                "colours": list(CHILDREN_COLOURS[: len(child_breaks) + 1]),
                "bounds": [_.number(limit) for limit in child_breaks],
            },
            "items": [{**hatch, "label": _("number unknown")}],
        }
    return {
        "title": _("Colour: school attended"),
        "items": [{**hatch, "label": _("no school")}],
        "note": _("Neighbouring catchments differ in colour."),
    }


def _build_reach_section(_: Translator, mode: str, reach_min: float) -> Section:
    """Return the legend of places within reach, with what they are."""
    return {
        "title": _("Places for each child within reach"),
        "ramp": {"colours": list(REACH_COLOURS), "bounds": [f"{limit:g}" for limit in REACH_BREAKS]},
        "items": [{"kind": "area", "colour": "hatch", "label": _("places unknown")}],
        "note": _(
            "Schools within {minutes} min {by}, their places shared among all children who live as near. 1: a place for"
            " each.",
            minutes=f"{reach_min:g}",
            by=_name_way(mode, _),
        ),
    }


def _build_fill_section(_: Translator, basis: Basis, shape: str) -> Section:
    title = _("Schools: pupils enrolled per place") if basis == "actual" else _("Schools: modelled pupils per place")
    return {
        "title": title,
        "layer": "schools",
        "flow": True,
        "ramp": {
            "colours": list(FILL_COLOURS),
            "bounds": [_.percent(limit) for limit in FILL_BREAKS],
        },
        "items": [
            {"kind": "point", "shape": shape, "colour": FILL_COLOURS[3], "mark": "over", "label": _("over capacity")},
            {"kind": "point", "shape": shape, "colour": UNKNOWN_COLOUR, "mark": "unknown", "label": _("unknown")},
        ],
    }


def _build_size_section(_: Translator, shape: str, colour: str, basis: Basis) -> Section:
    from reports.colours import compute_radius_px

    numbers = (100, 500, 2000)
    return {
        "title": _("Size: pupils") if basis == "actual" else _("Size: pupils by the model"),
        "layer": "schools",
        "flow": True,
        "items": [
            {
                "kind": "point",
                "shape": shape,
                "colour": colour,
                "size": float(radius),
                "scaled": True,
                "label": _.number(number),
            }
            for number, radius in zip(numbers, compute_radius_px(numbers), strict=True)
        ],
    }
