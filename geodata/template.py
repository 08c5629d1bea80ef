"""The workbook that planners fill in, made from the data dictionary; uploaded as it is, it holds no schools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from geodata.dictionary import SHEET_NAMES, ColumnSchema, read_table_schema
from geodata.school_columns import build_school_columns

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SCHOOL_SHEET = SHEET_NAMES["schools"]
HELP_SHEET = "填写说明 how to fill in"
FILLED_ROWS = 2_000

TEMPLATE_COLUMNS = (
    "school_id",
    "name",
    "stage",
    "kind",
    "lon_deg",
    "lat_deg",
    "capacity_places",
    "classes",
    "pupils",
    "year",
    "setting",
    "town",
    "ownership",
    "boarding_places",
    "site_area_m2",
    "floor_area_m2",
    "group_id",
)
NEEDED = frozenset(["school_id", "name", "stage", "lon_deg", "lat_deg"])
OTHER_TABLES: tuple[str, ...] = ("rolls", "births", "housing", "assets", "groups", "evidence")
"""Tables of which the workbook has a sheet each, all of them optional."""
_NOT_ASKED = frozenset(["x_m", "y_m"])
"""Columns that a file may hold, but that nobody need fill in."""

_CHINESE_WORDS = {
    "kindergarten": "幼儿园",
    "primary": "小学",
    "junior": "初中",
    "senior": "高中",
    "teaching_point": "教学点",
    "nine_year": "九年一贯制",
    "complete_secondary": "完全中学",
    "twelve_year": "十二年一贯制",
    "urban": "城区",
    "town": "镇区",
    "rural": "乡村",
    "public": "公办",
    "private": "民办",
    "group": "教育集团",
    "alliance": "联盟",
    "district": "学区",
    "lead": "牵头校",
    "member": "成员校",
    "yes": "是",
    "no": "否",
}
_ADVICE = (
    (
        "每所学校每个学段一行：九年一贯制学校小学、初中各占一行，学校代码相同。",
        "One row per school and stage; a nine-year school has two rows with the same code.",
    ),
    (
        "不知道的数字请留空，不要填 0：空白表示未知。",
        "Leave a number empty when it is not known; do not write 0.",
    ),
    (
        "学校代码按文本填写，前导零会保留。经纬度为 WGS 84 十进制度。",
        "Codes are text, leading zeros are kept. Longitude and latitude in decimal degrees, WGS 84.",
    ),
    (
        "学位数未知时可只填班数，学位数按设计班额推算并注明。",
        "Where places are not known, classes are enough: places are derived and marked as such.",
    ),
    (
        "可另加各年级人数列：一年级、二年级……九年级。",
        "Columns of pupils by grade may be added: 一年级, 二年级 … 九年级.",
    ),
    (
        "其余各表均可不填：历年在校生、出生人口、住宅项目用于预测，办学条件、集团联盟、佐证材料用于督导自评。",
        "The other sheets may stay empty: past rolls, births and housing are for forecasts; assets, groups and "
        "evidence for inspections.",
    ),
)


def write_template(target: Path | BinaryIO) -> None:
    """Write the upload workbook (XLSX) to a path or an open binary file.

    It has a sheet for schools and one for each of ``OTHER_TABLES``, with headers in both languages, lists of allowed
    words and number limits, and a sheet that explains every column. There are no example rows: what is uploaded is what
    the planner wrote.
    """
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(target if not isinstance(target, Path) else str(target), options)
    sheets = {SCHOOL_SHEET: [build_school_columns()[name] for name in TEMPLATE_COLUMNS]}
    sheets |= {SHEET_NAMES[table]: list_columns(table) for table in OTHER_TABLES}
    for name, columns in sheets.items():
        _write_table(workbook, name, columns)
    _write_help(workbook, sheets)
    workbook.close()


def list_columns(table: str) -> list[ColumnSchema]:
    """Return the columns of one of ``OTHER_TABLES`` that its sheet has."""
    return [column for column in read_table_schema(table).columns if column.name not in _NOT_ASKED]


def _is_needed(sheet: str, column: ColumnSchema) -> bool:
    return column.name in NEEDED if sheet == SCHOOL_SHEET else column.required


def build_header(column: ColumnSchema) -> str:
    """Return a header that people of both languages read, and that :func:`match_columns` understands."""
    return f"{column.aliases[0]} / {column.name}"


def _write_table(workbook: Workbook, name: str, columns: list[ColumnSchema]) -> None:
    sheet = workbook.add_worksheet(name)
    needed = workbook.add_format({"bold": True, "bg_color": "#0B5394", "font_color": "#FFFFFF", "text_wrap": True})
    optional = workbook.add_format({"bold": True, "bg_color": "#D9E2EC", "text_wrap": True})
    text = workbook.add_format({"num_format": "@"})
    sheet.set_row(0, 34)
    sheet.freeze_panes(1, 2)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, 18, text if column.type == "id" else None)
        sheet.write_string(0, position, build_header(column), needed if _is_needed(name, column) else optional)
        _add_validation(sheet, position, column)


def _add_validation(sheet: Worksheet, position: int, column: ColumnSchema) -> None:
    """Offer the allowed words as a list, and the range of numbers as a rule."""
    if column.values:
        words = [_CHINESE_WORDS.get(value, value) for value in column.values]
        rule: dict[str, object] = {
            "validate": "list",
            "source": words,
            "error_title": "请从列表选择 / choose from the list",
        }
    elif column.is_numeric and not column.value_aliases and column.min is not None and column.max is not None:
        low = 1990 if column.unit == "year" and column.min == 0 else column.min
        rule = {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": column.max}
        rule["error_title"] = "数值超出范围 / out of range"
    else:
        return
    sheet.data_validation(1, position, FILLED_ROWS, position, {**rule, "error_type": "stop", "ignore_blank": True})


def _write_help(workbook: Workbook, sheets: Mapping[str, list[ColumnSchema]]) -> None:
    sheet = workbook.add_worksheet(HELP_SHEET)
    bold = workbook.add_format({"bold": True, "bg_color": "#D9E2EC"})
    wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 2, 48)
    sheet.set_column(3, 4, 26)
    row = 0
    for chinese, english in _ADVICE:
        sheet.merge_range(row, 0, row, 4, f"{chinese}  {english}", wrap)
        row += 1
    row += 1
    for at, title in enumerate(("列 / header", "含义", "meaning", "单位和范围 / unit, range", "可填 / allowed words")):
        sheet.write_string(row, at, title, bold)
    for name, columns in sheets.items():
        row += 1
        sheet.merge_range(row, 0, row, 4, name, bold)
        for column in columns:
            row += 1
            _write_help_row(sheet, row, column, wrap, needed=_is_needed(name, column))


def _write_help_row(sheet: Worksheet, row: int, column: ColumnSchema, wrap: Format, *, needed: bool) -> None:
    bounds = "" if column.min is None or column.max is None else f"{column.min:g} – {column.max:g}"
    words = "；".join(_CHINESE_WORDS.get(value, value) for value in column.values)
    cells = (
        build_header(column) + ("（必填 / needed）" if needed else ""),
        column.meaning_zh,
        column.meaning_en,
        f"{column.unit} {bounds}".strip(),
        words,
    )
    for at, cell in enumerate(cells):
        sheet.write_string(row, at, cell, wrap)
