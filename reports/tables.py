"""Tables of a run as files: CSV that a spreadsheet opens without running anything, and the record as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.errors import ExportError
from geodata.messages import Message
from planning.run import Outcome
from reports.citations import cite_rule
from reports.language import Translator, read_catalogue

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell of text that begins with one of these would be run as a formula by a spreadsheet."""

RUN_FILES = ("schools.csv", "units.csv", "flags.csv", "indicators.csv", "run.json")
_UNIT_COLUMNS = (
    "unit_id",
    "unit_name",
    "stage",
    "setting",
    "town",
    "school_id",
    "school_name",
    "share",
    "pupils",
    "time_min",
    "length_m",
    "snap_m",
    "origin",
)


def neutralise_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy whose text cells and headers cannot start a formula; numbers stay numbers."""
    safe = table.rename(columns=lambda name: _neutralise(name))
    for position, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_datetime64_any_dtype(dtype):
            cells = [_neutralise(cell) for cell in table.iloc[:, position]]
            safe.isetitem(position, np.array(cells, dtype=object))
    return safe


def _neutralise(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return "'" + cell
    return cell


def build_unit_rows(outcome: Outcome) -> pd.DataFrame:
    """Return one row per unit and school: ids, names, share, pupils, minutes, metres, metres to the road.

    Empty without a plan.
    """
    if not any(tables.modelled for tables in outcome.stages):
        return pd.DataFrame(columns=list(_UNIT_COLUMNS))
    parts = []
    for tables in outcome.stages:
        names = tables.schools.set_index("school_id")["name"]
        pairs = tables.pairs.rename(columns={"name": "unit_name"})
        snap_m = tables.units.set_index("unit_id")["snap_m"]
        parts.append(
            pairs.assign(
                school_name=names.reindex(pairs["school_id"]).fillna("").to_numpy(),
                snap_m=snap_m.reindex(pairs["unit_id"]).to_numpy(),
            )
        )
    return pd.concat([part for part in parts if len(part)], ignore_index=True).loc[:, list(_UNIT_COLUMNS)]


def build_flag_rows(outcome: Outcome, *, language: Translator) -> pd.DataFrame:
    """Return the flags with their reasons as sentences, and the source of the rule that each is judged by."""
    flags = outcome.flags
    return flags.assign(
        reason=[language.say(reason) for reason in flags["reason"]],
        source=[cite_rule(outcome.rules, rule_id, language) for rule_id in flags["rule_id"]],
    )


def build_indicator_rows(outcome: Outcome) -> pd.DataFrame:
    """Return the indicators as ``name``, ``value``, ``unit``, …; ``area`` of the whole county is ``"county"``."""
    rows = outcome.indicators.rename(columns={"indicator": "name"})
    return rows.assign(area=rows["area"].where(rows["area_kind"] != "county", "county"))


def build_run_record(outcome: Outcome, *, say: Callable[[Message], str] = str) -> dict[str, object]:
    """Return the record of the run, its status, and the conflicts as sentences."""
    return {
        "status": "plan" if outcome.plan is not None else "no_plan",
        "conflicts": [say(conflict) for conflict in outcome.conflicts],
        **outcome.record.as_dict(),
    }


def write_run_tables(outcome: Outcome, folder: str | Path, *, language: Translator | None = None) -> list[Path]:
    """Write ``RUN_FILES`` into ``folder`` (made where missing) and return their paths.

    Parameters
    ----------
    language
        The reader's language; English by default.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    language = language or read_catalogue("en")
    say = language.say
    tables = {
        "schools.csv": outcome.school_table,
        "units.csv": build_unit_rows(outcome),
        "flags.csv": build_flag_rows(outcome, language=language),
        "indicators.csv": build_indicator_rows(outcome),
    }
    record = json.dumps(build_run_record(outcome, say=say), ensure_ascii=False, indent=2, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / name).write_bytes(render_csv(table))
        (folder / "run.json").write_text(record + "\n", encoding="utf-8")
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return [folder / name for name in RUN_FILES]


def render_csv(table: pd.DataFrame) -> bytes:
    """Return UTF-8 with a byte order mark, so that spreadsheets read Chinese; missing values are empty cells.

    Lines end in CR LF: only then does the writer quote a lone CR, which would otherwise start a new row in a name.
    """
    safe = neutralise_formulas(table)
    return safe.to_csv(index=False, float_format="%.10g", lineterminator="\r\n").encode("utf-8-sig")
