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
