"""Schools and sites on the map of a scenario: what closes, what opens, what changes, which sites are still free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import STAGES
from planning.flag_case import iterate_rows
from reports.colours import FILL_BREAKS, FILL_COLOURS, MISSING_CLASS, UNKNOWN_COLOUR, classify, compute_radius_px
from reports.legend import STAGE_SHAPES, name_kind
from reports.map_scene import say_fill
from reports.maps import Payload

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from reports.language import Translator
    from reports.scenario_after import BeforeAfter

Painted = Literal["zones", "time", "change", "today"]
PAINTED: tuple[Painted, ...] = ("zones", "time", "change", "today")
SITE_PREFIX = "site:"
"""Goes before the id of a candidate site on the map, which has no other kind of point than schools."""
BADGES: Mapping[str, str] = {
    "campus": "pair",
    "teaching_point": "half",
    "stages": "dot",
    "boarding": "dot",
    "bus": "dot",
}
Figures = Mapping[str, float]
POINT_COLUMNS = ("point_id", "name", "x_m", "y_m", "kind", "what", "badge", "number")


@dataclass(frozen=True)
class Look:
    """What the reader asks of the map. ``picked``: points and units that are being chosen for an action."""

    painted: Painted = "zones"
    language: str = "en"
    picked_points: tuple[str, ...] = ()
    picked_units: tuple[str, ...] = ()


def list_points(study: StudyArea, changes: pd.DataFrame) -> pd.DataFrame:
    """Return every point of the map (``POINT_COLUMNS``): today's schools, those that open, sites that are still free.

    ``changes``: ``planning.action_steps.CHANGE_COLUMNS``. ``what``: ``""``, closed, opened or site; ``number`` of the
    action that did it, 0 for none.
    """
    schools = study.schools
    points = pd.DataFrame(
        {
            "point_id": schools["school_id"].astype(str),
            "name": schools["name"].fillna("").astype(str),
            "x_m": schools["x_m"].astype(float),
            "y_m": schools["y_m"].astype(float),
            "kind": schools["kind"].fillna("").astype(str),
        }
    )
    opened = changes[changes["what"] == "opened"].drop_duplicates("school_id")
    opened = opened[~opened["school_id"].astype(str).isin(points["point_id"])]
    fresh = pd.DataFrame(
        {
            "point_id": opened["school_id"].astype(str),
            "name": opened["name"].fillna("").astype(str),
            "x_m": opened["x_m"].astype(float),
            "y_m": opened["y_m"].astype(float),
            "kind": opened["kind_after"].fillna("").astype(str),
        }
    )
    sites = study.sites
    taken = {(round(x, 1), round(y, 1)) for x, y in zip(opened["x_m"], opened["y_m"], strict=True)}
    free = [(round(x, 1), round(y, 1)) not in taken for x, y in zip(sites["x_m"], sites["y_m"], strict=True)]
    places = pd.DataFrame(
        {
            "point_id": SITE_PREFIX + sites["site_id"].astype(str),
            "name": sites["name"].fillna("").astype(str),
            "x_m": sites["x_m"].astype(float),
            "y_m": sites["y_m"].astype(float),
            "kind": "site",
        }
    )[np.array(free, dtype=np.bool_)]
    found = pd.concat([points, fresh, places], ignore_index=True)
    return _note_changes(found, changes)[list(POINT_COLUMNS)]


def _note_changes(points: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    what: dict[str, str] = {}
    badge: dict[str, str] = {}
    number: dict[str, int] = {}
    for row in iterate_rows(changes):
        key = str(row.school_id)
        number[key] = int(row.number)
        if row.what in ("closed", "merged"):
            what[key] = "closed"
        elif row.what == "opened":
            what[key] = "opened"
        elif row.what == "places":
            badge[key] = "plus" if not float(row.places_after) < float(row.places_before) else "minus"
        elif row.what in BADGES:
            badge[key] = BADGES[str(row.what)]
    ids = points["point_id"].tolist()
    sites = (points["kind"] == "site").tolist()
    return points.assign(
        what=["site" if site else what.get(key, "") for key, site in zip(ids, sites, strict=True)],
        badge=[badge.get(key, "") for key in ids],
        number=[number.get(key, 0) for key in ids],
    )


@dataclass(frozen=True, eq=False)
class Picture:
    """What the map shows, in positions: ``after``, ``before`` (units,) among ``points``, −1 for none."""

    points: pd.DataFrame
    now: BeforeAfter
    after: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]

    @property
    def moved(self) -> npt.NDArray[np.int64]:
        """Positions of the units whose school changes."""
        return np.flatnonzero(self.after != self.before)


def build_picture(study: StudyArea, changes: pd.DataFrame, now: BeforeAfter) -> Picture:
    """Return what the map shows of a scenario."""
    points = list_points(study, changes)
    at = {str(key): number for number, key in enumerate(points["point_id"])}
    sides = [np.array([at.get(str(key), -1) for key in side], dtype=np.int64) for side in _sides(now)]
    return Picture(points, now, sides[1], sides[0])


def _sides(now: BeforeAfter) -> tuple[Any, Any]:
    return now.school_before, now.school_after


def build_point_symbols(
    study: StudyArea, picture: Picture, look: Look, _: Translator
) -> tuple[list[Payload], list[Payload]]:
    """Return the symbols of the stage (schools, new ones, closed ones, free sites), and those of other schools."""
    stage = picture.now.stage
    numbers = _read_figures(picture.now.schools)
    taught = set(study.places.loc[study.places["stage"] == stage, "school_id"].astype(str))
    stages = _list_stages(study)
    today = look.painted == "today"
    shown, others = [], []
    for at, row in enumerate(iterate_rows(picture.points)):
        key, what = str(row.point_id), "" if today and row.what == "closed" else str(row.what)
        if today and what in ("opened", "site"):
            continue
        of_stage = what == "site" or key in taught or key in numbers
        if not of_stage:
            lowest = next((name for name in STAGES if name in stages.get(key, ())), "primary")
            others.append({"at": at, "shape": STAGE_SHAPES[lowest], "lines": [name_kind(str(row.kind), _)]})
            continue
        figures = numbers.get(key)
        symbol = _build_symbol(at, row, what, figures, stage, _, today=today)
        if key in look.picked_points:
            symbol["ring"] = True
        shown.append(symbol)
    # Large ones lie below small ones; what the scenario changes lies above both.
    return sorted(shown, key=lambda item: (bool(item.get("strong")), -float(item["size"]))), others


def _build_symbol(
    at: int, row: Any, what: str, figures: Figures | None, stage: str, _: Translator, *, today: bool
) -> Payload:
    if what == "site":
        words = [_("Candidate site: click to open a school here")]
        return {"at": at, "shape": "diamond", "colour": "#ffffff", "mark": "site", "size": 6.2, "lines": words}
    side, other = ("before", "after") if today else ("after", "before")
    pupils, places = _read(figures, f"pupils_{side}"), _read(figures, f"places_{side}")
    old, room = _read(figures, f"pupils_{other}"), _read(figures, f"places_{other}")
    fill = pupils / places if places > 0 else np.nan
    shape = STAGE_SHAPES[stage]
    # A stage that is dropped leaves the school where it is: for this stage it is closed.
    gone = what == "closed" or (not today and what == "" and figures is not None and not np.isfinite(pupils + places))
    if gone and not today:
        size = round(float(compute_radius_px([old])[0]), 1)
        lines = [name_kind(str(row.kind), _), _("Closed for this stage by the scenario"), say_before(_, old, room)]
        return _mark({"at": at, "shape": shape, "colour": "#d5d8da", "size": size, "lines": lines}, "closed")
    number = classify(np.array([fill]), FILL_BREAKS)[0]
    known = number != MISSING_CLASS
    lines = [name_kind(str(row.kind), _), say_fill(_, pupils, places, fill)]
    symbol: Payload = {
        "at": at,
        "shape": shape,
        "colour": FILL_COLOURS[number] if known else UNKNOWN_COLOUR,
        "mark": "unknown" if not known else "over" if fill > 1.0 else "",
        "size": round(float(compute_radius_px([pupils])[0]), 1),
        "lines": lines,
    }
    if today:
        return symbol
    if what == "opened":
        lines.insert(0, _("Opened by the scenario"))
        return _mark(symbol, "new")
    if abs(pupils - old) >= 0.5 or places != room:
        lines.append(say_before(_, old, room))
    if row.badge:
        symbol |= {"badge": str(row.badge), "strong": True}
    return symbol


def _read_figures(schools: pd.DataFrame) -> dict[str, Figures]:
    names = [name for name in schools.columns if name != "school_id"]
    rows = zip(schools["school_id"].astype(str), schools[names].to_numpy(dtype=np.float64), strict=True)
    return {key: dict(zip(names, values.tolist(), strict=True)) for key, values in rows}


def _mark(symbol: Payload, mark: str) -> Payload:
    return {**symbol, "mark": mark, "strong": True}


def _read(figures: Figures | None, name: str) -> float:
    return float("nan") if figures is None else float(figures[name])


def say_before(_: Translator, pupils: float, places: float) -> str:
    """Return what a school had before, in words."""
    fill = pupils / places if places > 0 else float("nan")
    return _("Before: {words}", words=say_fill(_, pupils, places, fill))


def _list_stages(study: StudyArea) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for school, name in zip(study.places["school_id"].astype(str), study.places["stage"].astype(str), strict=True):
        found.setdefault(school, set()).add(name)
    return found
