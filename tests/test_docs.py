"""Documents are tested: the README example runs, generated pages are up to date, links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports.reference import PAGES

ROOT = Path(__file__).resolve().parent.parent
PROSE = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_example_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code and len(code.group(1).splitlines()) <= 16
    done = subprocess.run([sys.executable, "-c", code.group(1)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "mean walk:" in done.stdout


def test_the_readme_names_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in re.findall(r"`?make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert f"\n{command}:" in makefile


def test_terminal_page_documents_every_key_of_the_study_file() -> None:
    from dataclasses import fields

    from geodata import study_file

    page = (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")
    for name in dir(study_file):
        kind = getattr(study_file, name)
        if isinstance(kind, type) and name.endswith(("Source", "Spec")):
            for item in fields(kind):
                assert f"`{item.name}`" in page or f"[{item.name}]" in page or item.name == "folder", item.name


def test_scenarios_page_documents_every_key_action_and_column() -> None:
    from dataclasses import fields

    from planning.actions import ACTION_CLASSES, StagePlaces
    from planning.assignment_options import AssignmentOptions, ChoiceOptions, PriorityClass
    from planning.closures import COMMUNITY_COLUMNS, GRADE_COLUMNS
    from planning.scenario import Scenario
    from planning.zoning_options import ZoningOptions
    from reports.scenario_files import SCENARIO_FILES

    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    kinds = (Scenario, AssignmentOptions, ChoiceOptions, PriorityClass, ZoningOptions, StagePlaces)
    named = {item.name for kind in (*kinds, *ACTION_CLASSES.values()) for item in fields(kind)}
    for name in named - {"actions", "inherited"}:
        assert re.search(rf"\b{name}\b", page), name
    for name in [*ACTION_CLASSES, *SCENARIO_FILES]:
        assert f"`{name}`" in page, name
    for name in set(COMMUNITY_COLUMNS + GRADE_COLUMNS) - {"unit_id", "name", "setting", "town", "grade"}:
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "scenarios").glob("*.toml")), ids=lambda path: path.stem)
def test_example_scenarios_are_named_and_documented(path: Path) -> None:
    from planning.scenario_file import read_scenario

    scenario = read_scenario(path)
    assert scenario.all_actions and f"examples/scenarios/{path.name}" in path.read_text(encoding="utf-8")
    assert path.name in (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
