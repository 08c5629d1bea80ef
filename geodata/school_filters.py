"""Rows of a table of schools that are no schools: totals, remarks, headings between the rows, kinds to leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from geodata.dictionary import Origin
from geodata.errors import DataIssue, Severity
from geodata.messages import Message, msg
from geodata.school_columns import guess_kind
from geodata.school_sheets import Sheet
from geodata.study_file import SchoolsSource
from geodata.values import is_missing, is_total, normalise_header, normalise_text

LEAVE_OUT = "-"
"""A word that ``values`` of the study file maps to this leaves its rows out: ``kind = { "中等职业学校" = "-" }``."""
SEARCHED_COLUMNS = 6
"""Totals and remarks stand in one of the first columns."""
_REMARK = re.compile(
    r"(注|备注|说明|填表人|填报人|制表人?|审核人?|复核人?|负责人|单位负责人|统计负责人|学校负责人|联系人|联系电话|电话"
    r"|填报日期|报出日期|填表日期|填报单位|制表单位|数据来源|资料来源|来源|notes?|source)\d?[:：.、].*"
)
_NUMBERED = re.compile(r"[(（]?[一二三四五六七八九十]+[)）]?[、.．,，]?\s*")
_TOWN = re.compile(r".{1,12}(镇|乡|街道|街道办|街道办事处|办事处|苏木|管委会)")
_STAGED = re.compile(
    r".{0,8}(幼儿园|小学|初中|高中|初级中学|高级中学|教学点|九年一贯制|九年一贯制学校|十二年一贯制学校|完全中学)(部分|阶段|学校|段|组)?"
)


def take_headings(sheet: Sheet, headers: Mapping[str, str]) -> tuple[Sheet, list[DataIssue]]:
    """Leave out rows that only name a town or a stage (一、城关镇; 二、初中部分), and write that into the rows below.

    It is written where the file has no such column, under the header 乡镇 or 学段.
    """
    if sheet.x is not None or len(sheet.frame.columns) < 4:
        return sheet, []
    filled = (sheet.frame != "").to_numpy()
    alone = np.flatnonzero(filled.sum(axis=1) == 1)
    frame, issues = sheet.frame, list[DataIssue]()
    found: dict[str, dict[int, str]] = {"town": {}, "stage": {}}
    for at in alone.tolist():
        text = str(frame.iloc[at, int(np.flatnonzero(filled[at])[0])])
        bare = _NUMBERED.sub("", text, count=1).strip()
        is_stage, is_town = bool(_STAGED.fullmatch(bare)), bool(_TOWN.fullmatch(bare))
        if not (is_stage and not _is_name(bare)) and not is_town:
            continue
        found["town" if is_town else "stage"][at] = bare if is_town else guess_kind(bare)
        problem = msg("This row is a heading of the rows below it, not a school.")
        issues.append(_tell(sheet, at, "heading_row", "note", problem, text))
    for name, header in (("town", "乡镇"), ("stage", "学段")):
        told = name in headers or (name == "stage" and "kind" in headers) or header in frame.columns
        if found[name] and not told:
            frame = frame.assign(**{header: _fill_down(found[name], len(frame))})
    kept = np.ones(len(frame), dtype=bool)
    kept[[*found["town"], *found["stage"]]] = False
    return replace(sheet, frame=frame).keep(kept) if issues else sheet, issues


def _is_name(text: str) -> bool:
    """Whether a heading could be a school's name: 红旗小学 may be, 小学部分 and 农村小学 are not."""
    return not re.fullmatch(
        r"(普通|城区|县城|城镇|乡镇|农村|村级|县直|市直|区直|直属|公办|民办)*(幼儿园|小学|初中|高中|初级中学|高级中学|教学点|完全中学|.*部分|.*阶段|.*段|.*组)",
        text,
    )


def _fill_down(found: Mapping[int, str], count: int) -> list[str]:
    texts, current = [], ""
    for at in range(count):
        current = found.get(at, current)
        texts.append(current)
    return texts


def leave_out_rows(sheet: Sheet, headers: Mapping[str, str], source: SchoolsSource) -> tuple[Sheet, list[DataIssue]]:
    """Leave out rows of totals, remarks below the table, and kinds of school that the study file leaves out; say so.

    A row with a position is a school whatever it is called.
    """
    issues: list[DataIssue] = []
    left = _find_left_out(sheet, headers, source)
    if left.any():
        problem = msg("{count} rows are left out, as the study file says of their kind.", count=int(left.sum()))
        issues.append(replace(_tell(sheet, int(np.flatnonzero(left)[0]), "kind_left_out", "note", problem), row=None))
    places = [headers[name] for name in ("lon_deg", "x_m") if name in headers]
    if sheet.x is None and places:
        frame = sheet.frame
        nowhere = np.all(
            [[is_missing(cell) or not cell.strip("0. ") for cell in frame[place]] for place in places], axis=0
        )
        rows = frame.to_numpy(dtype=object)
        for at in np.flatnonzero(nowhere & ~left).tolist():
            cells = [str(cell) for cell in rows[at]]
            total = next((cell for cell in cells[:SEARCHED_COLUMNS] if is_total(cell)), "")
            first = next((cell for cell in cells if cell), "")
            if total:
                problem = msg("This is a row of totals, not a school; it is left out.")
                issues.append(_tell(sheet, at, "totals_row", "warning", problem, total))
            elif _REMARK.fullmatch(normalise_text(first)) and sum(map(bool, cells)) <= len(cells) // 2:
                problem = msg("This is a remark below the table, not a school; it is left out.")
                issues.append(_tell(sheet, at, "remark_row", "note", problem, first[:80]))
            else:
                continue
            left[at] = True
    return sheet.keep(~left) if left.any() else sheet, issues


def _find_left_out(sheet: Sheet, headers: Mapping[str, str], source: SchoolsSource) -> npt.NDArray[np.bool_]:
    """Return the rows whose kind, stage, setting or ownership the study file maps to :data:`LEAVE_OUT`."""
    left = np.zeros(len(sheet.frame), dtype=bool)
    for column, words in source.values.items():
        out = {normalise_header(word) for word, meaning in words.items() if meaning == LEAVE_OUT}
        if out and column in headers:
            left |= np.array([normalise_header(cell) in out for cell in sheet.frame[headers[column]]], dtype=bool)
    return left


def _tell(sheet: Sheet, at: int, check: str, severity: Severity, problem: Message, found: str = "") -> DataIssue:
    row = Origin(sheet.file, sheet.name, sheet.rows).row(at)
    column = ""
    if found:
        cells = sheet.frame.iloc[at].tolist()
        column = next((str(title) for title, cell in zip(sheet.frame.columns, cells, strict=True) if cell == found), "")
    return DataIssue(check, severity, problem, sheet.file, sheet.name, row, column, found)
