"""The map of closures: which schools can close, and after a change where the pupils of which areas go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geodata.study import compute_digest
from planning.flag_case import iterate_rows
from reports.closure_tables import name_verdict
from reports.colours import (
    MISSING_CLASS,
    TIME_BREAKS_MIN,
    TIME_COLOURS,
    UNKNOWN_COLOUR,
    ZONE_COLOURS,
    classify,
    compute_radius_px,
)
from reports.language import Translator
from reports.legend import STAGE_SHAPES, build_legend, name_kind
from reports.map_scene import (
    build_map_texts,
    build_other_symbols,
    build_road_keys,
    find_credit,
    say_fill,
    say_way_method,
)
from reports.maps import MapPart, Payload, compute_part_digest, encode_points, pack_array

if TYPE_CHECKING:
    import pandas as pd

    from geodata.study import StudyArea
    from planning.what_if import WhatIfAnswer

CAN_COLOUR, SHORT_COLOUR, CANNOT_COLOUR = "#8fbfdc", "#f0b96b", "#b3490b"
PALE_CAN, PALE_SHORT, PALE_CANNOT = "#d7e6f0", "#f6e3c6", "#e6c9b4"
Verdict = tuple[bool, bool]
"""Whether a school can close by distance, and whether the places suffice for that."""
STILL_COLOUR = "#f1efe9"
"""Areas where nothing changes, while a change is shown."""
RECEIVER_COLOURS = ZONE_COLOURS
LEAST_PUPILS = 0.5
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NewSchool:
    """A school that the change opens, for the map: metres in the study's CRS."""

    school_id: str
    name: str
    x_m: float
    y_m: float


@dataclass(frozen=True, eq=False)
class ClosurePicture:
    """What the map shows.

    Parameters
    ----------
    stage, mode
        As chosen.
    unit_ids
        Order of the units of ``base`` and ``answer``.
    base, answer
        Before the change; after it, or None where nothing is changed.
    ranking
        ``planning.closure_ranking``, or None while it is not known.
    closed, opened
        Ids of schools that close; schools that open.
    dependents
        Ids of units to be ringed: the communities that depend on what closes.
    """

    stage: str
    mode: str
    unit_ids: tuple[str, ...]
    base: WhatIfAnswer
    ranking: pd.DataFrame | None = None
    answer: WhatIfAnswer | None = None
    closed: frozenset[str] = frozenset()
    opened: tuple[NewSchool, ...] = ()
    dependents: frozenset[str] = frozenset()

    @property
    def shown(self) -> WhatIfAnswer:
        """The answer, else the base."""
        return self.base if self.answer is None else self.answer


def build_closure_parts(study: StudyArea, picture: ClosurePicture, _: Translator) -> dict[str, MapPart | None]:
    """Return what the browser paints: the schools (new ones too), values and marks of units, symbols of schools."""
    frame = study.schools
    ids = [*frame["school_id"].astype(str), *(school.school_id for school in picture.opened)]
    names = [*frame["name"].fillna("").astype(str), *(school.name for school in picture.opened)]
    x_m = np.concatenate([frame["x_m"].to_numpy(dtype=np.float64), [school.x_m for school in picture.opened]])
    y_m = np.concatenate([frame["y_m"].to_numpy(dtype=np.float64), [school.y_m for school in picture.opened]])
    school_at = {key: position for position, key in enumerate(ids)}
    points = compute_part_digest(study.fingerprint, "schools", ids, names, x_m, y_m)
    payload = build_closure_paint(study, picture, school_at, _)
    marks = [f"{name}{value}" for name, value in payload["units"].items()]
    paint = compute_part_digest(study.fingerprint, "paint", *marks, repr(payload["shown"]), repr(payload["others"]))
    return {
        "schools": MapPart("schools", points, lambda: encode_points(ids, names, x_m, y_m, study.crs)),
        "paint": MapPart("paint", paint, lambda: payload),
    }


def build_closure_paint(
    study: StudyArea, picture: ClosurePicture, school_at: Mapping[str, int], _: Translator
) -> Payload:
    """Return values and marks of the units, and the symbols; ``school_at``: position of every school of the map."""
    units = study.units["unit_id"].astype(str).to_numpy()
    where = {key: position for position, key in enumerate(picture.unit_ids)}
    order = np.array([where.get(key, -1) for key in units], dtype=np.int64)
    shown = picture.shown
    minutes = _pick(shown.minutes.astype(np.float64), order)
    school = _pick(shown.unit_school.astype(np.float64), order, none=-1.0).astype(np.int64)
    position = np.array([school_at.get(key, -1) for key in shown.school_ids], dtype=np.int64)
    at = np.where(school >= 0, position[np.maximum(school, 0)], -1) if len(position) else np.full(len(units), -1)
    linked = np.flatnonzero(at >= 0)
    payload: dict[str, Any] = {
        "values": pack_array(minutes.astype("<f4")),
        "link_units": pack_array(linked.astype("<u4")),
        "link_schools": pack_array(at[linked].astype("<u2")),
        "digits": 0,
    }
    if picture.answer is None:
        payload |= {"classes": pack_array(classify(minutes, TIME_BREAKS_MIN)), "colours": list(TIME_COLOURS)}
    else:
        moved = np.isin(order, np.asarray(picture.answer.moved_units))
        colour_of = colour_receivers(picture)
        colours = np.array([colour_of.get(key, 0) for key in shown.school_ids], dtype=np.int64)
        still = len(RECEIVER_COLOURS)
        classes = np.where(moved, colours[np.maximum(school, 0)] if len(colours) else still, still).astype(np.uint8)
        classes[moved & (school < 0)] = MISSING_CLASS
        payload |= {"classes": pack_array(classes), "colours": [*RECEIVER_COLOURS, STILL_COLOUR]}
        payload["striped"] = pack_array(np.flatnonzero(moved).astype("<u4"))
    ringed = np.flatnonzero(np.isin(units, list(picture.dependents)))
    if len(ringed):
        payload["ringed"] = pack_array(ringed.astype("<u4"))
    return {
        "kind": "paint",
        "ids": [],
        "units": payload,
        "shown": _build_symbols(study, picture, school_at, _),
        "others": build_other_symbols(study, picture.stage, school_at, _),
    }


def colour_receivers(picture: ClosurePicture) -> dict[str, int]:
    """Return a colour number for every school that takes pupils in, the one that takes most first."""
    if picture.answer is None:
        return {}
    rows = picture.answer.schools
    added = (rows["pupils_after"] - rows["pupils_before"]).to_numpy(dtype=np.float64)
    ids = rows["school_id"].astype(str).to_numpy()
    order = [int(i) for i in np.argsort(-added, kind="stable") if added[i] > 0]
    # A school may take some in and pass as many on: its units are coloured too.
    passing = [str(picture.answer.school_ids[i]) for i in dict.fromkeys(picture.answer.flow_to.tolist()) if i >= 0]
    names = dict.fromkeys([*(str(ids[i]) for i in order), *passing])
    return {key: number % len(RECEIVER_COLOURS) for number, key in enumerate(names)}


def _pick(values: npt.NDArray[np.float64], order: Ints, none: float = np.nan) -> npt.NDArray[np.float64]:
    if not len(values):
        return np.full(len(order), none)
    found: npt.NDArray[np.float64] = np.where(order >= 0, values[np.maximum(order, 0)], none)
    return found


def _build_symbols(
    study: StudyArea, picture: ClosurePicture, school_at: Mapping[str, int], _: Translator
) -> list[Payload]:
    kinds = dict(zip(study.schools["school_id"].astype(str), study.schools["kind"].astype(str), strict=True))
    verdicts = _read_verdicts(picture)
    colour_of = colour_receivers(picture)
    rows = picture.shown.schools
    sizes = compute_radius_px(np.fmax(rows["pupils_before"].to_numpy(dtype=np.float64), rows["pupils_after"]))
    symbols = []
    for row, size in zip(iterate_rows(rows), sizes, strict=True):
        key = str(row.school_id)
        if key not in school_at:
            continue
        look = _look(picture, key, float(row.pupils_before), float(row.pupils_after), float(row.places_after))
        symbols.append(
            {
                "at": school_at[key],
                "shape": STAGE_SHAPES[picture.stage],
                "size": round(float(size), 1),
                **look(verdicts.get(key), colour_of.get(key)),
                "lines": _say_school(picture, row, kinds.get(key, ""), verdicts.get(key), _),
            }
        )
    return sorted(symbols, key=lambda item: (bool(item.get("strong")), -float(item["size"])))


def _read_verdicts(picture: ClosurePicture) -> dict[str, Verdict]:
    """Return whether each school can close, and whether the places suffice for that."""
    if picture.ranking is None:
        return {}
    columns = (picture.ranking[name] for name in ("school_id", "can_close", "places_suffice"))
    return {str(key): (bool(can), bool(suffice)) for key, can, suffice in zip(*columns, strict=True)}


def _look(picture: ClosurePicture, key: str, before: float, after: float, places: float) -> Any:
    """Return how a symbol looks, given verdict and colour: what changes is strong, the others fade."""

    def draw(verdict: Verdict | None, colour: int | None) -> dict[str, Any]:
        if key in picture.closed:
            return {"colour": UNKNOWN_COLOUR, "mark": "closed", "strong": True}
        opened = key in {school.school_id for school in picture.opened}
        gains = picture.answer is not None and colour is not None and after - before > LEAST_PUPILS
        if opened or gains:
            full = np.isfinite(places) and after > places + LEAST_PUPILS
            mark = "new" if opened else "over" if full else ""
            return {"colour": RECEIVER_COLOURS[colour or 0], "mark": mark, "strong": True}
        pale = picture.answer is not None
        if verdict is None:
            return {"colour": UNKNOWN_COLOUR, "mark": ""}
        can, suffice = verdict
        if can and suffice:
            return {"colour": PALE_CAN if pale else CAN_COLOUR, "mark": ""}
        if can:
            return {"colour": PALE_SHORT if pale else SHORT_COLOUR, "mark": "lacking"}
        return {"colour": PALE_CANNOT, "mark": ""} if pale else {"colour": CANNOT_COLOUR, "mark": "over"}

    return draw


def _say_school(picture: ClosurePicture, row: Any, kind: str, verdict: Verdict | None, _: Translator) -> list[str]:
    key, before, after = str(row.school_id), float(row.pupils_before), float(row.pupils_after)
    lines = [name_kind(kind, _)] if kind else []
    if key in picture.closed:
        return [*lines, _("closes; {pupils} pupils go elsewhere", pupils=_.number(before))]
    if picture.answer is not None and abs(after - before) > LEAST_PUPILS:
        places = float(row.places_after)
        lines.append(_("pupils {before} → {after}", before=_.number(before), after=_.number(after)))
        lines.append(say_fill(_, after, places, after / places if places > 0 else float("nan")))
        return lines
    places = float(row.places_after)
    lines.append(say_fill(_, after, places, after / places if places > 0 else float("nan")))
    return lines if verdict is None else [*lines, name_verdict(*verdict, _)]


def build_closure_scene(study: StudyArea, picture: ClosurePicture, _: Translator) -> dict[str, Any]:
    """Return texts, legend, layers and colours."""
    moving = picture.answer is not None
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    layers = [
        ("units", _("Planning units"), True, True),
        ("moves", _("Lines to the new school"), True, moving),
        ("ringed", _("Communities that depend on the school"), True, bool(picture.dependents)),
        ("schools", _("Schools of this stage"), True, True),
        ("others", _("Other schools"), False, True),
        ("roads", _("Roads"), True, roads),
        ("water", _("Water"), True, water),
        ("names", _("Names"), True, True),
    ]
    return {
        "study": study.fingerprint,
        "version": compute_digest(
            study.fingerprint, picture.stage, picture.mode, _.language, sorted(picture.closed), picture.unit_ids[:1]
        ),
        "text": {**build_map_texts(_), "value": _("{value} min to school"), "no_value": _("No school within reach")},
        "layers": [
            {
                "id": name,
                "label": label,
                "on": on,
                "lazy": False,
                **({"keys": build_road_keys(_)} if name == "roads" else {}),
            }
            for name, label, on, has in layers
            if has
        ],
        "legend": _build_legend(study, picture, _),
        "road_styles": _read_road_styles(),
        "band_colours": {},
        "outline": False,
        "picking": True,
        "steady": True,
        "attribution": find_credit(study),
    }


def _read_road_styles() -> dict[str, list[Any]]:
    from reports.colours import ROAD_STYLES

    return {str(rank): list(style) for rank, style in ROAD_STYLES.items()}


def _build_legend(study: StudyArea, picture: ClosurePicture, _: Translator) -> list[dict[str, Any]]:
    shape = STAGE_SHAPES[picture.stage]
    today = build_legend(
        _,
        stage=picture.stage,
        mode=picture.mode,
        colour_by="time",
        basis="modelled",
        child_breaks=(0.0,),
        way_note=say_way_method(study, picture.mode, _),
    )
    size = next(section for section in today if any(item.get("scaled") for item in section["items"]))
    size = {**size, "items": [{**item, "colour": "#ffffff"} for item in size["items"]]}
    ring = {"kind": "area", "colour": STILL_COLOUR, "mark": "ringed", "label": _("depends on it")}
    if picture.answer is None:
        return [today[0], _build_verdicts(picture, (CAN_COLOUR, SHORT_COLOUR, CANNOT_COLOUR), _), size]
    areas = [
        {"kind": "area", "colour": RECEIVER_COLOURS[0], "label": _("colour of the new school")},
        {"kind": "area", "colour": STILL_COLOUR, "label": _("unchanged")},
    ]
    if (np.asarray(picture.answer.unit_school)[np.asarray(picture.answer.moved_units)] < 0).any():
        areas.append({"kind": "area", "colour": "hatch", "label": _("no school within reach")})
    if picture.dependents:
        areas.append(ring)
    changed: list[dict[str, Any]] = []
    if picture.closed:
        changed.append(
            {"kind": "point", "shape": shape, "colour": UNKNOWN_COLOUR, "mark": "closed", "label": _("closes")}
        )
    if picture.opened:
        changed.append(
            {"kind": "point", "shape": shape, "colour": RECEIVER_COLOURS[0], "mark": "new", "label": _("opens")}
        )
    changed.append({"kind": "point", "shape": shape, "colour": RECEIVER_COLOURS[0], "label": _("takes in")})
    changed.append(
        {
            "kind": "point",
            "shape": shape,
            "colour": RECEIVER_COLOURS[0],
            "mark": "over",
            "label": _("above places"),
        }
    )
    return [
        {"title": _("Planning units"), "layer": "units", "flow": True, "items": areas},
        {"title": _("Schools"), "layer": "schools", "flow": True, "items": changed},
        {**_build_verdicts(picture, (PALE_CAN, PALE_SHORT, PALE_CANNOT), _), "title": _("Others: could they close?")},
    ]


def _build_verdicts(picture: ClosurePicture, colours: tuple[str, str, str], _: Translator) -> dict[str, Any]:
    """Return the legend of the verdicts; that of too few places only where a school has it."""
    shape, (can, short, cannot) = STAGE_SHAPES[picture.stage], colours
    mark = "over" if cannot == CANNOT_COLOUR else ""
    lacking = {"kind": "point", "shape": shape, "colour": short, "mark": "lacking", "label": _("too few places near")}
    shown = (True, False) in _read_verdicts(picture).values()
    return {
        "title": _("Schools: could it close?"),
        "layer": "schools",
        "flow": True,
        "items": [
            {"kind": "point", "shape": shape, "colour": can, "label": _("can close")},
            *([lacking] if shown else []),
            {"kind": "point", "shape": shape, "colour": cannot, "mark": mark, "label": _("cannot close")},
        ],
    }
