"""Files of jobs: what they say, and everything that is wrong with them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch.jobs import find_files, read_jobs
from batch.tasks import list_tasks
from geodata.errors import DataError
from tests.batch.counties import write_counties


def _problems(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(DataError) as caught:
        list_tasks(read_jobs(path))
    return [(issue.sheet, issue.column) for issue in caught.value.issues]


def test_tasks_are_questions_times_counties(tmp_path: Path) -> None:
    tasks = list_tasks(read_jobs(write_counties(tmp_path)))
    assert [(task.number, task.kind, task.study_label, task.scenario) for task in tasks][:4] == [
        (1, "run", "counties/a/study.toml", "=near"),
        (2, "run", "counties/a/study.toml", "close"),
        (3, "run", "counties/a/study.toml", "senior"),
        (4, "run", "counties/b/study.toml", "=near"),
    ]
    assert [task.kind for task in tasks] == ["run"] * 9 + ["judge", "compare"]
    keys = [task.key for task in tasks if not task.trouble]
    assert len(set(keys)) == len(keys) == 11
    assert list_tasks(read_jobs(tmp_path / "jobs.toml")) == tasks


def test_a_key_follows_the_data_and_the_question_not_the_place(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    keys = [[task.key for task in list_tasks(read_jobs(write_counties(folder)))] for folder in (here, there)]
    assert keys[0] == keys[1]
    schools = there / "counties" / "a" / "schools.csv"
    schools.write_text(schools.read_text(encoding="utf-8").replace(",120,", ",121,"), encoding="utf-8")
    (there / "senior.toml").write_text('name = "senior"\nstages = ["junior"]\n', encoding="utf-8")
    # another process has another memory of digests
    from batch.tasks import _find_study_key

    _find_study_key.cache_clear()
    changed = [task.key for task in list_tasks(read_jobs(there / "jobs.toml"))]
    different = [
        at for at, (first, second) in enumerate(zip(keys[0], changed, strict=True), start=1) if first != second
    ]
    assert different == [1, 2, 3, 6, 9, 10, 11]


def test_files_of_each_county_are_named_by_its_folder(tmp_path: Path) -> None:
    write_counties(tmp_path, broken=False)
    own = tmp_path / "counties" / "a" / "own.toml"
    own.write_text('name = "own"\n', encoding="utf-8")
    jobs = tmp_path / "jobs.toml"
    jobs.write_text(
        'studies = ["counties/*/study.toml"]\n[[task]]\nscenarios = ["{folder}/own.toml"]\n', encoding="utf-8"
    )
    first, second = list_tasks(read_jobs(jobs))
    assert (first.scenario, first.trouble) == ("own", ()) and first.key
    assert second.key == "" and "own.toml" in second.trouble[0]
    own.write_text('nmae = "own"\n', encoding="utf-8")
    first, second = list_tasks(read_jobs(jobs))
    assert "Did you mean 'name'?" in " ".join(first.trouble)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    jobs = write_counties(tmp_path)
    jobs.write_text(
        'studeis = ["x"]\n[[task]]\nkind = "rnu"\n[[task]]\noptions = ["x.toml"]\n'
        '[[task]]\nkind = "propose"\nseed = 1\n[[task]]\nkind = "compare"\nstudies = ["counties/a/study.toml"]\n',
        encoding="utf-8",
    )
    assert _problems(jobs) == [
        ("", "studeis"),
        ("[[task]] 1", "kind"),
        *(("[[task]] 2", "studies"), ("[[task]] 2", "options")),
        *(("[[task]] 3", "studies"), ("[[task]] 3", "seed")),
        ("[[task]] 4", "scenarios"),
    ]
    jobs.write_text(
        'studies = ["nowhere/*.toml"]\nrulebook = "nowhere"\n[[task]]\nscenarios = ["none.toml", "jobs.toml"]\n',
        encoding="utf-8",
    )
    assert {column for _, column in _problems(jobs)} >= {"studies", "scenarios"}
    jobs.write_text("studies = []\n", encoding="utf-8")
    assert _problems(jobs) == [("", "task")]
    jobs.write_text("not toml", encoding="utf-8")
    assert _problems(jobs) == [("", "")]
    assert _problems(tmp_path / "none.toml") == [("", "")]


def test_patterns_are_sorted_and_name_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "x[1]").mkdir()
    for name in ("b.toml", "a.toml", "x[1]/c.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    found, missing = find_files(["b.toml", "*.toml", "none/*.toml", "**/c.toml"], tmp_path)
    assert [path.name for path in found] == ["b.toml", "a.toml", "c.toml"] and missing == ["none/*.toml"]
    found, missing = find_files(["{folder}/c.toml"], tmp_path, study_folder=tmp_path / "x[1]")
    assert [path.name for path in found] == ["c.toml"] and not missing


def test_keys_change_when_the_same_question_gets_other_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only proposals: what runs say does not hang on how plans are searched for."""
    jobs = write_counties(tmp_path, broken=False)
    jobs.write_text(
        'studies = ["counties/a/study.toml"]\n[[task]]\nkind = "propose"\n[[task]]\nkind = "run"\n', encoding="utf-8"
    )
    before = [task.key for task in list_tasks(read_jobs(jobs))]
    monkeypatch.setattr("batch.tasks.SITING_VERSION", 10_000)
    after = [task.key for task in list_tasks(read_jobs(jobs))]
    assert before[0] != after[0] and before[1] == after[1]
