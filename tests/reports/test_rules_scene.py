"""The map of a check: the grade of schools and areas by the gravest rule that they fail."""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd

from reports.colours import MISSING_CLASS
from reports.language import read_catalogue
from reports.rules_scene import BLOCK, NOTE, PASSED, UNKNOWN, WARN, build_check_paint, build_check_scene, grade_subjects
from tests.worlds import build_five_villages

SAY = read_catalogue("en")
COLUMNS = ("rule_id", "subject", "subject_id", "status", "severity")


def _build_checks(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(COLUMNS))


def test_the_gravest_failure_counts_and_what_nobody_could_judge_is_unknown() -> None:
    checks = _build_checks(
        ("R1", "school", "W", "failed", "note"),
        ("R2", "school", "W", "failed", "block"),
        ("R2", "school", "W", "failed", "block"),  # another stage of the same rule
        ("R3", "school", "E", "passed", "block"),
        ("R4", "school", "E", "unknown", "block"),
        ("R4", "school", "N", "unknown", "block"),
        ("R5", "unit", "a", "failed", "warn"),
    )
    schools = grade_subjects(checks, "school")
    assert schools["grade"].to_dict() == {"W": BLOCK, "E": PASSED, "N": UNKNOWN}
    assert schools["failed"].to_dict() == {"W": 2, "E": 0, "N": 0}
    assert grade_subjects(checks, "unit")["grade"].to_dict() == {"a": WARN}
    assert grade_subjects(checks, "town").empty


def test_units_without_a_check_are_hatched_and_unknown_subjects_are_left_out() -> None:
    study = build_five_villages()
    checks = _build_checks(
        ("R5", "unit", "a", "failed", "note"),
        ("R5", "unit", "b", "passed", "note"),
        ("R1", "school", "gone", "failed", "block"),
        ("R1", "school", str(study.schools["school_id"].iloc[0]), "failed", "block"),
    )
    part = build_check_paint(study, checks, SAY)
    payload = part.build()
    classes = np.frombuffer(base64.b64decode(payload["units"]["classes"]), dtype=np.uint8)
    units = list(study.units["unit_id"])
    assert classes[units.index("a")] == NOTE
    assert classes[units.index("b")] == PASSED
    assert set(classes[[units.index(key) for key in "cde"]]) == {MISSING_CLASS}
    assert [symbol["at"] for symbol in payload["shown"]] == [0]
    assert build_check_paint(study, checks.iloc[:1], SAY).digest != part.digest
    assert build_check_scene(study, "m", SAY)["version"] != build_check_scene(study, "n", SAY)["version"]
