"""``JOBS.toml``: which studies, and what is asked of each. Documented in ``docs/terminal.md``."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from geodata.errors import DataError
from geodata.messages import msg
from planning.compare import MOST_OPTIONS
from planning.plain_values import Notes, read_fields
from planning.toml_text import read_toml_file

Kind = Literal["run", "judge", "compare", "propose"]
FOLDER = "{folder}"
"""Stands for the folder of each study, so that a task may name files of every county."""
MAX_TASKS = 1_000_000


@dataclass(frozen=True)
class TaskSpec:
    """``[[task]]``: one question, asked of every study.

    Parameters
    ----------
    kind
        ``"run"``, ``"judge"`` and ``"compare"`` answer scenarios, ``"propose"`` looks for the best.
    studies
        Paths of study files, with ``*`` and ``**``; empty: those of the whole file.
    scenarios
        Scenario files; each is a task of its own, of ``"compare"`` all of them together are one (against today). Of
        ``"propose"`` the scenario that it starts from, one at most. Empty: today, nearest school, primary, on foot.
    options
        Files of siting options (``"propose"``), each a task of its own; empty: the defaults.
    rulebook
        Empty: that of the whole file.
    find_sites
        ``"propose"``: so many new sites are looked for first.
    time_limit_s, gap_share, seed
        Search effort of ``"run"``, ``"judge"`` and ``"compare"``; that of ``"propose"`` stands in its options.
    """

    kind: Kind = "run"
    studies: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    rulebook: str = ""
    find_sites: int = 0
    time_limit_s: float | None = None
    gap_share: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Jobs:
    """A whole file. Paths are relative to its folder.

    Parameters
    ----------
    studies
        Paths of study files, with ``*`` and ``**``.
    rulebook
        ``"cn"``, ``"intl"`` … or the path of a rulebook.
    tasks
        What is asked.
    folder
        Of the file; not a key of it.
    """

    studies: tuple[str, ...] = ()
    rulebook: str = "cn"
    tasks: tuple[TaskSpec, ...] = ()
    folder: Path = field(default_factory=Path)


def read_jobs(path: str | Path) -> Jobs:
    """Read ``JOBS.toml``.

    Raises
    ------
    DataError
        With every problem: unknown keys, values of the wrong kind, a task without studies, options where none belong.
    """
    path = Path(path)
    notes = Notes(path.name, check="jobs_file")
    document = read_toml_file(path, notes)
    if document is None:
        raise DataError(notes.issues)
    rows = document.pop("task", [])
    document.pop("folder", None)
    values, _ = read_fields(Jobs, document, notes)
    if not isinstance(rows, list) or not rows:
        notes.add("task", msg("A list of tables was expected here."), msg("Write [[task]], with its keys below."))
        rows = []
    tasks = [_read_task(row, notes.inside(f"[[task]] {at}"), values) for at, row in enumerate(rows, start=1)]
    if notes.issues:
        raise DataError(notes.issues)
    return Jobs(**{**values, "tasks": tuple(task for task in tasks if task), "folder": path.resolve().parent})


def _read_task(row: object, notes: Notes, whole: Mapping[str, Any]) -> TaskSpec | None:
    values, good = read_fields(TaskSpec, row, notes)
    if not good:
        return None
    task = TaskSpec(**values)
    if not task.studies and not whole.get("studies"):
        notes.add("studies", msg("No study is named."), msg("Name study files here, or above all tasks."))
    if task.kind != "propose" and (task.options or task.find_sites):
        notes.add("options" if task.options else "find_sites", msg("Only a proposal takes this."))
    if task.kind == "propose":
        _check_proposal(task, values, notes)
    if task.kind == "compare" and not 1 <= len(task.scenarios) < MOST_OPTIONS:
        cure = msg("Name one to {count} scenarios.", count=MOST_OPTIONS - 1)
        notes.add("scenarios", msg("So many scenarios cannot be compared."), cure, str(len(task.scenarios)))
    if not 0 <= task.find_sites <= 1000:
        notes.add("find_sites", msg("The number lies outside what is possible."), found=str(task.find_sites))
    return task


def _check_proposal(task: TaskSpec, given: Mapping[str, Any], notes: Notes) -> None:
    if len(task.scenarios) > 1:
        cure = msg("Write a task for each.")
        notes.add("scenarios", msg("A proposal starts from one scenario."), cure, str(len(task.scenarios)))
    for name in ("time_limit_s", "gap_share", "seed"):
        if name in given:
            notes.add(name, msg("The effort of a proposal stands in its options: [search]."))


def find_files(
    patterns: Iterable[str], folder: Path, *, study_folder: Path | None = None
) -> tuple[list[Path], list[str]]:
    """Return the files that the patterns name, each once, in the order of the patterns, sorted within one.

    Parameters
    ----------
    patterns
        Paths with ``*`` and ``**``, relative to ``folder``; ``{folder}`` stands for ``study_folder``.

    Returns
    -------
    files : list of Path
        Absolute.
    missing : list of str
        Patterns that name no file.
    """
    found: dict[Path, None] = {}
    missing = []
    for pattern in patterns:
        text = pattern
        if study_folder is not None:
            text = pattern.replace(FOLDER, glob.escape(str(study_folder)))
        # not Path.glob: a pattern may be absolute, or begin with a folder of another county
        names = sorted(glob.glob(str(Path(glob.escape(str(folder))) / text), recursive=True))  # noqa: PTH207
        files = [Path(name).resolve() for name in names if Path(name).is_file()]
        if not files:
            missing.append(pattern)
        found |= dict.fromkeys(files)
    return list(found), missing
