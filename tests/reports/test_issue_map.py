"""Findings on the map: one mark per finding with a place."""

from __future__ import annotations

import math

from geodata.errors import DataIssue
from geodata.messages import msg
from reports.issue_map import MARKS, build_issue_map
from reports.language import read_catalogue

ENGLISH = read_catalogue("en")


def issue(severity: str, lon_deg: float | None, lat_deg: float | None) -> DataIssue:
    return DataIssue(
        "x", severity, msg("Wrong."), file="a.csv", row=4, record_id="<b>", lon_deg=lon_deg, lat_deg=lat_deg
    )  # type: ignore[arg-type]


def test_marks_tell_severity_by_shape_and_colour() -> None:
    built = build_issue_map({3: issue("error", 113.0, 34.7), 8: issue("note", 113.1, 34.8)}, ENGLISH)
    assert built is not None
    scene, parts = built
    assert parts["paint"] is not None
    marks = parts["paint"].build()["shown"]
    assert [(mark["shape"], mark["colour"]) for mark in marks] == [MARKS["error"], MARKS["note"]]
    assert marks[0]["lines"] == ["a.csv, row 4", "Wrong."]
    assert parts["schools"] is not None
    assert parts["schools"].build()["names"] == ["<b>", "<b>"]
    assert [item["label"] for item in scene["legend"][0]["items"]] == ["Error", "Note"]


def test_nothing_without_a_place() -> None:
    assert build_issue_map({0: issue("error", None, None), 1: issue("error", 999.0, 1.0)}, ENGLISH) is None
    assert build_issue_map({0: issue("error", math.nan, 1.0)}, ENGLISH) is None
    assert build_issue_map({}, ENGLISH) is None
