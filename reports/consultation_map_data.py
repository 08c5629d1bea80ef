"""What the offline map knows: units, schools, ways, zones, streets and reasons, as plain data for the page.

Every count comes from ``consultation.publication``; a hidden one leaves only the word "hidden". No place of a home and
no demand point goes into the page: units are areas, and house numbers lead to a unit.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message
from geodata.street_index import list_street_units
from planning.publication import list_zones
from reports.colours import ROAD_STYLES, ZONE_COLOURS, compute_zone_colours
from reports.consultation_map_shapes import (
    MapLand,
    build_land,
    pack_areas,
    pack_backdrop,
    pack_numbers,
    pack_town_borders,
    pack_zones,
    to_steps,
)
from reports.language import Translator, read_catalogue

if TYPE_CHECKING:
    from planning.run import Outcome
    from reports.consultation_case import Consultation

HIDDEN = "hidden"
SIDES = ("before", "after")
GRADES = ("all", "low", "upper")
_SCHOOL_WORDS = ("status", "into", "kind_before", "kind_after")
_SCHOOL_NUMBERS = ("places_before", "places_after", "classes_before", "classes_after", "units_before", "units_after")
_SCHOOL_COUNTS = ("pupils_before", "pupils_after", "roll_before", "roll_after")
_TOTALS = ("units", "changed_units", "pupils", "moved_pupils", "worse_pupils", "same_pupils", "better_pupils")


class MessagePool:
    """Sentences of a :class:`Message` kept once: templates by language, and the values of each.

    A sentence becomes ``[template, value, …]``, values in the order of ``names``; a value is a text, such a list, or
    ``{"list": [values]}``. ``add`` returns its number; ``-1`` stands for no sentence.
    """

    def __init__(self) -> None:
        self.templates: dict[str, int] = {}
        self.names: list[list[str]] = []
        self.sentences: list[list[Any]] = []
        self._known: dict[str, int] = {}

    def add(self, message: object) -> int:
        """Return the number of a sentence; a plain text is a sentence too."""
        if not isinstance(message, Message):
            text = message.strip() if isinstance(message, str) else ""
            if not text:
                return -1
            message = Message("{text}", (("text", text),))
        sentence = self._encode(message)
        key = json.dumps(sentence, ensure_ascii=False)
        if key not in self._known:
            self._known[key] = len(self.sentences)
            self.sentences.append(sentence)
        return self._known[key]

    def _encode(self, message: Message) -> list[Any]:
        values = dict(message.params)
        specs = {name: spec for _text, name, spec, _sign in string.Formatter().parse(message.template) if name}
        template = message.template
        if template not in self.templates:
            self.templates[template] = len(self.templates)
            self.names.append(list(specs))
        number = self.templates[template]
        return [
            number,
            *(self._encode_value(values.get(name, ""), specs.get(name) or "") for name in self.names[number]),
        ]

    def _encode_value(self, value: object, spec: str) -> Any:
        if isinstance(value, Message):
            return self._encode(value)
        if isinstance(value, tuple | list):
            return {"list": [self._encode_value(item, spec) for item in value]}
        return format(value, spec) if spec and isinstance(value, int | float | str) else str(value)

    def render_templates(self, _: Translator) -> list[str]:
        """Return the templates in one language, without formats: those are done already."""
        return [_strip_formats(_(template)) for template in self.templates]


def _strip_formats(template: str) -> str:
    parts = []
    for text, name, _spec, _sign in string.Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append("{" + name + "}")
    return "".join(parts)


def build_map_data(consultation: Consultation) -> dict[str, Any]:
    """Return everything of the page that is the same in every language, ready for JSON."""
    study, publication = consultation.study, consultation.publication
    land = build_land(study)
    unit_at = {str(key): position for position, key in enumerate(study.units["unit_id"])}
    schools = _list_schools(consultation)
    school_at = {key: position for position, key in enumerate(schools["ids"])}
    pool = MessagePool()
    towns = [str(town) for town in study.units["town"].fillna("")]
    names = sorted(set(towns))
    town_at = {name: position for position, name in enumerate(names)}
    data: dict[str, Any] = {
        "units": {
            "ids": list(unit_at),
            "names": _tell_names(study.units["name"], unit_at),
            "towns": [town_at[town] for town in towns],
            "shape": pack_areas(land.shapes, study.crs),
        },
        "towns": names,
        "schools": schools,
        "stages": list(publication.stages),
        "by_stage": {
            stage: _build_stage(consultation, stage, land, (unit_at, school_at), pool) for stage in publication.stages
        },
        "streets": _build_streets(consultation, land),
        "backdrop": pack_backdrop(study.basemap, study.crs),
        "borders": pack_town_borders(land, study.crs) if consultation.options.show_boundaries else None,
        "colours": list(ZONE_COLOURS),
        "roads": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
    }
    notes = [pool.add(note) for note in publication.notes]
    catalogues = {language: read_catalogue(language) for language in consultation.languages}
    data["messages"] = {
        "names": pool.names,
        "sentences": pool.sentences,
        "notes": notes,
        "templates": {language: pool.render_templates(_) for language, _ in catalogues.items()},
    }
    return data


def _list_schools(consultation: Consultation) -> dict[str, list[Any]]:
    """Return ``ids``, ``names``, ``towns``, ``x``, ``y`` (steps; None where unknown) of every school that is told."""
    rows = consultation.publication.schools.drop_duplicates("school_id")
    places = _find_places(consultation)
    ids = [str(key) for key in rows["school_id"]]
    spots = [places.get(key, (float("nan"), float("nan"))) for key in ids]
    x_m, y_m = np.array([spot[0] for spot in spots]), np.array([spot[1] for spot in spots])
    known = np.isfinite(x_m) & np.isfinite(y_m)
    steps = to_steps(np.where(known, x_m, 0.0), np.where(known, y_m, 0.0), consultation.study.crs)
    return {
        "ids": ids,
        "names": _tell_names(rows["name"], ids),
        "towns": [str(town) for town in rows["town"].fillna("")],
        "x": [int(x) if here else None for x, here in zip(steps[:, 0], known, strict=True)],
        "y": [int(y) if here else None for y, here in zip(steps[:, 1], known, strict=True)],
    }


def _tell_names(names: pd.Series[Any], ids: Iterable[str]) -> list[str]:
    """Return names; one that only repeats the id is none."""
    return [
        "" if str(name).strip() == key else str(name).strip() for name, key in zip(names.fillna(""), ids, strict=True)
    ]


def _find_places(consultation: Consultation) -> dict[str, tuple[float, float]]:
    """Return where schools stand (metres): those of the study, and those that either answer opens."""
    frame = consultation.study.schools
    rows = zip(frame["school_id"].astype(str), frame["x_m"], frame["y_m"], strict=True)
    places = {key: (float(x), float(y)) for key, x, y in rows}
    for outcome in (consultation.baseline, consultation.proposal):
        places.update(_find_opened(outcome))
    return places


def _find_opened(outcome: Outcome) -> dict[str, tuple[float, float]]:
    changes = outcome.changes
    opened = changes[changes["what"] == "opened"].drop_duplicates("school_id")
    rows = zip(opened["school_id"].astype(str), opened["x_m"], opened["y_m"], strict=True)
    return {key: (float(x), float(y)) for key, x, y in rows}


def _build_stage(
    consultation: Consultation,
    stage: str,
    land: MapLand,
    places: tuple[Mapping[str, int], Mapping[str, int]],
    pool: MessagePool,
) -> dict[str, Any]:
    """Return what one stage knows; ``places``: position of every unit and of every school."""
    unit_at, school_at = places
    publication, crs = consultation.publication, consultation.study.crs
    units = publication.units[publication.units["stage"] == stage]
    ways = publication.ways[(publication.ways["stage"] == stage) & publication.ways["school_id"].isin(list(school_at))]
    colours = _colour_schools(consultation, ways, unit_at, school_at)
    zones: dict[str, Any] = {}
    for side in SIDES:
        shape, groups = pack_zones(land, list_zones(publication, side), stage, crs)
        members = [[school_at[key] for key in group.split(";") if key in school_at] for group in groups]
        zones[side] = {
            "shape": shape,
            "schools": members,
            "colours": [colours[group[0]] if group else 0 for group in members],
        }
    return {
        "units": _build_units(units, unit_at, pool),
        "ways": _pack_ways(ways, unit_at, school_at),
        "schools": _build_schools(publication.schools[publication.schools["stage"] == stage], school_at),
        "zones": zones,
        "colours": colours,
        "totals": _build_totals(publication.totals[publication.totals["stage"] == stage]),
    }


def _build_units(rows: pd.DataFrame, unit_at: Mapping[str, int], pool: MessagePool) -> dict[str, Any]:
    """Return columns over all units: minutes × 10 (−1 unknown), whether changed, and the number of the reason."""
    n = len(unit_at)
    at = rows["unit_id"].astype(str).map(unit_at).to_numpy(dtype=np.int64)
    columns: dict[str, npt.NDArray[np.int64]] = {name: np.full(n, -1, dtype=np.int64) for name in (*SIDES, "reason")}
    columns["changed"] = np.zeros(n, dtype=np.int64)
    for side in SIDES:
        columns[side][at] = _to_tenths(rows[f"min_{side}"])
    columns["changed"][at] = rows["changed"].to_numpy(dtype=bool)
    columns["reason"][at] = [pool.add(reason) for reason in rows["reason"]]
    return {name: pack_numbers(values) for name, values in columns.items()}


def _to_tenths(values: pd.Series[Any]) -> npt.NDArray[np.int64]:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), np.rint(np.nan_to_num(numbers) * 10), -1).astype(np.int64)


def _pack_ways(ways: pd.DataFrame, unit_at: Mapping[str, int], school_at: Mapping[str, int]) -> str:
    """Return rows of unit, side, grades, school, minutes × 10, metres; −1 where unknown. In the table's order."""
    units = ways["unit_id"].astype(str).map(unit_at)
    metres = ways["length_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    columns = [
        units.to_numpy(dtype=np.int64),
        ways["side"].map({name: number for number, name in enumerate(SIDES)}).to_numpy(dtype=np.int64),
        ways["grades"].map({name: number for number, name in enumerate(GRADES)}).to_numpy(dtype=np.int64),
        ways["school_id"].astype(str).map(school_at).to_numpy(dtype=np.int64),
        _to_tenths(ways["time_min"]),
        np.where(np.isfinite(metres), np.rint(np.nan_to_num(metres) / 10) * 10, -1).astype(np.int64),
    ]
    return pack_numbers(np.column_stack(columns))


def _colour_schools(
    consultation: Consultation, ways: pd.DataFrame, unit_at: Mapping[str, int], school_at: Mapping[str, int]
) -> list[int]:
    """Return a colour of every school, the same before and after; zones that touch on either side differ."""
    adjacency = consultation.study.adjacency
    pairs = [
        (unit_at[first], unit_at[second])
        for first, second in zip(adjacency.first_ids, adjacency.second_ids, strict=True)
        if first in unit_at and second in unit_at
    ]
    zone: list[int] = []
    for side in SIDES:
        rows = ways[ways["side"] == side].sort_values("share", ascending=False, kind="stable")
        main = rows.drop_duplicates("unit_id")
        of_unit = dict(zip(main["unit_id"].astype(str), main["school_id"].astype(str), strict=True))
        zone += [school_at.get(of_unit.get(key, ""), -1) for key in unit_at]
    n = len(unit_at)
    colours = compute_zone_colours(zone, [*pairs, *((first + n, second + n) for first, second in pairs)])
    return [max(0, colours[number]) if number < len(colours) else 0 for number in range(len(school_at))]


def _build_schools(rows: pd.DataFrame, school_at: Mapping[str, int]) -> dict[str, list[Any]]:
    """Return columns of the schools of a stage; ``at``: their position among all schools."""
    return {
        "at": [school_at[str(key)] for key in rows["school_id"]],
        "changed": [int(bool(value)) for value in rows["changed"]],
        **{name: [str(value) for value in rows[name].fillna("")] for name in _SCHOOL_WORDS},
        **{name: [_tell_number(value) for value in rows[name]] for name in _SCHOOL_NUMBERS},
        **{name: _tell_counts(rows, name) for name in _SCHOOL_COUNTS},
    }


def _build_totals(rows: pd.DataFrame) -> dict[str, Any]:
    if rows.empty:
        return dict.fromkeys(_TOTALS)
    row = rows.iloc[0]
    return {
        name: HIDDEN if bool(row.get(f"{name.removesuffix('_pupils')}_hidden", False)) else _tell_number(row[name])
        for name in _TOTALS
    }


def _tell_counts(rows: pd.DataFrame, name: str) -> list[int | str | None]:
    """Return published counts: whole numbers, ``"hidden"``, or None where they are not known."""
    flags: Iterable[Any] = rows[f"{name}_hidden"]
    return [HIDDEN if bool(flag) else _tell_number(value) for value, flag in zip(rows[name], flags, strict=True)]


def _tell_number(value: Any) -> int | None:
    number = float(value)
    return round(number) if np.isfinite(number) else None


def _build_streets(consultation: Consultation, land: MapLand) -> dict[str, Any]:
    """Return ``names``, ``towns``; packed ``units``, ``runs`` (odd, first, last − first, unit), after their count."""
    streets = list_street_units(consultation.study, land.shapes)
    units: list[int] = []
    runs: list[int] = []
    for street in streets:
        units += [len(street.units), *street.units]
        runs.append(len(street.runs))
        for run in street.runs:
            runs += [int(run.odd), run.first, run.last - run.first, run.unit]
    return {
        "names": [street.street for street in streets],
        "towns": [street.town for street in streets],
        "units": pack_numbers(units),
        "runs": pack_numbers(runs),
    }
