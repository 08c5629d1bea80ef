"""Issues on the map: one mark per finding that has a place, over the study's outlines where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.errors import DataIssue
from geodata.study import compute_digest
from reports.issue_words import say_place
from reports.language import Translator
from reports.map_scene import build_study_parts
from reports.maps import MapPart, Payload, compute_part_digest, encode_areas, encode_points, pack_array

if TYPE_CHECKING:
    from geodata.study import StudyArea

WGS84 = "EPSG:4326"
MOST_MARKS = 2_000
MARGIN_DEG = 0.02
MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"error": ("diamond", "#b3261e"), "warning": ("triangle", "#c77800"), "note": ("circle", "#5b6b6c")}
)
"""Shape and colour by severity: the shape alone tells them apart too."""
GROUND_COLOUR = "#e8edec"


def build_issue_map(
    issues: Mapping[int, DataIssue],
    _: Translator,
    study: StudyArea | None = None,
    *,
    picked: int | None = None,
    clicks: int = 0,
) -> tuple[dict[str, Any], dict[str, MapPart | None]] | None:
    """Return scene and parts for ``ui.map_canvas``, or None where no issue has a place.

    Parameters
    ----------
    issues : the issues to show, by a number of the caller's
    study : its outlines and roads lie under the marks
    picked : number of the issue to mark and to move to
    clicks : changes with every click, so that the same place can be gone to again
    """
    placed = {at: issue for at, issue in issues.items() if _has_place(issue)}
    placed = dict(list(placed.items())[:MOST_MARKS])
    if not placed:
        return None
    lon = np.array([issue.lon_deg for issue in placed.values()], dtype=np.float64)
    lat = np.array([issue.lat_deg for issue in placed.values()], dtype=np.float64)
    ground = _build_ground(lon, lat, study)
    marks = [_build_mark(_, at, issue) for at, issue in enumerate(placed.values())]
    names = [issue.record_id or say_place(issue, _) for issue in placed.values()]
    points = encode_points([str(at) for at in placed], names, lon, lat, WGS84)
    count = 1 if study is None else len(study.units)
    paint = _build_paint(count, marks)
    mark = compute_digest(lon, lat, repr(marks), list(placed), names, study.fingerprint if study else "")
    parts = {
        **ground,
        "schools": MapPart("schools", compute_part_digest(mark, "issues"), lambda: points),
        "paint": MapPart("paint", compute_part_digest(mark, "issue_paint"), lambda: paint),
    }
    scene = _build_scene(_, mark, list(placed.values()), study)
    if picked in placed:
        scene["selected"] = {"kind": "school", "id": str(picked)}
        scene["focus"] = {"kind": "school", "id": str(picked), "n": clicks}
    return scene, parts


def _has_place(issue: DataIssue) -> bool:
    if issue.lon_deg is None or issue.lat_deg is None:
        return False
    return abs(issue.lon_deg) <= 180 and abs(issue.lat_deg) <= 85


def _build_ground(lon: Any, lat: Any, study: StudyArea | None) -> dict[str, MapPart | None]:
    """Return the study's own outlines and roads, or a plain sheet under the marks where there is no study yet."""
    if study is not None:
        parts = build_study_parts(study)
        return {"units": parts["units"], "basemap": parts["basemap"]}
    sheet = shapely.box(lon.min() - MARGIN_DEG, lat.min() - MARGIN_DEG, lon.max() + MARGIN_DEG, lat.max() + MARGIN_DEG)
    payload: Payload = {
        "kind": "areas",
        "shape": encode_areas(np.array([sheet]), WGS84),
        "ids": [""],
        "names": [""],
        "notes": [""],
        "labels": [],
    }
    return {
        "units": MapPart("units", compute_part_digest(repr(sheet.bounds), "sheet"), lambda: payload),
        "basemap": None,
    }


def _build_mark(_: Translator, at: int, issue: DataIssue) -> Payload:
    shape, colour = MARKS[issue.severity]
    lines = [part for part in (say_place(issue, _), _.say(issue.problem)) if part]
    return {"at": at, "shape": shape, "colour": colour, "mark": "", "size": 7.0, "lines": lines}


def _build_paint(units: int, marks: list[Payload]) -> Payload:
    nothing = np.zeros(0)
    return {
        "kind": "paint",
        "ids": [],
        "units": {
            "classes": pack_array(np.zeros(units, dtype=np.uint8)),
            "values": pack_array(np.full(units, np.nan, dtype="<f4")),
            "link_units": pack_array(nothing.astype("<u4")),
            "link_schools": pack_array(nothing.astype("<u2")),
            "colours": [GROUND_COLOUR],
            "digits": 0,
        },
        "shown": marks,
        "others": [],
    }


def _build_scene(_: Translator, mark: str, issues: Sequence[DataIssue], study: StudyArea | None) -> dict[str, Any]:
    from reports.colours import ROAD_STYLES

    layers = [("schools", _("Findings")), ("units", _("Planning units"))]
    if study is not None and (len(study.basemap.roads) or len(study.basemap.water)):
        layers += [("roads", _("Roads")), ("water", _("Water"))]
    names = {"error": _("Error"), "warning": _("Warning"), "note": _("Note")}
    present = [severity for severity in MARKS if any(issue.severity == severity for issue in issues)]
    return {
        "study": f"issues-{mark}",
        "version": mark + _.language,
        "text": {
            "map": _("Map of the findings: arrow keys move it, plus and minus zoom"),
            "zoom_in": _("Zoom in"),
            "zoom_out": _("Zoom out"),
            "fit": _("Show all findings"),
            "layers": _("Layers"),
            "legend": _("Legend"),
            "value": "",
            "no_value": "",
        },
        "layers": [{"id": name, "label": label, "on": True, "lazy": False} for name, label in layers],
        "legend": [
            {
                "title": _("Findings"),
                "layer": "schools",
                "items": [
                    {
                        "kind": "point",
                        "shape": MARKS[severity][0],
                        "colour": MARKS[severity][1],
                        "size": 6,
                        "label": names[severity],
                    }
                    for severity in present
                ],
            }
        ],
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {},
        "attribution": "",
    }
