"""The details of a consultation pack as readable TOML, and back: who publishes, until when, costs, steps, evidence.

``examples/consultation/demo.toml`` shows what may stand there.
"""

from __future__ import annotations

import datetime
import math
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any

from geodata.errors import DataError, ScenarioError
from geodata.messages import Message, msg
from planning.plain_values import Notes, changed_fields, read_fields, suggest
from planning.procedure import STEPS, Evidence, Kind, Procedure, StepRecord
from planning.procedure_checks import read_evidence
from planning.publication_options import CostItem, PackOptions
from planning.scenario_render import render_text
from planning.toml_text import parse_toml, read_text_file

TABLES = ("pack", "cost", "step")
"""What a file may hold: one table ``[pack]``, any number of ``[[cost]]`` and ``[[step]]``."""
STEP_KEYS = ("id", "date", "note", "evidence")
LONGEST: Mapping[str, int] = MappingProxyType(
    {"title": 120, "purpose": 4_000, "address": 200, "note": 1_000, "source": 300, "unit": 12, "name": 200}
)
"""Letters that a text may have at most; others ``LONGEST_TEXT``."""
LONGEST_TEXT = 120
MOST_ITEMS = 200
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100


def read_pack_file(path: str | Path, *, kind: Kind = "rezoning") -> tuple[PackOptions, Procedure]:
    """Read the details of a pack; evidence files are found from the folder of the file.

    Parameters
    ----------
    path
        The TOML file.
    kind
        What the proposal does, which says what steps it needs. Steps that it does not need may stand in the file.

    Raises
    ------
    DataError
        With every problem: the file cannot be opened, or as :func:`parse_pack_file`.
    """
    path = Path(path)
    notes = Notes(path.name, check="pack_file")
    text = read_text_file(path, notes)
    if text is None:
        raise DataError(notes.issues)
    return parse_pack_file(text, kind=kind, folder=path.parent, file=path.name)


def parse_pack_file(
    text: str, *, kind: Kind = "rezoning", folder: str | Path = ".", file: str = "pack.toml"
) -> tuple[PackOptions, Procedure]:
    """Return the details that a TOML text gives; what it leaves out has its default.

    Parameters
    ----------
    folder
        Where evidence files are looked for; none may lie outside.
    file
        Its name, for messages.

    Raises
    ------
    DataError
        With every problem: not TOML, unknown keys (with a suggestion), values of the wrong kind, texts that are too
        long or hold signs that cannot be seen, evidence that is missing or not what it says.
    """
    notes = Notes(file, check="pack_file")
    document = parse_toml(text, notes)
    if document is None:
        raise DataError(notes.issues)
    for name in document:
        if name not in TABLES:
            notes.add(name, msg("Unknown key."), _suggest_table(name))
    costs = _read_costs(document.get("cost", []), notes)
    options = _read_options(document.get("pack", {}), costs, notes.inside("[pack]"))
    records = _read_steps(document.get("step", []), Path(folder), notes)
    if notes.issues or options is None:
        raise DataError(notes.issues)
    return options, Procedure(kind, records)


def _suggest_table(name: str) -> Message:
    known = {*changed_fields(PackOptions(), every=True), "opens", "closes"} - {"costs"}
    if name in known:
        return msg("Write it below [pack].")
    return suggest({"costs": "cost", "steps": "step", "options": "pack"}.get(name, name), TABLES)


def _read_options(table: object, costs: tuple[CostItem, ...], notes: Notes) -> PackOptions | None:
    if isinstance(table, Mapping) and "costs" in table:
        notes.add("costs", msg("Unknown key."), msg("Write [[cost]] for every sum."))
        table = {key: value for key, value in table.items() if key != "costs"}
    plain, days = _take_days(table, ("opens", "closes"), notes)
    values, _good = read_fields(PackOptions, plain, notes)
    values |= days
    _check_texts(values, notes)
    try:
        return PackOptions(**values, costs=costs)
    except ScenarioError as error:
        for problem in error.problems:
            notes.add("", problem)
        return None


def _take_days(table: object, keys: tuple[str, ...], notes: Notes) -> tuple[Any, dict[str, datetime.date]]:
    """Return the rest of a table, and its dates: TOML dates, or texts such as "2026-03-01"."""
    if not isinstance(table, Mapping):
        return table, {}
    days: dict[str, datetime.date] = {}
    for key in keys:
        value = table.get(key)
        if key in table and (day := _read_day(value)) is None:
            notes.add(key, msg("A value of the wrong kind."), msg("Write a date: 2026-03-01."), str(value))
        elif key in table and day is not None:
            days[key] = day
    return {key: value for key, value in table.items() if key not in keys}, days


def _read_day(value: object) -> datetime.date | None:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def _check_texts(values: Mapping[str, Any], notes: Notes) -> None:
    """Note texts that are too long for a document, or hold signs that no document can show."""
    for key, value in values.items():
        if not isinstance(value, str):
            continue
        limit = LONGEST.get(key, LONGEST_TEXT)
        if len(value) > limit:
            notes.add(key, msg("The text is longer than {limit} letters.", limit=limit), found=f"{len(value):,}")
        if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co") for letter in value.replace("\n", "")):
            notes.add(key, msg("The text holds signs that cannot be seen."), msg("Type it anew."))


def _list_tables(found: object, name: str, notes: Notes) -> list[tuple[Notes, object]]:
    """Return the entries of ``[[name]]``, each with notes that say which one it is."""
    if not isinstance(found, list):
        notes.add(name, msg("A list of tables was expected here."), msg("Write [[{name}]].", name=name))
        return []
    if len(found) > MOST_ITEMS:
        notes.add(name, msg("There are more than {limit} entries.", limit=MOST_ITEMS), found=f"{len(found):,}")
        return []
    return [(notes.inside(f"[[{name}]] {number}"), entry) for number, entry in enumerate(found, start=1)]


def _read_costs(found: object, notes: Notes) -> tuple[CostItem, ...]:
    costs = []
    for inside, entry in _list_tables(found, "cost", notes):
        values, good = read_fields(CostItem, entry, inside)
        _check_texts(values, inside)
        amount = values.get("amount")
        if amount is not None and not math.isfinite(amount):
            inside.add("amount", msg("Write a number."), found=str(amount))
        for key in ("school_year", "price_year"):
            year = values.get(key)
            if year is not None and not EARLIEST_YEAR <= year <= LATEST_YEAR:
                years = msg("A year from {first} to {last}.", first=str(EARLIEST_YEAR), last=str(LATEST_YEAR))
                inside.add(key, msg("The year cannot be."), found=str(year), expected=years)
        if good:
            costs.append(CostItem(**values))
    return tuple(costs)


def _read_steps(found: object, folder: Path, notes: Notes) -> tuple[StepRecord, ...]:
    records: list[StepRecord] = []
    for inside, entry in _list_tables(found, "step", notes):
        if not isinstance(entry, Mapping):
            inside.add("", msg("A table was expected here."), msg("Write a table of names and values."), repr(entry))
            continue
        record = _read_step(entry, folder, inside)
        if record is None:
            continue
        if any(other.step_id == record.step_id for other in records):
            inside.add("id", msg("The step stands twice."), msg("Write one entry for each step."), record.step_id)
        records.append(record)
    return tuple(records)


def _read_step(entry: Mapping[str, Any], folder: Path, notes: Notes) -> StepRecord | None:
    for key in entry:
        if key not in STEP_KEYS:
            meant = "evidence" if key in ("file", "files") else key
            notes.add(key, msg("Unknown key."), suggest(meant, STEP_KEYS))
    plain, days = _take_days(entry, ("date",), notes)
    step_id, note, files = plain.get("id", ""), plain.get("note", ""), plain.get("evidence", [])
    if not isinstance(note, str):
        notes.add("note", msg("A value of the wrong kind."), msg("Write a text in quotes."), repr(note))
        note = ""
    _check_texts({"note": note}, notes)
    evidence = _read_files(files, folder, notes)
    if "id" not in entry:
        notes.add("id", msg("A required key is missing."), msg("Add it."))
        return None
    if step_id not in STEPS:
        notes.add("id", msg("Unknown step."), suggest(str(step_id), STEPS), repr(step_id))
        return None
    return StepRecord(step_id, days.get("date"), note, evidence)


def _read_files(files: object, folder: Path, notes: Notes) -> tuple[Evidence, ...]:
    if isinstance(files, str):
        files = [files]
    if not isinstance(files, list) or len(files) > MOST_ITEMS or not all(isinstance(name, str) for name in files):
        notes.add("evidence", msg("A value of the wrong kind."), msg('Write a list of files: ["minutes.pdf"].'))
        return ()
    found = []
    for name in files:
        path = _find_inside(folder, name)
        if path is None:
            cure = msg("Put it into the folder of this file, and write its path from there.")
            notes.add("evidence", msg("The evidence lies outside the folder of this file."), cure, name)
            continue
        try:
            found.append(read_evidence(path))
        except DataError as error:
            for issue in error.issues:
                notes.add("evidence", issue.problem, issue.cure, name)
    return tuple(found)


def _find_inside(folder: Path, name: str) -> Path | None:
    """Return the path of a file below ``folder``; None where the name, or a link on the way, leads out of it."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if "\x00" in name or not name.strip() or plain.is_absolute() or PureWindowsPath(name).drive or ".." in plain.parts:
        return None
    path = folder / plain
    try:
        return path if path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, RuntimeError):  # a ring of links
        return None


def render_pack_file(options: PackOptions, procedure: Procedure, *, folder: str | Path | None = None) -> str:
    """Return options and procedure as TOML: what differs from its default.

    Equal values give equal text, and :func:`parse_pack_file` gives them back where the evidence lies in its folder.

    Parameters
    ----------
    folder
        Where the file will stand: evidence below it is written with its path from there, other evidence by its name.
    """
    values = {key: value for key, value in changed_fields(options).items() if key != "costs"}
    parts = ["[pack]\n" + _render_rows(values)]
    parts += ["[[cost]]\n" + _render_rows(changed_fields(cost)) for cost in options.costs]
    for record in procedure.records:
        row: dict[str, Any] = {"id": record.step_id, "date": record.date, "note": record.note or None}
        row["evidence"] = [_name_from(item, folder) for item in record.evidence] or None
        parts.append("[[step]]\n" + _render_rows(row))
    return "\n".join(parts)


def _name_from(evidence: Evidence, folder: str | Path | None) -> str:
    if folder is not None and evidence.path.resolve().is_relative_to(Path(folder).resolve()):
        return evidence.path.resolve().relative_to(Path(folder).resolve()).as_posix()
    return evidence.name


def _render_rows(row: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_render(value)}\n" for key, value in row.items() if value is not None)


def _render(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return render_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(_render(item) for item in value) + "]"
    return repr(value)
