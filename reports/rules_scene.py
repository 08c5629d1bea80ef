"""The map of a check against the rules: areas and schools by the gravest rule that they fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.study import STAGES, compute_digest
from reports.colours import MISSING_CLASS, ROAD_STYLES, UNKNOWN_COLOUR
from reports.legend import STAGE_SHAPES, name_kind
from reports.map_scene import build_map_texts, build_road_keys, find_credit
from reports.maps import MapPart, Payload, compute_part_digest, pack_array

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from reports.language import Translator

PASSED, NOTE, WARN, BLOCK = range(4)
UNKNOWN = -1
GRADE_OF_SEVERITY = {"evidence": NOTE, "note": NOTE, "warn": WARN, "block": BLOCK}
GRADE_COLOURS = ("#f3f1e7", "#bcd7e8", "#f4b06a", "#b3490b")
"""Of areas and schools that pass, and that fail a note, a warning, a serious rule; light to dark."""
SCHOOL_PX = (4.0, 5.0, 6.0, 7.5)


def grade_subjects(checks: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Return, by id of a school or unit, ``grade`` (``PASSED`` to ``BLOCK``, ``UNKNOWN``) and ``failed`` (rules).

    Unknown is what has no check that passed or failed.
    """
    rows = checks[checks["subject"] == subject]
    failed = rows[rows["status"] == "failed"]
    grades = failed["severity"].map(GRADE_OF_SEVERITY).groupby(failed["subject_id"]).max()
    known = rows.loc[rows["status"].isin(["failed", "passed"]), "subject_id"].unique()
    ids = pd.Index(rows["subject_id"].unique(), name="subject_id")
    worst = grades.reindex(ids).to_numpy(dtype=np.float64)
    found = np.where(np.isfinite(worst), worst, np.where(ids.isin(known), PASSED, UNKNOWN)).astype(np.int64)
    counts = failed.groupby("subject_id")["rule_id"].nunique().reindex(ids).fillna(0)
    return pd.DataFrame({"grade": found, "failed": counts.astype(int)}, index=ids)


def build_check_paint(study: StudyArea, checks: pd.DataFrame, _: Translator) -> MapPart:
    """Return the values that the map paints: a class and the number of failed rules of every unit, school symbols."""
    units = grade_subjects(checks, "unit").reindex(study.units["unit_id"].astype(str))
    grade = units["grade"].fillna(UNKNOWN).to_numpy(dtype=np.int64)
    classes = np.where(grade == UNKNOWN, MISSING_CLASS, grade).astype(np.uint8)
    failed = units["failed"].where(units["grade"].notna() & (grade != UNKNOWN)).to_numpy(dtype=np.float64)
    nothing = np.zeros(0)
    symbols = build_check_symbols(study, grade_subjects(checks, "school"), _)
    payload: Payload = {
        "kind": "paint",
        "ids": [],
        "units": {
            "classes": pack_array(classes),
            "values": pack_array(failed.astype("<f4")),
            "link_units": pack_array(nothing.astype("<u4")),
            "link_schools": pack_array(nothing.astype("<u2")),
            "colours": list(GRADE_COLOURS),
            "digits": 0,
        },
        "shown": symbols,
        "others": [],
    }
    digest = compute_part_digest(study.fingerprint, "paint", classes, failed, repr(symbols))
    return MapPart("paint", digest, lambda: payload)


def build_check_symbols(study: StudyArea, grades: pd.DataFrame, _: Translator) -> list[Payload]:
    """Return the symbols of the schools that rules judge, the gravest on top."""
    at = {str(key): position for position, key in enumerate(study.schools["school_id"])}
    kinds = dict(zip(study.schools["school_id"].astype(str), study.schools["kind"].astype(str), strict=True))
    stages: dict[str, set[str]] = {}
    for school, stage in zip(study.places["school_id"].astype(str), study.places["stage"].astype(str), strict=True):
        stages.setdefault(school, set()).add(stage)
    symbols = []
    for key, row in grades.sort_values("grade", kind="stable").iterrows():
        school, grade = str(key), int(row["grade"])
        if school not in at:
            continue
        lowest = next((stage for stage in STAGES if stage in stages.get(school, ())), "primary")
        symbols.append(
            {
                "at": at[school],
                "shape": STAGE_SHAPES[lowest],
                "colour": UNKNOWN_COLOUR if grade == UNKNOWN else GRADE_COLOURS[grade],
                "mark": "unknown" if grade == UNKNOWN else "over" if grade == BLOCK else "",
                "size": SCHOOL_PX[max(grade, 0)],
                "lines": [name_kind(kinds[school], _), say_grade(grade, int(row["failed"]), _)],
            }
        )
    return symbols


def say_grade(grade: int, failed: int, _: Translator) -> str:
    """Return how many rules fail, and how grave the gravest is."""
    if grade == UNKNOWN:
        return _("Cannot be judged: data missing")
    if grade == PASSED:
        return _("No rule fails")
    names = {NOTE: _("○ Note"), WARN: _("● Warning"), BLOCK: _("▲ Serious")}
    return _("Rules that fail: {count}, the gravest: {severity}", count=_.number(failed), severity=names[grade])


def build_check_scene(study: StudyArea, mark: str, _: Translator) -> dict[str, Any]:
    """Return texts, legend and layers; ``mark`` names what is painted."""
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    layers = [
        ("units", _("Planning units"), True),
        ("schools", _("Schools"), True),
        ("roads", _("Roads"), roads),
        ("water", _("Water"), water),
        ("names", _("Names"), True),
    ]
    keys: Mapping[str, Any] = {"keys": build_road_keys(_)}
    return {
        "study": f"check-{study.fingerprint}",
        "version": compute_digest(study.fingerprint, mark, _.language),
        "text": {
            **build_map_texts(_),
            "value": _("{value} rules fail here"),
            "no_value": _("Cannot be judged: data missing"),
        },
        "layers": [
            {"id": name, "label": label, "on": True, "lazy": False, **(keys if name == "roads" else {})}
            for name, label, has in layers
            if has
        ],
        "legend": _build_legend(_),
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {},
        "outline": False,
        "attribution": find_credit(study),
    }


def _build_legend(_: Translator) -> list[dict[str, Any]]:
    names = (_("passes"), _("○ Note"), _("● Warning"), _("▲ Serious"))
    areas = [
        {"kind": "area", "colour": colour, "label": name} for colour, name in zip(GRADE_COLOURS, names, strict=True)
    ]
    hatch = {"kind": "area", "colour": "hatch", "label": _("cannot be judged")}
    points = [
        {
            "kind": "point",
            "shape": "circle",
            "colour": GRADE_COLOURS[grade],
            "size": size,
            "mark": "over" if grade == BLOCK else "",
            "label": names[grade],
        }
        for grade, size in enumerate(SCHOOL_PX)
    ]
    unknown = {"kind": "point", "shape": "circle", "colour": UNKNOWN_COLOUR, "mark": "unknown", "label": _("unknown")}
    return [
        {"title": _("Areas: gravest rule that fails"), "layer": "units", "flow": True, "items": [*areas, hatch]},
        {"title": _("Schools: gravest rule that fails"), "layer": "schools", "flow": True, "items": [*points, unknown]},
    ]
