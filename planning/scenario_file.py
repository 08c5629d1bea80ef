"""Scenario files: one scenario as readable TOML, and back. Documented in ``docs/scenarios.md``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodata.errors import DataError, DataIssue, ScenarioError
from geodata.messages import Message, msg
from geodata.paths import find_path_problem
from planning.actions import Action
from planning.plain_values import BAD, Notes, changed_fields, read_fields, suggest
from planning.scenario import Scenario
from planning.scenario_render import render_toml
from planning.scenario_rows import action_as_dict, build_action, describe_fields, read_action
from planning.toml_text import parse_toml, read_text_file

__all__ = [
    "action_as_dict",
    "build_action",
    "describe_fields",
    "parse_scenario",
    "read_family",
    "read_scenario",
    "render_scenario",
]

MAX_SIGNS = 4_000_000
"""The longest text that is read."""
MAX_ACTIONS = 2_000
"""The most actions of one file."""
MAX_PARENTS = 16
"""The longest row of parents."""

_PLAIN = ("name", "parent", "year", "variant", "stages", "mode", "enrolment", "measure", "low_grade_share")
_TABLES = ("assignment", "choice", "zoning", "forecast")
_KEYS = (*_PLAIN, *_TABLES, "action")
_OWN = ("name", "parent", "year", "variant")
"""Keys that are never those of the parent."""
_ALWAYS = ("name", "parent", "year", "stages", "mode", "enrolment", "measure")
"""Keys that are written even where they hold their default."""
_RANGES: Mapping[str, tuple[float, float]] = {
    "year": (1900, 2200),
    "low_grade_share": (0, 1),
    "assignment.cap_price": (0, math.inf),
    "zoning.max_moved_pupils": (0, 1e300),
}

Load = Callable[[str, str], tuple[str, str]]
"""From the name of a parent and the key of the text that names it: the parent's text and its key."""


@dataclass
class _Part:
    """What one file says, with what it takes from its parents."""

    settings: dict[str, Any] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    inherited: tuple[Action, ...] = ()


def parse_scenario(text: str, *, file: str = "scenario.toml", parents: Callable[[str], str] | None = None) -> Scenario:
    """Return the scenario of a TOML text.

    Parameters
    ----------
    file
        Its name, for messages.
    parents
        Returns the text of a parent by its name; ``LookupError`` where there is none. A setting (or a whole table)
        that the text leaves out is the parent's, but for name and year; the parent's actions become ``inherited``.

    Raises
    ------
    DataError
        With every problem: not TOML, unknown keys, values of the wrong kind, parents that are missing or go round in a
        circle, a text that is too long.
    """

    def load(name: str, key: str) -> tuple[str, str]:
        if parents is None:
            raise LookupError(name)
        return parents(name), name

    return _build_scenario(text, file, "", load)


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file. A parent is a file in its folder or below, named relative to the file that names it.

    Raises ``DataError`` as :func:`parse_scenario` does, and where a file cannot be opened.
    """
    path = Path(path)
    return _build_scenario(_read_text(path), path.name, str(path.resolve()), _load_below(path.resolve().parent))


def read_family(path: str | Path) -> tuple[Scenario, ...]:
    """Read a scenario file and all its parents, the eldest first; ``parent`` is then the name of the one before.

    Raises ``DataError`` as :func:`read_scenario` does.
    """
    scenario = read_scenario(path)
    root, found, key = Path(path).resolve().parent, [scenario], str(Path(path).resolve())
    load = _load_below(root)
    while found[0].parent is not None:
        text, key = load(found[0].parent, key)
        elder = _build_scenario(text, Path(key).name, key, load)
        found[:1] = [elder, dataclasses.replace(found[0], parent=elder.name)]
    return tuple(found)


def _load_below(root: Path) -> Load:
    """Return what finds the parents of files; they must lie in ``root`` or below it."""

    def load(name: str, key: str) -> tuple[str, str]:
        wanted = name if name.endswith(".toml") else f"{name}.toml"
        problem = find_path_problem(wanted)
        target = None if problem else (Path(key).parent / wanted).resolve()
        if target is None or Path(wanted).is_absolute() or not target.is_relative_to(root):
            said = problem[0] if problem else msg("A parent lies in the folder of the scenario file, or below it.")
            cure = msg("Put the parent there, and name it so.")
            raise DataError(_issue(Path(key).name, said, found=name, cure=cure))
        return _read_text(target), str(target)

    return load


def render_scenario(scenario: Scenario) -> str:
    """Return the scenario as TOML: its settings and its own actions; those of the parents stay with them.

    Equal scenarios give equal text, and ``parse_scenario`` gives the scenario back. With a parent every setting is
    written, so that none of the parent's slips in.
    """
    inherits = scenario.parent is not None
    held = {item.name: getattr(scenario, item.name) for item in dataclasses.fields(scenario)}
    changed = changed_fields(dataclasses.replace(scenario, actions=(), inherited=()), every=inherits)
    values = {
        name: changed[name] if name in changed else _plain(held[name])
        for name in _PLAIN
        if held[name] is not None
        and (name in _ALWAYS or name in changed)
        and not (name == "variant" and not held[name])
    }
    tables = {name: changed_fields(held[name]) for name in _TABLES if inherits or name in changed}
    return render_toml(values, tables, [action_as_dict(action) for action in scenario.actions])


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _build_scenario(text: str, file: str, key: str, load: Load) -> Scenario:
    notes = Notes(file)
    part = _read_part(text, notes, key, load, (key,))
    if notes.issues:
        raise DataError(notes.issues)
    try:
        return Scenario(**part.settings, actions=part.actions, inherited=part.inherited)
    except ScenarioError as error:
        raise DataError(_issue(file, _cannot_stand(error))) from error


def _read_part(text: str, notes: Notes, key: str, load: Load, chain: tuple[str, ...]) -> _Part:
    """Read one file and, through ``load``, its parents; note what is wrong."""
    too_long = msg("Put zones into the study, and some of the actions into a parent.")
    document = parse_toml(text, notes, most=MAX_SIGNS, cure=too_long)
    if document is None:
        return _Part()
    for name in document:
        if name not in _KEYS:
            notes.add(name, msg("Unknown key."), suggest(name, _KEYS))
    if "name" not in document:
        notes.add("name", msg("A required key is missing."), msg("Add it."))
    own = _read_settings(document, notes)
    actions = _read_actions(document.get("action", []), notes)
    parent = own.get("parent")
    above = _Part() if parent is None else _read_parent(parent, notes, key, load, chain)
    taken = {name: value for name, value in above.settings.items() if name not in _OWN}
    return _Part({**taken, **own}, actions, (*above.inherited, *above.actions))


def _read_parent(name: str, notes: Notes, key: str, load: Load, chain: tuple[str, ...]) -> _Part:
    if not name.strip():
        notes.add("parent", msg("The name of the parent is empty."), msg("Name a scenario, or delete the line."))
        return _Part()
    try:
        text, parent_key = load(name, key)
    except DataError as error:
        notes.issues += error.issues
        return _Part()
    except LookupError:
        cure = msg("Name a scenario that is there, or delete the line.")
        notes.add("parent", msg("There is no scenario of that name to build on."), cure, name)
        return _Part()
    if parent_key in chain or len(chain) > MAX_PARENTS:
        round_trip = msg("The scenarios build on each other in a circle.")
        too_many = msg("More than {count} scenarios build on each other.", count=MAX_PARENTS)
        problem = round_trip if parent_key in chain else too_many
        notes.add("parent", problem, msg("Copy the actions into one of them."), name)
        return _Part()
    inside = Notes(Path(name).name if key else name, issues=notes.issues)
    return _read_part(text, inside, parent_key, load, (*chain, parent_key))


def _read_settings(document: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Return the settings that stand in the document, checked."""
    given = {name: value for name, value in document.items() if name in _PLAIN}
    settings, _ = read_fields(Scenario, given, notes)
    _check_ranges(settings, "", notes)
    if settings.get("stages") == ():
        notes.add("stages", msg("The list is empty."), msg("Write at least one value, or delete it."))
    hints = {item.name: type(item.default_factory()) for item in _find_tables()}
    for name in _TABLES:
        if name in document:
            start = len(notes.issues)
            found = _read_table(hints[name], document[name], notes.inside(f"[{name}]"), name)
            if len(notes.issues) == start:
                settings[name] = found
    return settings


def _find_tables() -> list[Any]:
    return [item for item in dataclasses.fields(Scenario) if item.name in _TABLES]


def _read_table(cls: type, table: object, notes: Notes, name: str) -> Any:
    start = len(notes.issues)
    values, _ = read_fields(cls, table, notes)
    _check_ranges(values, f"{name}.", notes)
    if len(notes.issues) > start:
        return BAD
    try:
        return cls(**values)
    except ScenarioError as error:
        notes.add("", _cannot_stand(error))
        return BAD


def _check_ranges(values: Mapping[str, Any], prefix: str, notes: Notes) -> None:
    for name, value in values.items():
        low, high = _RANGES.get(prefix + name, (-math.inf, math.inf))
        if isinstance(value, int | float) and not low <= value <= high:
            cure = msg("Write a number from {low:,.10g} to {high:,.10g}.", low=low, high=high)
            if high == math.inf:
                cure = msg("Write a number of {low:,.10g} or more.", low=low)
            notes.add(name, msg("The number lies outside what is possible."), cure, f"{value}")


def _read_actions(rows: object, notes: Notes) -> tuple[Action, ...]:
    if not isinstance(rows, list):
        notes.add("action", msg("A list of tables was expected here."), msg("Write [[action]], with its keys below."))
        return ()
    if len(rows) > MAX_ACTIONS:
        cure = msg("Put some of them into a parent.")
        notes.add("action", msg("A scenario has at most {count:,} actions.", count=MAX_ACTIONS), cure, f"{len(rows):,}")
        return ()
    found = [read_action(row, notes, number) for number, row in enumerate(rows, start=1)]
    return tuple(action for action in found if action is not None)


def _cannot_stand(error: ScenarioError) -> Message:
    return msg("These settings cannot stand together: {problem}", problem=error.message)


def _issue(file: str, problem: Message, *, found: str = "", cure: Message | None = None) -> DataIssue:
    return DataIssue("scenario_file", "error", problem, file=file, found=found[:200], cure=cure)


def _read_text(path: Path) -> str:
    notes = Notes(path.name)
    cure = msg("Give the path of a scenario file; docs/scenarios.md describes one.")
    text = read_text_file(path, notes, most=MAX_SIGNS, cure=cure)
    if text is None:
        raise DataError(notes.issues)
    return text
