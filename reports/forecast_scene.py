"""The map through the years: children by area or their change, schools by fill, zones by seat alert.

One map with a slider, or up to four years beside each other. Shapes are sent once; a year is a small array of values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import compute_digest
from planning.flag_case import iterate_rows
from planning.forecast_options import VARIANTS, Variant
from planning.tables import build_stage_schools
from reports.colours import (
    CHILDREN_COLOURS,
    FILL_BREAKS,
    FILL_COLOURS,
    MISSING_CLASS,
    ROAD_STYLES,
    UNKNOWN_COLOUR,
    classify,
    compute_count_breaks,
    compute_radius_px,
)
from reports.forecast_words import ALERT_COLOURS, find_ground, name_alert, say_school_year
from reports.legend import STAGE_SHAPES, name_kind
from reports.map_scene import (
    build_map_texts,
    build_other_symbols,
    build_road_keys,
    children_of_units,
    find_credit,
    say_fill,
)
from reports.maps import MapPart, Payload, compute_part_digest, pack_array

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.forecast import Forecast
    from reports.language import Translator

Painted = Literal["children", "change", "alert"]
PAINTED: tuple[Painted, ...] = ("children", "change", "alert")
CHANGE_BREAKS = (-0.6, -0.4, -0.2, -0.05, 0.05, 0.2, 0.4)
CHANGE_COLOURS = ("#0a2f5c", "#1d5a9e", "#6fa6d0", "#c2dcec", "#f1eee6", "#f9d9b5", "#ee9f52", "#a63f08")
"""Blue: fewer children than today; pale: within five per cent; orange to brown: more."""
ALERTS = ("green", "yellow", "red")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class YearsView:
    """What the reader asks of the map: ``years`` stand beside each other (one: a single map)."""

    stage: str
    painted: Painted
    years: tuple[int, ...]
    variant: str
    language: str = "en"


def build_years_parts(
    study: StudyArea, forecast: Forecast, view: YearsView, alerts: pd.DataFrame, zones: pd.Series[str], _: Translator
) -> dict[str, MapPart]:
    """Return the values of every year shown (``paint_0`` …).

    Parameters
    ----------
    alerts
        ``planning.seat_alerts`` of the stage.
    zones
        The school of every unit, by unit id: whose alert colours the unit.
    """
    parts = {}
    for place, year in enumerate(view.years):
        payload = build_years_paint(study, forecast, view, year, alerts, zones, _)
        marks = [f"{name}{value}" for name, value in payload["units"].items()]
        digest = compute_part_digest(
            study.fingerprint, "paint", *marks, repr(payload["shown"]), repr(payload["others"])
        )
        parts[f"paint_{place}"] = MapPart("paint", digest, lambda payload=payload: payload)  # type: ignore[misc]
    return parts


def build_years_paint(
    study: StudyArea,
    forecast: Forecast,
    view: YearsView,
    year: int,
    alerts: pd.DataFrame,
    zones: pd.Series[str],
    _: Translator,
) -> Payload:
    """Return the values of one year, ready to be sent."""
    today = children_of_units(study, view.stage)
    children = find_children(study, forecast, view.stage, year, view.variant)
    colours: tuple[str, ...]
    if view.painted == "change":
        change = compute_change(children, today)
        classes, colours, values = classify(change, CHANGE_BREAKS), CHANGE_COLOURS, change * 100
    elif view.painted == "alert":
        classes, values = _classify_alerts(study, alerts, zones, view, max(year, forecast.base_year))
        colours = tuple(ALERT_COLOURS[name] for name in ALERTS)
    else:
        breaks = compute_count_breaks(today)
        classes, colours, values = classify(children, breaks), CHILDREN_COLOURS, children
    none = np.empty(0)
    school_at = {str(key): position for position, key in enumerate(study.schools["school_id"])}
    return {
        "kind": "paint",
        "ids": [],
        "units": {
            "classes": pack_array(classes.astype(np.uint8)),
            "values": pack_array(np.asarray(values, dtype="<f4")),
            "link_units": pack_array(none.astype("<u4")),
            "link_schools": pack_array(none.astype("<u2")),
            "colours": list(colours),
            "digits": 0,
        },
        "shown": build_year_symbols(study, forecast, view, year, school_at, _),
        "others": build_other_symbols(study, view.stage, school_at, _),
    }


def find_children(study: StudyArea, forecast: Forecast, stage: str, year: int, variant: str) -> Floats:
    """Return the children of the stage in every unit, in the order of the units; today's up to the base year."""
    if year <= forecast.base_year or year not in forecast.years or stage not in forecast.stages:
        return np.asarray(children_of_units(study, stage), dtype=np.float64)
    at = (VARIANTS.index(cast(Variant, variant)), forecast.years.index(year), forecast.stages.index(stage))
    found = pd.Series(forecast.unit_pupils[at], index=list(forecast.unit_ids))
    return found.reindex(study.units["unit_id"].astype(str)).to_numpy(dtype=np.float64)


def assign_units(study: StudyArea, stage: str) -> pd.Series[str]:
    """Return the school of every unit, by unit id: that of its zone, else the nearest one; ``""`` for none."""
    ids = study.units["unit_id"].astype(str)
    rows = study.zones[study.zones["stage"] == stage].drop_duplicates("unit_id")
    found = pd.Series(rows["school_id"].astype(str).to_numpy(), index=rows["unit_id"].astype(str)).reindex(ids)
    taught = study.places.loc[study.places["stage"] == stage, "school_id"].astype(str)
    travel = next(iter(study.travel.values()), None)
    columns = [] if travel is None else [key for key in taught if key in set(travel.destination_ids)]
    if travel is not None and columns and found.isna().any():
        minutes = np.asarray(travel.time_min[:, travel.columns(columns)], dtype=np.float64)
        near = np.where(np.isnan(minutes), np.inf, minutes)
        names = np.array(columns, dtype=object)[near.argmin(axis=1)]
        names[~np.isfinite(near.min(axis=1))] = ""
        found = found.fillna(pd.Series(names, index=list(travel.unit_ids)))
    return found.fillna("").astype(str)


def compute_change(children: Floats, today: Floats) -> Floats:
    """Return the change against today as a share; NaN where there is nobody at either time or one is unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        change = children / today - 1.0
    change[(today <= 0) & (children > 0)] = 1.0
    change[(today <= 0) & ~(children > 0)] = np.nan
    return change


def _classify_alerts(
    study: StudyArea, alerts: pd.DataFrame, zones: pd.Series[str], view: YearsView, year: int
) -> tuple[npt.NDArray[np.uint8], Floats]:
    """Return class (place in ``ALERTS``) and share of every unit's zone."""
    rows = alerts[(alerts["year"] == year) & (alerts["variant"] == view.variant)].drop_duplicates("school_id")
    rows = rows.set_index(rows["school_id"].astype(str))
    school = zones.reindex(study.units["unit_id"].astype(str)).fillna("")
    colour = school.map(rows["alert"])
    places = {name: place for place, name in enumerate(ALERTS)}
    classes = np.array([places.get(str(name), MISSING_CLASS) for name in colour], dtype=np.uint8)
    return classes, school.map(rows["alert_share"]).to_numpy(dtype=np.float64) * 100


def build_year_symbols(
    study: StudyArea, forecast: Forecast, view: YearsView, year: int, school_at: Mapping[str, int], _: Translator
) -> list[Payload]:
    """Return the schools of the stage, coloured by the pupils of the year against today's places."""
    schools = build_stage_schools(study, view.stage, None).set_index("school_id")
    if year > forecast.base_year:
        rows = forecast.schools
        rows = rows[(rows["stage"] == view.stage) & (rows["year"] == year) & (rows["variant"] == view.variant)]
        pupils = rows.groupby("school_id")["pupils"].sum(min_count=1).reindex(schools.index)
    else:
        pupils = schools["actual_pupils"]
    places = schools["capacity_places"]
    fill = (pupils / places.where(places > 0)).to_numpy(dtype=np.float64)
    counts, rooms = pupils.to_numpy(dtype=np.float64), places.to_numpy(dtype=np.float64)
    classes, sizes = classify(fill, FILL_BREAKS), compute_radius_px(counts)
    table = schools.reset_index().assign(number=range(len(schools)))
    symbols = []
    for row in iterate_rows(table):
        at = int(row.number)
        known = classes[at] != MISSING_CLASS
        symbols.append(
            {
                "at": school_at[str(row.school_id)],
                "shape": STAGE_SHAPES[view.stage],
                "colour": FILL_COLOURS[classes[at]] if known else UNKNOWN_COLOUR,
                "mark": "" if not known else "over" if fill[at] > 1.0 else "",
                "size": round(float(sizes[at]), 1),
                "lines": [name_kind(str(row.kind), _), say_fill(_, round(counts[at], 0), rooms[at], fill[at])],
            }
        )
    return sorted(symbols, key=lambda item: -float(item["size"]))


def build_years_scene(study: StudyArea, forecast: Forecast, view: YearsView, _: Translator) -> dict[str, Any]:
    """Return texts, layers, legend, and which year stands where."""
    values = {
        "children": (_("{value} children of this stage"), _("Number of children unknown")),
        "change": (_("{value}% against today"), _("No children, or their number is unknown")),
        "alert": (_("{value}% of the intake places of its school"), _("No alert can be worked out")),
    }
    value, no_value = values[view.painted]
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    layers = [
        ("units", _("Planning units"), True, True),
        ("schools", _("Schools of this stage"), True, True),
        ("others", _("Other schools"), False, True),
        ("roads", _("Roads"), True, roads),
        ("water", _("Water"), True, water),
        ("names", _("Names"), True, True),
    ]
    keys = {"roads": {"keys": build_road_keys(_)}}
    labels = [say_school_year(year, _) for year in view.years]
    return {
        "study": find_ground(study),
        "version": compute_digest(study.fingerprint, forecast.fingerprint, view),
        "text": {
            **build_map_texts(_),
            "value": value,
            "no_value": no_value,
            "divider": "",
            "not_open": "",
            "change": "",
        },
        "layers": [
            {"id": name, "label": label, "on": on, "lazy": False, **keys.get(name, {})}
            for name, label, on, has in layers
            if has
        ],
        "legend": build_years_legend(study, view, _),
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {},
        "outline": False,
        "attribution": find_credit(study),
        "panes": {
            "layout": "grid" if len(labels) > 1 else "single",
            "items": [{"label": label} for label in labels],
        },
    }


def build_years_legend(study: StudyArea, view: YearsView, _: Translator) -> list[dict[str, Any]]:
    """Return the legend of the areas and of the schools."""
    shape = STAGE_SHAPES[view.stage]
    fill = {
        "title": _("Schools: pupils of the year per place of today"),
        "layer": "schools",
        "flow": True,
        "ramp": {"colours": list(FILL_COLOURS), "bounds": [_.percent(limit) for limit in FILL_BREAKS]},
        "items": [
            {"kind": "point", "shape": shape, "colour": FILL_COLOURS[3], "mark": "over", "label": _("over capacity")},
            {"kind": "point", "shape": shape, "colour": UNKNOWN_COLOUR, "label": _("unknown")},
        ],
    }
    return [_build_area_section(study, view, _), fill]


def _build_area_section(study: StudyArea, view: YearsView, _: Translator) -> dict[str, Any]:
    hatch = {"kind": "area", "colour": "hatch", "label": _("unknown")}
    section: dict[str, Any] = {"layer": "units", "flow": True, "items": [hatch]}
    if view.painted == "change":
        bounds = [_signed(limit, _) for limit in CHANGE_BREAKS]
        return {**section, "title": _("Children against today"), "ramp": {"colours": CHANGE_COLOURS, "bounds": bounds}}
    if view.painted == "alert":
        items = [{"kind": "area", "colour": ALERT_COLOURS[name], "label": name_alert(name, _)} for name in ALERTS]
        return {**section, "title": _("Seat alert of the zone"), "items": [*items, hatch]}
    breaks = compute_count_breaks(children_of_units(study, view.stage))
    ramp = {"colours": list(CHILDREN_COLOURS[: len(breaks) + 1]), "bounds": [_.number(limit) for limit in breaks]}
    return {**section, "title": _("Children of this stage living here"), "ramp": ramp}


def _signed(share: float, _: Translator) -> str:
    return ("+" if share > 0 else "−") + _.percent(abs(share))


def choose_small_years(years: Sequence[int], base_year: int) -> tuple[int, ...]:
    """Return four years for maps beside each other: today, two between, and the last."""
    if not years:
        return (base_year,)
    wanted = np.linspace(base_year, years[-1], 4).round().astype(int)
    return tuple(dict.fromkeys(int(year) for year in wanted))
