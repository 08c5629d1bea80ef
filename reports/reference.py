"""The reference pages of ``docs/`` that are made from the program itself: ``python -m reports.reference``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geodata.dictionary import render_data_dictionary
from geodata.quality import render_checks_page
from planning.check_page import render_rule_checks_page
from planning.indicators import render_indicators_page
from planning.inspection_page import render_inspection_page
from planning.rules import render_rules_page

PAGES: dict[str, Callable[[], str]] = {
    "data-dictionary.md": render_data_dictionary,
    "checks.md": render_checks_page,
    "rules.md": render_rules_page,
    "rule-checks.md": render_rule_checks_page,
    "indicators.md": render_indicators_page,
    "inspection.md": render_inspection_page,
}


def write_reference(folder: Path) -> None:
    """Write every generated page into ``folder``."""
    for name, render in PAGES.items():
        (folder / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    write_reference(Path(__file__).resolve().parent.parent / "docs")
