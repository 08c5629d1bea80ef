"""One task as plain text that any worker understands, and its key: what it depends on, so that nothing is run twice."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from batch.jobs import FOLDER, MAX_TASKS, Jobs, Kind, TaskSpec, find_files
from geodata.build import compute_study_key
from geodata.errors import DataError, DataIssue, LayoutError
from geodata.messages import msg
from geodata.study import compute_digest
from geodata.study_file import read_study_file
from planning.rules import Rules, design_class_size, read_rulebook
from planning.run import RESULTS_VERSION, read_versions
from planning.scenario import Scenario
from planning.scenario_file import read_scenario, render_scenario
from planning.siting_file import read_siting_options, render_siting_options
from planning.siting_options import SitingOptions
from planning.siting_record import SITING_VERSION
from reports.check_words import list_issue_lines
from reports.language import Translator, read_catalogue

TABLES_VERSION = 1
"""Rises when the tables of a batch change their form."""
TODAY = render_scenario(Scenario("today"))


@dataclass(frozen=True)
class Task:
    """What one worker is asked, and nothing that only this process knows.

    Parameters
    ----------
    number
        Place in the list, from 1.
    kind
        See ``batch.jobs.TaskSpec``.
    study
        Absolute path of the study file.
    study_label, scenario, options_label
        What the tables call them: paths relative to the file of jobs, the names of the scenarios.
    scenarios
        Scenarios as TOML, actions of parents included.
    options
        Siting options as TOML.
    rulebook
        Name or absolute path.
    find_sites, time_limit_s, gap_share, seed
        See ``batch.jobs.TaskSpec``.
    language
        Of the sentences in the tables.
    key
        Digest of everything that the result depends on; empty where the task cannot be run.
    trouble
        Why it cannot be run, in words; empty where it can.
    """

    number: int
    kind: Kind
    study: str
    study_label: str
    scenario: str
    scenarios: tuple[str, ...]
    options_label: str = ""
    options: str = ""
    rulebook: str = "cn"
    find_sites: int = 0
    time_limit_s: float | None = None
    gap_share: float | None = None
    seed: int = 0
    language: str = "en"
    key: str = ""
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Question:
    """What one ``[[task]]`` asks of one study, before it has a number and a key."""

    scenario: str
    scenarios: tuple[str, ...]
    options_label: str = ""
    options: str = ""
    trouble: tuple[str, ...] = ()


def list_tasks(jobs: Jobs, *, language: str = "en") -> list[Task]:
    """Return every task of a file of jobs, by ``[[task]]``, then study, then scenario or options.

    What is wrong with one county is the ``trouble`` of its tasks; the others are run.

    Raises
    ------
    DataError
        A pattern that names no file, a shared scenario, file of options or rulebook that cannot be read: all of them.
    """
    issues: list[DataIssue] = []
    tasks: list[Task] = []
    for at, spec in enumerate(jobs.tasks, start=1):
        where = f"[[task]] {at}"
        studies, missing = find_files(spec.studies or jobs.studies, jobs.folder)
        issues += [_no_file(where, "studies", pattern) for pattern in missing]
        shared = [("scenarios", name) for name in spec.scenarios] + [("options", name) for name in spec.options]
        for column, name in shared:
            if FOLDER not in name:
                issues += _check_shared(column, name, jobs.folder, where)
        rulebook, problems = _find_rulebook(spec.rulebook or jobs.rulebook, jobs.folder)
        issues += problems
        if not issues:
            for study in studies:
                tasks += _ask(spec, study, jobs, rulebook, read_catalogue(language))
    if len(tasks) > MAX_TASKS:
        issues.append(DataIssue("jobs_file", "error", msg("A batch has at most {count:,} tasks.", count=MAX_TASKS)))
    if issues:
        raise DataError(issues)
    return [dataclasses.replace(task, number=number) for number, task in enumerate(tasks, start=1)]


def _ask(spec: TaskSpec, study: Path, jobs: Jobs, rulebook: str, say: Translator) -> list[Task]:
    """Return the tasks of one ``[[task]]`` for one study."""
    label = os.path.relpath(study, jobs.folder)
    found = []
    for question in _list_questions(spec, study.parent, jobs.folder, say):
        task = Task(
            number=0,
            kind=spec.kind,
            study=str(study),
            study_label=Path(label).as_posix(),
            rulebook=rulebook,
            find_sites=spec.find_sites,
            time_limit_s=spec.time_limit_s,
            gap_share=spec.gap_share,
            seed=spec.seed,
            language=say.language,
            **{item.name: getattr(question, item.name) for item in dataclasses.fields(question)},
        )
        found.append(_seal(task, say))
    return found


def _list_questions(spec: TaskSpec, study_folder: Path, folder: Path, say: Translator) -> list[_Question]:
    """Return one question per scenario, or per file of options; what cannot be read is a question with trouble."""
    paths, missing = find_files(spec.scenarios, folder, study_folder=study_folder)
    trouble = _say_missing("scenarios", missing, say)
    read = [_read_scenario(path, say) for path in paths] or [("today" if not trouble else "", TODAY, ())]
    if spec.kind == "compare":
        issues = tuple(issue for _, _, problems in read for issue in problems)
        name = " | ".join(name for name, _, _ in read)
        return [_Question(name, tuple(text for _, text, _ in read), trouble=(*trouble, *issues))]
    if spec.kind != "propose":
        found = [_Question(name, (text,), trouble=problems) for name, text, problems in read if name]
        return [*found, *([_Question("", (), trouble=trouble)] if trouble else [])]
    name, text, problems = read[0]
    files, missing = find_files(spec.options, folder, study_folder=study_folder)
    base = (*trouble, *problems)
    found = [_read_options(path, _Question(name, (text,), path.stem, trouble=base), say) for path in files]
    if missing:
        found.append(_Question(name, (text,), trouble=_say_missing("options", missing, say)))
    plain = _Question(name, (text,), "default", render_siting_options(SitingOptions()), base)
    return found or [plain]


def _read_scenario(path: Path, say: Translator) -> tuple[str, str, tuple[str, ...]]:
    """Return name and text of a scenario file, its parents' actions made its own, or what is wrong with it."""
    try:
        scenario = read_scenario(path)
    except DataError as error:
        return path.stem, "", tuple(list_issue_lines(error.issues, say))
    whole = dataclasses.replace(scenario, actions=scenario.all_actions, inherited=(), parent=None)
    return scenario.name, render_scenario(whole), ()


def _read_options(path: Path, question: _Question, say: Translator) -> _Question:
    try:
        return dataclasses.replace(question, options=render_siting_options(read_siting_options(path)))
    except DataError as error:
        return dataclasses.replace(question, trouble=(*question.trouble, *list_issue_lines(error.issues, say)))


def _say_missing(column: str, patterns: list[str], say: Translator) -> tuple[str, ...]:
    return tuple(list_issue_lines([_no_file("", column, pattern) for pattern in patterns], say))


def _check_shared(column: str, pattern: str, folder: Path, where: str) -> list[DataIssue]:
    """Return what is wrong with files that all counties share: told before anything is run."""
    files, missing = find_files([pattern], folder)
    issues = [_no_file(where, column, name) for name in missing]
    for path in files:
        try:
            _ = read_scenario(path) if column == "scenarios" else read_siting_options(path)
        except DataError as error:
            issues += error.issues
    return issues


def _find_rulebook(name: str, folder: Path) -> tuple[str, list[DataIssue]]:
    """Return a rulebook's name, or its path made absolute, and what is wrong with it."""
    path = folder / name
    known = str(path.resolve()) if path.is_file() else name
    try:
        read_rules(known)
    except DataError as error:
        return known, list(error.issues)
    except LayoutError as error:
        return known, [DataIssue("jobs_file", "error", msg("{text}", text=str(error)), column="rulebook", found=name)]
    return known, []


@lru_cache(maxsize=8)
def read_rules(rulebook: str) -> Rules:
    """Return a rulebook, read once per process."""
    return read_rulebook(rulebook)


def _seal(task: Task, say: Translator) -> Task:
    """Return the task with its key, or with what is wrong with its study."""
    if task.trouble:
        return task
    try:
        study_key = _find_study_key(task.study, task.rulebook)
    except DataError as error:
        return dataclasses.replace(task, trouble=tuple(list_issue_lines(error.issues, say)))
    except LayoutError as error:
        return dataclasses.replace(task, trouble=(str(error),))
    return dataclasses.replace(task, key=compute_key(task, study_key, read_versions()))


def compute_key(task: Task, study_key: str, versions: Mapping[str, str]) -> str:
    """Return the digest of what a result depends on: data, rules, question, effort, versions; not where files lie."""
    ignored = ("number", "study", "study_label", "scenario", "options_label", "rulebook", "key", "trouble")
    asked = {name: value for name, value in dataclasses.asdict(task).items() if name not in ignored}
    results = (RESULTS_VERSION, SITING_VERSION) if task.kind == "propose" else (RESULTS_VERSION,)
    parts = (TABLES_VERSION, *results, study_key, read_rules(task.rulebook).fingerprint)
    return compute_digest(*parts, json.dumps(asked, sort_keys=True), json.dumps(dict(versions), sort_keys=True))


@lru_cache(maxsize=4096)
def _find_study_key(study: str, rulebook: str) -> str:
    """Return the digest of a study file and of all files that it names."""
    return compute_study_key(read_study_file(study), design_class_size(read_rules(rulebook)))


def _no_file(where: str, column: str, pattern: str) -> DataIssue:
    cure = msg("Paths are relative to the file of jobs.")
    problem = msg("No file is found there.")
    return DataIssue("jobs_file", "error", problem, sheet=where, column=column, found=pattern, cure=cure)
