"""One row of a file of schools into what it says: a school, its stages, and the numbers of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geodata.dictionary import Origin
from geodata.errors import DataIssue, Severity
from geodata.locate_points import locate_rows
from geodata.messages import Message, msg
from geodata.schema import build_missing_column, check_doubled, check_mapping, convert_column, match_headers
from geodata.school_columns import (
    GRADES,
    QUANTITIES,
    STAGES_OF_KIND,
    build_school_columns,
    choose_kind,
    guess_kind,
    match_kind_and_stages,
    split_by_grades,
)
from geodata.school_filters import leave_out_rows, take_headings
from geodata.school_sheets import Sheet, stage_word_of, year_of
from geodata.study import STAGES
from geodata.study_file import SchoolsSource
from geodata.values import is_missing, parse_number

FACTS = ("setting", "town", "ownership", "group_id", "boarding_places", "site_area_m2", "floor_area_m2")


@dataclass
class SchoolRow:
    """What one row says. Numbers by stage; ``None`` and absent = not known. ``split`` = shared out by grades.

    ``table`` is ``places`` or ``rolls`` where the row stands on a sheet of its own beside that of the schools.
    """

    origin: Origin
    position: int
    school_id: str
    name: str
    kind: str
    stages: tuple[str, ...]
    x_m: float
    y_m: float
    year: int
    grade: int
    facts: dict[str, Any]
    numbers: dict[str, dict[str, float]] = field(default_factory=dict)
    grade_pupils: dict[tuple[str, int], float] = field(default_factory=dict)
    grade_classes: dict[tuple[str, int], float] = field(default_factory=dict)
    split: frozenset[str] = frozenset()
    table: str = "schools"

    @property
    def row(self) -> int | None:
        """Row number shown by the spreadsheet."""
        return self.origin.row(self.position)

    def issue(
        self,
        check: str,
        severity: Severity,
        problem: Message,
        column: str = "",
        *,
        found: str = "",
        expected: Message | None = None,
        cure: Message | None = None,
    ) -> DataIssue:
        """Return an issue placed at this row."""
        return DataIssue(
            check,
            severity,
            problem,
            file=self.origin.file,
            sheet=self.origin.sheet,
            row=self.row,
            column=self.origin.headers.get(column, column),
            found=found,
            expected=expected,
            cure=cure,
            record_id=self.school_id,
        )


@dataclass
class SheetReader:
    """Reads one sheet; ``issues`` gathers what was found on the way.

    ``known_stages`` are the stages by school of which other sheets tell.
    """

    sheet: Sheet
    source: SchoolsSource
    crs: str
    id_prefix: str = ""
    issues: list[DataIssue] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    has_grades: bool = False
    cells: dict[str, list[Any]] = field(default_factory=dict)
    ids_by_name: dict[tuple[str, str], list[SchoolRow]] = field(default_factory=dict)
    known_stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self) -> list[SchoolRow]:
        """Return the rows of the sheet, in order; rows that cannot be used are reported and left out."""
        columns = build_school_columns()
        wanted = {name: column.headers for name, column in columns.items()}
        headers = match_headers(self.sheet.frame.columns, wanted, self.source.columns)
        self.sheet, found = take_headings(self.sheet, headers)
        self.issues += found
        present = list(self.sheet.frame.columns)
        self.headers = match_headers(present, wanted, self.source.columns)
        self.sheet, found = leave_out_rows(self._keep_positive(present), self.headers, self.source)
        self.issues += found
        self.origin = Origin(self.sheet.file, self.sheet.name, self.sheet.rows, self.headers)
        self.issues += check_mapping(self.source.columns, present, columns, self.origin, table="schools")
        self.issues += check_doubled(self.headers, self.sheet.frame, self.origin)
        self.issues += self._check_settings(columns)
        if not {"school_id", "name"} & set(self.headers):
            self.issues.append(build_missing_column("schools", "name", self.origin))
        self._convert_cells()
        self.x, self.y, found = locate_rows(
            self.sheet, self.cells, self.headers, self.source.columns, self.source.crs, self.crs, self.origin
        )
        self.issues += found
        rows = [self._build_row(position) for position in range(len(self.sheet.frame))]
        self._report_unknown_stages(rows)
        self._report_split(rows)
        return [row for row in rows if row.stages]

    def _keep_positive(self, present: list[str]) -> Sheet:
        """Leave out the rows in which the chosen column is not above zero."""
        wanted = self.source.keep_where_positive
        if not wanted:
            return self.sheet
        header = wanted if wanted in present else self.headers.get(wanted, "")
        if not header:
            cure = msg("Correct the name in the study file, or the header in the file.")
            problem = msg("The study file names a header that the file does not have.")
            self.issues.append(
                DataIssue(
                    "column_mapping",
                    "error",
                    problem,
                    file=self.sheet.file,
                    sheet=self.sheet.name,
                    column=wanted,
                    found=wanted,
                    cure=cure,
                )
            )
            return self.sheet
        return self.sheet.keep(np.array([_is_positive(cell) for cell in self.sheet.frame[header]], dtype=bool))

    def _check_settings(self, columns: Mapping[str, object]) -> list[DataIssue]:
        """Report ``values`` and ``defaults`` of the study file for columns that there are not."""
        expected = msg("one of: {names}", names=", ".join(columns))
        problem = msg("The study file maps a column that the table {table} does not have.", table="schools")
        return [
            DataIssue("column_mapping", "error", problem, file="study.toml", column=key, found=key, expected=expected)
            for key in (*self.source.values, *self.source.defaults)
            if key not in columns
        ]

    def _convert_cells(self) -> None:
        """Convert every column that was found or has a default; 学段 and 办学类型 stay text."""
        for name, column in build_school_columns().items():
            header, default = self.headers.get(name), self.source.defaults.get(name, "")
            if header is None and not default:
                continue
            texts = [""] * len(self.sheet.frame) if header is None else self.sheet.frame[header].tolist()
            texts = [default if default and is_missing(text) else text for text in texts]
            if name in ("stage", "kind"):
                self.cells[name] = texts
                continue
            words = self.source.values.get(name)
            self.cells[name], issues = convert_column(texts, column, self.origin, words=words)
            self.issues += issues
        self.has_grades = any("grade_" in name for name in self.cells)

    def cell(self, name: str, position: int) -> Any:
        """Return the value of a column in a row; ``None`` where the column is absent or the cell empty."""
        values = self.cells.get(name)
        return None if values is None else values[position]

    def _build_row(self, position: int) -> SchoolRow:
        name = self._text("name", position)
        row = SchoolRow(
            origin=self.origin,
            position=position,
            school_id=self._text("school_id", position),
            name=name,
            kind="",
            stages=(),
            x_m=float(self.x[position]),
            y_m=float(self.y[position]),
            year=self._choose_year(position),
            grade=self.cell("grade", position) or 0,
            facts={fact: self.cell(fact, position) for fact in FACTS},
        )
        self._read_grades(row)
        row.kind, row.stages = self._read_stages(row)
        self._name_row(row)
        if row.stages:
            self._read_numbers(row)
        return row

    def _text(self, name: str, position: int) -> str:
        text = str(self.cell(name, position) or "").strip()
        return "" if is_missing(text) else text

    def _choose_year(self, position: int) -> int:
        year = self.cell("year", position) or self.source.year or year_of(self.sheet.name)
        return int(year or 0)

    def _name_row(self, row: SchoolRow) -> None:
        """Give a row without id the id of the same school in an earlier row, else one made from the row number."""
        if not row.school_id:
            row.school_id = self._find_same_school(row) or f"{self.id_prefix}row-{row.row}"
            if "school_id" in self.headers:
                cure = msg("Write the school's code.")
                problem = msg("The school has no code; one was made from its row.")
                found = row.school_id
                self.issues.append(row.issue("missing_id", "warning", problem, "school_id", found=found, cure=cure))
        if not row.name:
            row.name = row.school_id

    def _find_same_school(self, row: SchoolRow) -> str:
        if not row.name:
            return ""
        known = self.ids_by_name.setdefault((row.name, str(row.facts["town"] or "")), [])
        for other in known:
            taken = {(stage, other.year, other.grade) for stage in other.stages}
            near = np.hypot(row.x_m - other.x_m, row.y_m - other.y_m) < 100
            if near and not taken & {(stage, row.year, row.grade) for stage in row.stages}:
                return other.school_id
        known.append(row)
        return ""

    def _read_grades(self, row: SchoolRow) -> None:
        if not self.has_grades:
            return
        for stage in STAGES:
            prefix = "kindergarten_grade" if stage == "kindergarten" else "grade"
            for grade in GRADES[stage]:
                pupils = self.cell(f"{prefix}_{grade}_pupils", row.position)
                classes = None if stage == "kindergarten" else self.cell(f"grade_{grade}_classes", row.position)
                if pupils is not None:
                    row.grade_pupils[stage, grade] = pupils
                if classes is not None:
                    row.grade_classes[stage, grade] = classes

    def _read_stages(self, row: SchoolRow) -> tuple[str, tuple[str, ...]]:
        """Return kind and stages of a row: as written, else by its filled columns, else by the sheet, else by name."""
        kind, stages = "", tuple[str, ...]()
        for column in ("kind", "stage"):
            text = str(self.cell(column, row.position) or "")
            meaning = match_kind_and_stages(text, self.source.values.get(column, {}))
            if meaning is None:
                self._report_word(row, column, text)
                continue
            kind = meaning[0] or kind
            stages = meaning[1] or stages
        stages = stages or self.known_stages.get(row.school_id, ())
        seen = self._stages_with_numbers(row)
        stages = tuple(stage for stage in STAGES if stage in stages or stage in seen)
        if row.grade and len(stages) > 1:
            stages = tuple(stage for stage in stages if stage != "kindergarten" and row.grade in GRADES[stage])
        guess = "" if stages else stage_word_of(self.sheet.name) or guess_kind(row.name)
        if guess:
            kind, stages = kind or guess, STAGES_OF_KIND[guess]
            problem = msg("The stage was read from the name.")
            self.issues.append(row.issue("stage_from_name", "warning", problem, "stage", found=row.name or guess))
        return kind, stages

    def _report_word(self, row: SchoolRow, column: str, text: str) -> None:
        allowed = build_school_columns()[column].choices
        self.issues.append(
            row.issue(
                "allowed_value",
                "error",
                msg("A word that is not known here."),
                column,
                found=text,
                expected=msg("one of: {names}", names=allowed),
                cure=msg("Write one of these words, or say in the study file under values what the word means."),
            )
        )

    def _stages_with_numbers(self, row: SchoolRow) -> set[str]:
        """Return the stages that wide columns or grade columns speak of with more than zero."""
        wide = {stage for stage in STAGES for q in QUANTITIES if (self.cell(f"{stage}_{q}", row.position) or 0) > 0}
        counts = [*row.grade_pupils.items(), *row.grade_classes.items()]
        return wide | {stage for (stage, _), value in counts if value > 0}

    def _report_unknown_stages(self, rows: list[SchoolRow]) -> None:
        """Report rows whose stage nobody can tell: once for the file where it has no such column at all."""
        told = {issue.row for issue in self.issues if issue.check == "allowed_value"}
        unknown = [row for row in rows if not row.stages and row.row not in told]
        expected = msg("one of: {names}", names="幼儿园, 小学, 初中, 高中, 九年一贯制")
        cure = msg('Add a column 学段 or 办学类型, or write defaults = {{ stage = "primary" }} in the study file.')
        problem = msg("The stage of {count} schools is not known.", count=len(unknown))
        if {"stage", "kind"} & set(self.headers):
            problem = msg("The stage of the school is not known.")
        else:
            unknown = unknown[:1]
        for row in unknown:
            found = row.name
            self.issues.append(
                row.issue("stage_unknown", "error", problem, "stage", found=found, expected=expected, cure=cure)
            )

    def _read_numbers(self, row: SchoolRow) -> None:
        """Take each number from the stage's own column, else from the row's, shared between stages by their grades."""
        split = set()
        for quantity in QUANTITIES:
            wide = {stage: self.cell(f"{stage}_{quantity}", row.position) for stage in row.stages}
            given = {stage: value for stage, value in wide.items() if value is not None}
            total = self.cell(quantity, row.position)
            if not given and total is not None:
                given = split_by_grades(total, row.stages) if len(row.stages) > 1 else {row.stages[0]: total}
                if len(row.stages) > 1 and (quantity != "pupils" or not row.grade_pupils):
                    split.add(quantity)
            row.numbers[quantity] = given
        row.split = frozenset(split)
        row.kind = row.kind or choose_kind(row.stages)

    def _report_split(self, rows: list[SchoolRow]) -> None:
        """Say once per sheet that numbers were shared out between stages."""
        split = [row for row in rows if row.split]
        if split:
            names = ", ".join(sorted({name for row in split for name in row.split}))
            problem = msg(
                "In {count} rows one number for several stages was shared out by their grades: {names}.",
                count=len(split),
                names=names,
            )
            cure = msg("Give one row per stage, or columns such as 小学学位数 and 初中学位数.")
            self.issues.append(split[0].issue("split_between_stages", "note", problem, "capacity_places", cure=cure))


def _is_positive(cell: str) -> bool:
    try:
        return (parse_number(cell) or 0) > 0
    except ValueError:
        return False
