"""Published values that stand beside an instance: tables, lists and names of solution files; a lone file has none."""

from __future__ import annotations

import csv
import re
from pathlib import Path

COLUMNS = {
    "pmedian_opt": "pmedian",
    "pcenter_opt": "pcenter",
    "uncapacitated_opt": "uncapacitated",
    "opt": "cpmp",
}
"""Columns of ``optima.csv`` and the kind they answer."""


def list_optima(path: Path) -> dict[str, float]:
    """Return published values by kind; ``uncapacitated`` is a location with fixed costs and no limits.

    Looked for: ``optima.csv`` (by file name), ``kcenteropt.txt`` (``name value``), ``os`` (line k belongs to the file
    that ends in the number k), ``bestSolutions/NAME_…_VALUE.txt`` (the best known, cut to whole numbers).
    """
    folder = path.resolve().parent
    return {
        **_read_solution_names(folder / "bestSolutions", path.name),
        **_read_list(folder / "os", path.name),
        **_read_centers(folder / "kcenteropt.txt", path.stem),
        **_read_table(folder / "optima.csv", path.name),
    }


def _read_table(file: Path, name: str) -> dict[str, float]:
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8-sig", newline="") as text:
        for row in csv.DictReader(text):
            if row.get("file") == name:
                kinds = {COLUMNS[key]: _read_value(row[key]) for key in row if COLUMNS.get(key)}
                return {kind: value for kind, value in kinds.items() if value is not None}
    return {}


def _read_centers(file: Path, stem: str) -> dict[str, float]:
    if not file.is_file():
        return {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, _, value = line.strip().partition(" ")
        found = _read_value(value)
        if name == stem and found is not None:
            return {"pcenter": found}
    return {}


def _read_list(file: Path, name: str) -> dict[str, float]:
    number = re.search(r"(\d+)$", Path(name).stem)
    if not file.is_file() or number is None:
        return {}
    values = file.read_text(encoding="utf-8").replace("\x00", " ").split()
    position = int(number.group(1)) - 1
    found = _read_value(values[position]) if 0 <= position < len(values) else None
    return {} if found is None else {"sscflp": found}


def _read_solution_names(folder: Path, name: str) -> dict[str, float]:
    if not folder.is_dir():
        return {}
    found = [re.search(r"_(\d+(?:\.\d+)?)\.txt$", file.name) for file in sorted(folder.glob(f"{name}_*.txt"))]
    values = [float(match.group(1)) for match in found if match]
    return {"sscflp_best_known": min(values)} if values else {}


def _read_value(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
