"""What stands around the work on the Consultation page: style, headline, what the pack will hold."""

from __future__ import annotations

import streamlit as st

from geodata.study import StudyArea
from planning.procedure import STEPS, Procedure
from planning.rules import Rules
from reports.language import Translator
from ui.cards import STYLE as CARD_STYLE
from ui.cards import text
from ui.rulebooks import build_judged_by
from ui.zoning_cards import STYLE

PAGE_STYLE = """
<style>
.block-container { padding: 4.1rem 2rem 1.5rem !important; max-width: 1500px !important; }
.st-key-consultation_page { gap: 0.6rem; }
.st-key-consultation_page label p { font-size: 0.78rem; color: #52605f; }
.st-key-consultation_page [data-testid=stButtonGroup] button { min-height: 36px; padding: 0 0.62rem; }
.st-key-consultation_make button { min-height: 2.6rem; }
.st-key-consultation_side, .st-key-consultation_details, .st-key-consultation_details [data-testid=stVerticalBlock],
.st-key-consultation_costs [data-testid=stVerticalBlock], .st-key-consultation_steps [data-testid=stVerticalBlock] {
  gap: 0.55rem; }
.headline { font-size: 1.04rem; font-weight: 600; line-height: 1.35; }
.headline .badge { background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }
.card p { margin: 0 0 0.35rem; }
.card .verdict { font-weight: 650; padding: 0.4rem 0.65rem; border-radius: 6px; margin: 0 0 0.45rem; }
.verdict.good { background: #e7f3ec; color: #14532f; } .verdict.warn { background: #fff3d6; color: #5c4300; }
.verdict.bad { background: #fbe9e0; color: #7d2f05; }
.card ul.remarks, .card ul.holds { margin: 0.1rem 0 0.3rem; padding-left: 1.1rem; }
.card ul.remarks li, .card ul.holds li { margin-bottom: 0.22rem; }
.part { font-weight: 650; font-size: 0.98rem; padding-top: 0.25rem; }
.st-key-consultation_pages [data-testid=stImage] img { border: 1px solid #dde4e4; border-radius: 4px; }
.cost { font-size: 0.9rem; line-height: 1.35; overflow-wrap: anywhere; }
.cost span { color: #52605f; font-size: 0.82rem; }
.steps-done { height: 6px; background: #e6ebeb; border-radius: 3px; margin: 0.4rem 0 0.1rem; }
.steps-done i { display: block; height: 6px; background: #0b6e72; border-radius: 3px; }
.st-key-consultation_steps [data-testid=stExpander] summary { padding-top: 0.45rem; padding-bottom: 0.45rem; }
@media (max-width: 640px) { .block-container { padding: 4.1rem 0.9rem 1.5rem !important; } }
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + STYLE)


def render_part_title(words: str) -> None:
    """Draw the title of a part of the page."""
    st.html(f'<div class="part">{text(words)}</div>')


def render_headline(study: StudyArea, title: str, procedure: Procedure, rules: Rules, _: Translator) -> None:
    """Say in one line what is published and how far the steps of the law are."""
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if study.synthetic else ""
    count = sum(procedure.kind in step.kinds for step in STEPS.values())
    state = _("ready to publish: all steps are there")
    if procedure.missing:
        state = _(
            "draft for comment, {done} of {count} steps done",
            done=_.number(count - len(procedure.missing)),
            count=_.number(count),
        )
    words = " · ".join([study.name, title, state])
    st.html(f'<div class="headline">{badge}{text(words, longest=400)}{build_judged_by(rules, _)}</div>')


def render_holds(_: Translator) -> None:
    """Say what a pack holds, before the first one is made."""
    parts = [
        _("a map as one file that residents open without the internet, to look up their home, with a comment form"),
        _("the public notice (PDF and Word): each school's zone in words and map, and how to object"),
        _("the report for experts and the council: data, method, rules, alternatives, who gains and who loses"),
        _("a letter for every community whose school changes"),
        _("tables (Excel, CSV) and layers for map programs"),
    ]
    items = "".join(f"<li>{text(part, longest=300)}</li>" for part in parts)
    title = text(_("One click makes"))
    st.html(f'<div class="card"><b>{title}</b><ul class="holds">{items}</ul></div>')
