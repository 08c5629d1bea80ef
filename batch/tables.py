"""The tables of a batch: their columns and kinds, the same for every county, so that all of them fit one file each."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geodata.messages import Message
from planning import flag_case, siting_answer, tables
from planning.action_state import CHANGE_COLUMNS
from planning.check_case import CHECK_COLUMNS
from planning.compare_units import TOTAL_COLUMNS
from planning.indicators import INDICATOR_COLUMNS
from planning.plan import ENROLMENT_COLUMNS
from reports.language import Translator

HEAD = ("task", "study", "scenario", "options")
"""Columns that every table begins with: number and question of the task (see ``tasks.parquet``)."""
CONFLICT_COLUMNS = ("rule", "message", "cure", "short_pupils")
PLAN_COLUMNS = ("plan", "role", "name", "status", "stopped", "value", "bound", "gap_share", "scenario_toml")
COMPARISON_COLUMNS = ("option", "name", "indicator", "stage", "unit", "value", "baseline", "difference", "verdict")

TABLES: Mapping[str, tuple[str, ...]] = {
    "indicators": INDICATOR_COLUMNS,
    "schools": tables.SCHOOL_COLUMNS,
    "flags": flag_case.FLAG_COLUMNS,
    "changes": CHANGE_COLUMNS,
    "enrolment": ENROLMENT_COLUMNS,
    "checks": CHECK_COLUMNS,
    "comparison": COMPARISON_COLUMNS,
    "totals": ("name", *TOTAL_COLUMNS),
    "front": siting_answer.FRONT_COLUMNS,
    "plans": PLAN_COLUMNS,
    "decisions": ("plan", *siting_answer.DECISION_COLUMNS),
    "periods": ("plan", *siting_answer.PERIOD_COLUMNS),
    "plan_schools": ("plan", *siting_answer.SCHOOL_COLUMNS),
    "plan_enrolment": ("plan", *siting_answer.ENROLMENT_COLUMNS),
    "conflicts": CONFLICT_COLUMNS,
}
"""Columns of each table after ``HEAD``."""
TEXTS = frozenset(
    [
        *("study", "scenario", "options", "indicator", "unit", "stage", "area_kind", "area", "name", "kind"),
        *("setting", "town", "ownership", "capacity_source", "subject", "flag", "severity", "reason"),
        *("what", "kind_before", "kind_after", "into", "origin", "status", "op", "missing", "cure", "document"),
        *("detail", "subject_name", "verdict", "plan", "role", "decision", "rule", "message", "stopped"),
        *("scenario_toml",),
    ]
)
WHOLE = frozenset(["task", "number", "year", "closed", "merged", "expanded", "opened", "worse_units"])
TRUTHS = frozenset(["verified", "dominated"])


def build_schema(name: str) -> pa.Schema:
    """Return the columns of a table with ``HEAD``: texts, whole numbers, yes or no; all others are numbers."""
    own = {"option": pa.int64()} if name in ("totals", "comparison") else {}
    return pa.schema([(column, own.get(column, _find_kind(column))) for column in (*HEAD, *TABLES[name])])


def _find_kind(column: str) -> pa.DataType:
    if column in TEXTS or column.endswith("_id"):
        return pa.string()
    if column in WHOLE:
        return pa.int64()
    return pa.bool_() if column in TRUTHS else pa.float64()


def write_table(name: str, table: pd.DataFrame, say: Translator) -> bytes:
    """Return the rows of one task as Parquet, without ``HEAD``; messages become sentences; equal rows, equal bytes."""
    schema = pa.schema([field for field in build_schema(name) if field.name not in HEAD])
    arrays = [_convert(table, field, say) for field in schema]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _convert(table: pd.DataFrame, field: pa.Field, say: Translator) -> pa.Array:
    """Return one column as its kind; a column that the table lacks is unknown everywhere."""
    if field.name not in table.columns:
        return pa.nulls(len(table), field.type)
    held = table[field.name]
    if field.type == pa.string():
        cells = [_say_cell(cell, say) for cell in held]
        return pa.array(cells, type=pa.string())
    if field.type == pa.bool_():
        return pa.array([None if _is_unknown(cell) else bool(cell) for cell in held], type=pa.bool_())
    numbers = pd.to_numeric(held, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if field.type == pa.int64():
        return pa.array([None if np.isnan(number) else int(number) for number in numbers], type=pa.int64())
    return pa.array(numbers, type=pa.float64(), from_pandas=True)


def _say_cell(cell: object, say: Translator) -> str | None:
    if isinstance(cell, Message):
        return say.say(cell)
    if isinstance(cell, tuple | list):
        return ";".join(_say_cell(part, say) or "" for part in cell)
    return None if _is_unknown(cell) else str(cell)


def _is_unknown(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))
