"""The table of road classes: who may use them, and how fast. Data: ``geodata/tables/road_classes.csv``."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import DataError, DataIssue, RangeError
from geodata.messages import Message, msg
from geodata.study import MODES, Mode

TABLE = Path(__file__).parent / "tables" / "road_classes.csv"
GROUPS = ("expressway", "main", "secondary", "local", "track", "path", "none")
STRAIGHT_LINE = "straight_line"
"""The row that holds the speeds off the road."""


@dataclass(frozen=True)
class RoadClass:
    """One class of road: default access and speed (km/h) by mode, and its meaning.

    ``allowed`` says who may use it when nothing else is tagged. A speed of 0 means that the mode can never use it,
    not even where tagged.
    """

    name: str
    group: str
    allowed: Mapping[Mode, bool]
    speed_kmh: Mapping[Mode, float]
    note: str = ""
    meaning_en: str = ""
    meaning_zh: str = ""

    def __reduce__(self) -> tuple[object, ...]:
        values = (self.name, self.group, dict(self.allowed), dict(self.speed_kmh))
        return (RoadClass, (*values, self.note, self.meaning_en, self.meaning_zh))


def read_road_classes(path: str | Path | None = None) -> dict[str, RoadClass]:
    """Read the table of road classes; a given ``path`` overrides the rows that it names.

    The file has the columns of ``geodata/tables/road_classes.csv``; ``note`` and the meanings may be left out.

    Raises
    ------
    DataError
        The file cannot be read, or a row is wrong; all problems at once.
    """
    classes = _read_table(TABLE)
    if path is not None:
        classes |= _read_table(Path(path), known=classes)
    return classes


def _read_table(path: Path, known: Mapping[str, RoadClass] | None = None) -> dict[str, RoadClass]:
    issues: list[DataIssue] = []
    classes: dict[str, RoadClass] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in _required() if name not in (reader.fieldnames or ())]
            if missing:
                problem = msg("Columns are missing in the table of road speeds: {columns}.", columns=", ".join(missing))
                raise DataError(DataIssue("road_classes", "error", problem, file=path.name, cure=_CURE))
            for number, row in enumerate(reader, start=2):
                item = _read_row(row, number, path.name, issues, known)
                if item is not None:
                    classes[item.name] = item
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = msg("The table of road speeds cannot be read.")
        raise DataError(DataIssue("road_classes", "error", problem, file=path.name, found=str(error))) from error
    if issues:
        raise RangeError(issues)
    return classes


_CURE = msg("Copy geodata/tables/road_classes.csv and change the speeds in the copy.")


def _required() -> list[str]:
    return ["road_class", "group", *MODES, *(f"{mode}_kmh" for mode in MODES)]


def _read_row(
    row: Mapping[str, str | None],
    number: int,
    file: str,
    issues: list[DataIssue],
    known: Mapping[str, RoadClass] | None,
) -> RoadClass | None:
    """Return the class of one row; add what is wrong to ``issues``."""

    def report(problem: Message, column: str, found: str) -> None:
        issues.append(
            DataIssue("road_classes", "error", problem, file=file, row=number, column=column, found=found, cure=_CURE)
        )

    text = {key: (value or "").strip() for key, value in row.items() if key}
    before = len(issues)
    name, group = text["road_class"], text["group"]
    if not name or (known is not None and name not in known):
        report(msg("This road class is not known."), "road_class", name)
    if group not in GROUPS:
        report(msg("The group must be one of: {groups}.", groups=", ".join(GROUPS)), "group", group)
    speeds: dict[Mode, float] = {}
    for mode in MODES:
        if text[mode] not in ("yes", "no"):
            report(msg("Access must be yes or no."), mode, text[mode])
        try:
            speeds[mode] = float(text[f"{mode}_kmh"])
        except ValueError:
            speeds[mode] = math.nan
        if not 0 <= speeds[mode] <= 130:
            report(msg("The speed must be between 0 and 130 km/h."), f"{mode}_kmh", text[f"{mode}_kmh"])
    if len(issues) > before:
        return None
    allowed = {mode: text[mode] == "yes" and speeds[mode] > 0 for mode in MODES}
    meanings = (text.get("note", ""), text.get("meaning_en", ""), text.get("meaning_zh", ""))
    return RoadClass(name, group, allowed, speeds, *meanings)
