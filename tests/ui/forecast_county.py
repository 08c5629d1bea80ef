"""The small county of three villages with rolls of six years, so that there is something to foretell."""

from __future__ import annotations

from pathlib import Path

from tests.small_county import write_small_county

ENTRY = {"001": (30, 29, 28, 27, 26, 23, 22, 21, 20, 18, 16), "002": (15, 14, 14, 13, 13, 12, 11, 10, 10, 9, 8)}
"""Children who entered grade 1 in 2015 … 2025; all go up every year. In 2025 school 001 has 120 pupils, 002 has 60."""
FIRST, LAST = 2020, 2025
ROLLS = '[rolls]\npath = "rolls.csv"\n'


def count_pupils(school_id: str, year: int) -> int:
    """Return the pupils of a school in a year: those who entered in the last six years."""
    return sum(ENTRY[school_id][year - 5 - 2015 : year + 1 - 2015])


def write_forecast_county(folder: Path) -> Path:
    """Write the files into ``folder`` and return the path of the study file."""
    path = write_small_county(folder)
    lines = ["学校代码,学年,学段,年级,学生数"]
    for school_id, entered in ENTRY.items():
        for year in range(FIRST, LAST + 1):
            lines += [f"{school_id},{year},小学,{grade},{entered[year - grade + 1 - 2015]}" for grade in range(1, 7)]
    (folder / "rolls.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + ROLLS, encoding="utf-8")
    return path
