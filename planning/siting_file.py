"""What a proposal is asked for as readable TOML, and back. Documented in ``docs/terminal.md``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geodata.errors import DataError, ScenarioError
from geodata.messages import msg
from planning.forecast_options import ForecastOptions
from planning.plain_values import BAD, Notes, changed_fields, read_fields, suggest
from planning.scenario_render import render_toml
from planning.siting_options import SitingCosts, SitingOptions, SitingRules, SitingSearch, SitingWeights
from planning.toml_text import parse_toml, read_text_file

TABLES: Mapping[str, type] = {
    "weights": SitingWeights,
    "costs": SitingCosts,
    "rules": SitingRules,
    "search": SitingSearch,
    "forecast": ForecastOptions,
}
"""Keys of the file that are tables of their own."""
ALWAYS = ("model", "stage", "mode")
"""Keys that are written even where they hold their default."""
UNLIMITED = "time_limit_s"
"""The key of ``[search]`` that may be ``inf``: no limit, where the program says None. TOML has no word for that."""


def read_siting_options(path: str | Path) -> SitingOptions:
    """Read a file of siting options.

    Raises
    ------
    DataError
        With every problem: the file cannot be opened, or as :func:`parse_siting_options`.
    """
    path = Path(path)
    notes = Notes(path.name, check="siting_file")
    text = read_text_file(path, notes)
    if text is None:
        raise DataError(notes.issues)
    return parse_siting_options(text, file=path.name)


def parse_siting_options(text: str, *, file: str = "options.toml") -> SitingOptions:
    """Return the options of a TOML text; what it leaves out has its default.

    Parameters
    ----------
    file
        Its name, for messages.

    Raises
    ------
    DataError
        With every problem: not TOML, unknown keys (with a suggestion), values of the wrong kind, numbers that cannot
        be, settings that cannot stand together.
    """
    notes = Notes(file, check="siting_file")
    document = parse_toml(text, notes)
    options = None if document is None else build_siting_options(document, notes)
    if options is None or notes.issues:
        raise DataError(notes.issues)
    return options


def build_siting_options(document: Mapping[str, Any], notes: Notes) -> SitingOptions | None:
    """Return the options of plain data; None, and notes of all problems, where something is wrong."""
    start = len(notes.issues)
    known = [item.name for item in dataclasses.fields(SitingOptions)]
    for name in document:
        if name not in known:
            notes.add(name, msg("Unknown key."), suggest(name, known))
    plain = {name: value for name, value in document.items() if name in known and name not in TABLES}
    values, _ = read_fields(SitingOptions, plain, notes)
    for name, cls in TABLES.items():
        if name in document:
            found = _read_table(cls, document[name], notes.inside(f"[{name}]"))
            if found is not BAD:
                values[name] = found
    options: SitingOptions | None = _construct(SitingOptions, values, notes)
    return options if len(notes.issues) == start else None


def render_siting_options(options: SitingOptions) -> str:
    """Return the options as TOML: ``ALWAYS``, and what differs from its default.

    Equal options give equal text, and :func:`parse_siting_options` gives the options back.
    """
    changed = changed_fields(options)
    values = {name: getattr(options, name) for name in ALWAYS}
    values |= {name: value for name, value in changed.items() if name not in TABLES}
    tables = {name: dict(changed[name]) for name in TABLES if name in changed}
    if options.search.time_limit_s is None:
        tables["search"][UNLIMITED] = math.inf
    return render_toml(values, tables, [])


def _read_table(cls: type, table: object, notes: Notes) -> Any:
    """Return one table as its value, or note what is wrong and return ``BAD``."""
    start = len(notes.issues)
    unlimited = isinstance(table, Mapping) and cls is SitingSearch and table.get(UNLIMITED) == math.inf
    if unlimited:
        assert isinstance(table, Mapping)
        table = {name: value for name, value in table.items() if name != UNLIMITED}
    values, _ = read_fields(cls, table, notes)
    if unlimited:
        values[UNLIMITED] = None
    built = _construct(cls, values, notes)
    return built if len(notes.issues) == start else BAD


def _construct(cls: type, values: Mapping[str, Any], notes: Notes) -> Any:
    """Return the value, or note what it finds wrong with itself, one note for each problem, and return None."""
    try:
        return cls(**values)
    except ScenarioError as error:
        for problem in error.problems:
            notes.add("", problem)
        return None
