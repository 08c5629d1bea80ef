"""School files as offices make them, written by code: the same four schools in many dresses."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

HEADERS = ["学校代码", "学校名称", "办学类型", "经度", "纬度", "学位数", "班数", "在校生数", "所属乡镇"]
SCHOOLS: list[list[object]] = [
    ["0101", "城关镇第一小学", "小学", 113.01, 34.51, 720, 18, 690, "城关镇"],
    ["0102", "河口教学点", "教学点", 113.05, 34.55, 60, 3, 41, "河口乡"],
    ["0103", "城关初级中学", "初级中学", 113.02, 34.52, 900, 20, 850, "城关镇"],
    ["0104", "育才学校", "九年一贯制", 113.03, 34.53, 900, 21, 870, "城关镇"],
]
PLACES = {
    ("0101", "primary"): 720.0,
    ("0102", "primary"): 60.0,
    ("0103", "junior"): 900.0,
    ("0104", "primary"): 600.0,
    ("0104", "junior"): 300.0,
}
"""What every dress must give; the nine-year school's 900 places are shared 6:3."""
GROUPED_HEAD: list[list[object]] = [
    ["学校代码", "学校名称", "位置", "", "小学", "", "", "初中", "", ""],
    ["", "", "", "", "规模", "", "学生", "规模", "", "学生"],
    ["", "", "经度", "纬度", "学位数", "班数", "在校生数", "学位数", "班数", "在校生数"],
]
"""Three rows of headers; the first two hold merged cells."""
GROUPED_SPANS = ["A{0}:A{2}", "B{0}:B{2}", "C{0}:D{1}", "E{0}:G{0}", "H{0}:J{0}", "E{1}:F{1}", "H{1}:I{1}"]
GROUPED_ROWS: list[list[object]] = [
    ["0101", "城关镇第一小学", 113.01, 34.51, 720, 18, 690, "", "", ""],
    ["0102", "河口教学点", 113.05, 34.55, 60, 3, 41, "", "", ""],
    ["0103", "城关初级中学", 113.02, 34.52, "", "", "", 900, 20, 850],
    ["0104", "育才学校", 113.03, 34.53, 600, 14, 580, 300, 7, 290],
]


def write_sheets(path: Path, sheets: dict[str, list[list[object]]], spans: dict[str, list[str]] | None = None) -> Path:
    """Write a workbook: rows by sheet; ``spans`` are ranges to merge, which keep their first cell."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            for span in (spans or {}).get(name, []):
                first = span.partition(":")[0]
                row, column = int(first[1:]) - 1, ord(first[0]) - 65
                sheet.merge_range(span, rows[row][column])
    return path


def write_xls(path: Path, rows: list[list[object]], spans: list[tuple[int, int, int, int]] | None = None) -> Path:
    """Write an ``.xls`` of one sheet; ``spans`` are first row, last row, first column, last column, from 0."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("学校")
    starts = {(span[0], span[2]) for span in spans or []}
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if (at, column) not in starts and cell != "":
                sheet.write(at, column, cell)
    for top, low, first, last in spans or []:
        sheet.write_merge(top, low, first, last, rows[top][first])
    book.save(str(path))
    return path


def render_csv(rows: list[list[object]]) -> str:
    """Return rows as CSV text."""
    return "".join(",".join(str(cell) for cell in row) + "\n" for row in rows)


def write_messy_workbook(path: Path) -> Path:
    """Write the workbook that has everything at once: a title, a line of units, three rows of headers, numbered
    columns, headings between the rows, totals, numbers as text in full width, remarks.
    """
    rows: list[list[object]] = [
        ["某县中小学校基本情况统计表（2025年）"],
        ["填报单位：某县教育局", "", "", "", "", "", "", "", "单位：人、个", ""],
        *GROUPED_HEAD,
        ["甲", "乙", 1, 2, 3, 4, 5, 6, 7, 8],
        ["一、城关镇"],
        ["０１０１", "城关镇第一小学", "113.01", "34.51", "７２０", "18个", "690人", "", "", ""],
        GROUPED_ROWS[2],
        GROUPED_ROWS[3],
        ["", "小计", "", "", 1320, 32, 1270, 1200, 27, 1140],
        ["二、河口乡"],
        GROUPED_ROWS[1],
        ["", "合  计", "", "", 1380, 35, 1311, 1200, 27, 1140],
        ["填表人：张三", "", "", "", "审核人：李四"],
        ["注：数据截至2025年9月1日。"],
    ]
    spans = ["A1:J1", *(span.format(3, 4, 5) for span in GROUPED_SPANS)]
    return write_sheets(path, {"基本情况": rows}, {"基本情况": spans})
