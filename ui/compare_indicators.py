"""The numbers of a comparison as HTML tables: every name leads to its definition, every verdict is a word."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from reports.compare_tables import Cell, Line, build_key_lines, build_lines, list_definitions
from reports.compare_words import name_group, name_verdict
from reports.language import MISSING_NUMBER, Translator
from ui.cards import text
from ui.compare_view import Compared

STYLE = """
<style>
.compare-table { border-collapse: collapse; font-size: 0.86rem; line-height: 1.3; width: 100%; }
.compare-table th, .compare-table td { border-bottom: 1px solid #e6ebeb; padding: 0.28rem 0.6rem; text-align: right;
  vertical-align: top; font-variant-numeric: tabular-nums; }
.compare-table th { color: #3f4a55; font-weight: 600; overflow-wrap: anywhere; }
.compare-table th:first-child, .compare-table td:first-child { text-align: left; padding-left: 0.1rem; }
.compare-table thead th { background: #f4f6f6; border-bottom: 1px solid #cfd8d8; }
.compare-table thead th:first-child { padding-left: 0.5rem; }
.compare-table thead small { display: block; font-weight: 400; color: #52605f; }
.compare-table tbody th { padding-top: 0.85rem; color: #26323d; font-weight: 650; border-bottom: 1px solid #cfd8d8; }
.compare-table a { color: inherit; text-decoration: underline dotted #8b9a9a; text-underline-offset: 3px; }
.compare-table a:hover, .compare-table a:focus-visible { color: #0b5c60; text-decoration: underline; }
.compare-table .change { display: block; font-size: 0.79rem; white-space: nowrap; }
.compare-table .better { color: #17548f; font-weight: 600; }
.compare-table .worse { color: #96380a; font-weight: 600; }
.compare-table .changed { color: #3f4a55; } .compare-table .same, .compare-table .unknown { color: #5d6b6c; }
.compare-key td, .compare-key th { padding: 0.2rem 0.35rem; font-size: 0.82rem; }
.compare-key td:not(:first-child) { white-space: nowrap; }
.compare-key .change { font-size: 0.75rem; }
.compare-block { margin-bottom: 0.55rem; }
.compare-block caption { text-align: left; font-weight: 600; font-size: 0.86rem; }
.compare-block td { padding: 0.12rem 0.1rem; font-size: 0.82rem; border-bottom-color: #f0f3f3; }
.compare-block td:last-child { white-space: nowrap; } .compare-block .change { display: inline; margin-left: 0.5rem; }
.definitions { font-size: 0.84rem; line-height: 1.4; border: 1px solid #e0e6e6; border-radius: 8px;
  padding: 0.5rem 0.9rem; }
.definitions summary { cursor: pointer; font-weight: 600; }
.definitions dl { columns: 2; column-gap: 2.2rem; margin: 0.6rem 0 0.2rem; }
.definitions div { break-inside: avoid; padding: 0.25rem 0.4rem; border-radius: 5px; scroll-margin-top: 90px; }
.definitions dt { font-weight: 600; } .definitions dd { margin: 0; color: #3f4a55; }
.definitions div:target { background: #fff3d6; }
@media (max-width: 900px) { .definitions dl { columns: 1; } }
</style>
"""


def name_anchor(name: str) -> str:
    """Return the name of the place of a definition in the page."""
    return f"definition-{name.replace('_', '-')}"


def render_numbers(compared: Compared, _: Translator) -> None:
    """Draw every number by group."""
    names = compared.comparison.names
    lines = build_lines(compared.comparison, compared.stage, _)
    body = "".join(
        f'<tr><th colspan="{len(names) + 1}" scope="colgroup">{text(name_group(group, _))}</th></tr>'
        + "".join(_render_line(line, _) for line in found)
        for group, found in lines.items()
    )
    st.html(f'<table class="compare-table">{_render_head(names, _)}<tbody>{body}</tbody></table>')
    st.caption(
        _(
            "Differences are against the baseline; “better” and “worse” follow the direction of each number's"
            " definition. A difference below the last digit shown counts as the same. Changes of the way of less than"
            " 0.5 minutes count as no change."
        )
    )


def build_key_table(compared: Compared, _: Translator) -> str:
    """Return the few numbers that stand beside the map."""
    names = compared.comparison.names
    lines = build_key_lines(compared.comparison, compared.stage, _)
    if len(names) > 2:
        return "".join(_render_block(line, names, _) for line in lines)
    body = "".join(_render_line(line, _) for line in lines)
    return f'<table class="compare-table compare-key">{_render_head(names, _)}<tbody>{body}</tbody></table>'


def _render_block(line: Line, names: Sequence[str], _: Translator) -> str:
    """Return one number as a small table with a row per option: it fits where columns would not."""
    rows = "".join(
        f"<tr><td>{text(name, longest=60)}</td>{_render_cell(cell, _)}</tr>"
        for name, cell in zip(names, line.cells, strict=True)
        if cell.value != MISSING_NUMBER or cell.verdict
    )
    title = text(line.definition, longest=400)
    head = f'<a href="#{name_anchor(line.name)}" title="{title}">{text(line.title)}</a>'
    return f'<table class="compare-table compare-block"><caption>{head}</caption><tbody>{rows}</tbody></table>'


def _render_head(names: Sequence[str], _: Translator) -> str:
    word, number_word = _("baseline"), _("Number")
    baseline = f"<small>{text(word)}</small>"
    cells = "".join(
        f'<th scope="col">{text(name, longest=60)}{"" if number or len(names) < 2 else baseline}</th>'
        for number, name in enumerate(names)
    )
    return f'<thead><tr><th scope="col">{text(number_word)}</th>{cells}</tr></thead>'


def _render_line(line: Line, _: Translator) -> str:
    title = text(line.definition, longest=400)
    link = f'<a href="#{name_anchor(line.name)}" title="{title}">{text(line.title)}</a>'
    return f"<tr><td>{link}</td>{''.join(_render_cell(cell, _) for cell in line.cells)}</tr>"


def _render_cell(cell: Cell, _: Translator) -> str:
    if not cell.verdict:
        return f"<td>{text(cell.value)}</td>"
    word = text(name_verdict(cell.verdict, _))
    if not cell.difference:
        if cell.verdict in ("better", "worse"):
            return f'<td>{text(cell.value)}<span class="change {cell.verdict}">{word}</span></td>'
        return f"<td>{text(cell.value)}</td>" if cell.verdict != "same" else f'<td class="same">{text(cell.value)}</td>'
    words = text(cell.difference) if cell.verdict in ("changed", "unknown") else f"{text(cell.difference)} {word}"
    return f'<td>{text(cell.value)}<span class="change {cell.verdict}">{words}</span></td>'


def render_definitions(_: Translator, *, many: bool = False) -> None:
    """Draw the definitions to which the names of the numbers lead; a link opens them.

    ``many`` tells the style that more than two maps stand beside each other, which need more height.
    """
    entries = "".join(
        f'<div id="{name_anchor(name)}"><dt>{text(title)}</dt><dd>{text(definition, longest=500)}</dd></div>'
        for name, title, definition in list_definitions(_)
    )
    words = _("Definitions of the numbers")
    heading = f"<summary>{text(words)}</summary>"
    st.html(f'<details class="definitions{" many" if many else ""}">{heading}<dl>{entries}</dl></details>')
