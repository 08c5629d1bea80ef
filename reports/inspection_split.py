"""Sheet of shared assets: how what a school of several stages has together is split by weighted pupils, by formula."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geodata.dictionary import read_table_schema
from geodata.study import StudyArea
from planning.balance_assets import SPLIT_STAGES, pick_asset_rows
from planning.balance_parts import build_parts
from planning.balance_registry import BALANCE_INDICATORS
from planning.balance_rules import SplitWeights, read_split_weights
from planning.balance_tables import BALANCE_STAGES, Balance
from planning.balance_values import list_records
from reports.inspection_book import Book, cell, number_or
from reports.legend import name_stage_short

SHEET = "split"
FIRST_ROW = 5
PUPIL_COLUMNS, PART_COLUMNS = (5, 6, 7), (8, 9, 10)
_CLOSE = 1e-9


def list_splits(balance: Balance, study: StudyArea, weights: SplitWeights) -> pd.DataFrame:
    """Return every split: school_id, name, kind, column, total, given, and pupils by stage.

    Only those that the numbers of the study reproduce: after a scenario that moved assets the others stand as numbers.
    """
    rows = pick_asset_rows(study.assets, balance.year).set_index(["school_id", "stage"])
    parts = build_parts(study, None, balance.year).set_index(["school_id", "stage"])
    owned = balance.assets.set_index(["school_id", "stage"])
    wanted = {name for item in BALANCE_INDICATORS[balance.kind] for name in item.columns}
    found = []
    for key, school in balance.assets.groupby("school_id", sort=True):
        made = {name for text in school["split_columns"].fillna("") for name in str(text).split(";")} & wanted
        if (key, "") not in rows.index:
            continue
        for name in sorted(made):
            total = number_or(rows.at[(key, ""), name])
            own = {stage: _read(rows, str(key), stage, name) for stage in SPLIT_STAGES}
            pupils = {
                stage: _read(owned if stage in BALANCE_STAGES else parts, str(key), stage, "pupils")
                if math.isnan(own[stage])
                else float("nan")
                for stage in SPLIT_STAGES
            }
            given = float(np.nansum(list(own.values())))
            kind = str(school["kind"].iloc[0])
            if _fits(owned, str(key), name, total - given, pupils, kind, weights):
                found.append((str(key), str(school["name"].iloc[0]), kind, name, total, given, *pupils.values()))
    return pd.DataFrame(found, columns=["school_id", "name", "kind", "column", "total", "given", *SPLIT_STAGES])


def _read(table: pd.DataFrame, key: str, stage: str, name: str) -> float:
    return number_or(table.at[(key, stage), name]) if (key, stage) in table.index else float("nan")


def _fits(
    owned: pd.DataFrame,
    key: str,
    name: str,
    rest: float,
    pupils: dict[str, float],
    kind: str,
    weights: SplitWeights,
) -> bool:
    """Tell whether the split by these pupils gives the parts that were counted."""
    weighted = {stage: count * weights.of(stage, kind) for stage, count in pupils.items() if not math.isnan(count)}
    whole = sum(weighted.values())
    if not whole > 0:
        return False
    parts = {stage: rest * weighted[stage] / whole for stage in weighted if (key, stage) in owned.index}
    return bool(parts) and all(
        math.isclose(number_or(owned.at[(key, stage), name]), part, rel_tol=_CLOSE, abs_tol=_CLOSE)
        for stage, part in parts.items()
    )


def write_split(book: Book, balance: Balance, study: StudyArea) -> None:
    """Write the sheet and remember its parts as ("split", school, stage, column)."""
    _ = book.language
    weights = read_split_weights(book.rules)
    table = list_splits(balance, study, weights)
    book.text(SHEET, 0, 0, _("Shared assets of schools with several stages"), "title")
    words = _("Part of a stage = (whole − counted by stage) × pupils × weight / Σ pupils × weight. The parts add up.")
    book.text(SHEET, 1, 0, words, "quiet")
    book.text(SHEET, 2, 0, _("Source: {source}", source=book.cite("SPLIT")), "quiet")
    stages = [name_stage_short(stage, _) for stage in SPLIT_STAGES]
    heads = [
        *(_("Code"), _("School"), _("Assets"), _("Whole school"), _("Counted by stage")),
        *(_("Pupils: {stage}", stage=stage) for stage in stages),
        *(_("Part: {stage}", stage=stage) for stage in stages),
    ]
    book.table(SHEET, FIRST_ROW - 1, heads, [11, 26, 40, 13, 11, 10, 10, 10, 13, 13, 13])
    schema = read_table_schema("assets")
    for row, found in enumerate(list_records(table), start=FIRST_ROW):
        meaning = schema.column(str(found["column"]))
        book.text(SHEET, row, 0, str(found["school_id"]))
        book.text(SHEET, row, 1, str(found["name"]))
        book.text(SHEET, row, 2, meaning.meaning_zh if _.language == "zh" else meaning.meaning_en)
        book.number(SHEET, row, 3, float(found["total"]))
        book.number(SHEET, row, 4, float(found["given"]) or float("nan"))
        for column, stage in zip(PUPIL_COLUMNS, SPLIT_STAGES, strict=True):
            book.number(SHEET, row, column, float(found[stage]))
        _write_parts(book, row, found, weights)
    if table.empty:
        book.text(SHEET, FIRST_ROW, 0, _("No school has assets to split."), "quiet")
    book.sheets[SHEET].freeze_panes(FIRST_ROW, 2)


def _write_parts(book: Book, row: int, found: Mapping[str, Any], weights: SplitWeights) -> None:
    """Write the part of each stage, and remember where it stands."""
    kind = str(found["kind"])
    names = {stage: ("weight", stage) for stage in SPLIT_STAGES}
    factors = {stage: book.refs[name] for stage, name in names.items()}
    if kind == "complete_secondary":
        factors = {"primary": "1", "junior": "1", "senior": book.refs[("weight", "senior_over_junior")]}
    cells = {stage: cell(row, column) for stage, column in zip(SPLIT_STAGES, PUPIL_COLUMNS, strict=True)}
    whole = "+".join(f"N({cells[stage]})*{factors[stage]}" for stage in SPLIT_STAGES)
    weighted = {
        stage: float(found[stage]) * weights.of(stage, kind) for stage in SPLIT_STAGES if not math.isnan(found[stage])
    }
    rest = float(found["total"]) - float(found["given"])
    for column, stage in zip(PART_COLUMNS, SPLIT_STAGES, strict=True):
        mine = f"({cell(row, 3)}-N({cell(row, 4)}))*{cells[stage]}*{factors[stage]}/({whole})"
        value = rest * weighted[stage] / sum(weighted.values()) if stage in weighted else float("nan")
        book.formula(SHEET, row, column, f'IF(ISNUMBER({cells[stage]}),{mine},"")', value, "number")
        if stage in weighted:
            book.keep(("split", str(found["school_id"]), stage, str(found["column"])), SHEET, row, column)
