"""What stands around the drawing table: style, headline, the one line of guidance."""

from __future__ import annotations

import streamlit as st

from reports.language import Translator
from reports.legend import name_stage_short
from ui.cards import STYLE as CARD_STYLE
from ui.cards import text
from ui.catchments_choices import say_state
from ui.catchments_map import MAP_HEIGHT
from ui.catchments_numbers import STYLE as NUMBERS_STYLE
from ui.catchments_open import View
from ui.rulebooks import build_judged_by, read_rules
from ui.zoning_cards import STYLE as ZONING_STYLE

PAGE_STYLE = f"""
<style>
.st-key-catchments_page {{ --catchments-map: max(430px, calc(100vh - 190px)); gap: 0.45rem; }}
.st-key-catchments_side {{ display: block; flex: none !important; height: {MAP_HEIGHT} !important;
  min-height: 0 !important; max-height: {MAP_HEIGHT} !important; overflow-y: auto !important; padding-right: 0.4rem; }}
.headline {{ font-size: 1rem; font-weight: 600; line-height: 1.3; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.headline span.quiet {{ font-weight: 400; color: #52605f; font-size: 0.88rem; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-catchments_page [data-testid=stButtonGroup] button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-catchments_first [data-testid=stButtonGroup] + div, .st-key-catchments_first label {{ color: #52605f; }}
.st-key-catchments_first > div > [data-testid=stButtonGroup] > label {{ display: none; }}
.st-key-catchments_broken {{ gap: 0.3rem; }}
.st-key-catchments_broken button {{ justify-content: flex-start; text-align: left; min-height: 0;
  padding: 0.25rem 0.6rem; border-width: 0 0 0 3px; border-color: #b3490b; border-radius: 0; background: #fbf6f2; }}
.st-key-catchments_broken button p {{ font-size: 0.82rem; line-height: 1.3; text-align: left; }}
.st-key-catchments_actions {{ gap: 0.3rem; }}
.st-key-catchments_actions button {{ min-height: 2rem; padding: 0.15rem 0.6rem; }}
.st-key-catchments_actions button p {{ font-size: 0.84rem; }}
.guide {{ background: #fff9e6; border: 1px solid #ecd9a0; border-radius: 6px; padding: 0.4rem 0.6rem;
  font-size: 0.86rem; line-height: 1.35; }}
.told {{ background: #eaf3f8; border: 1px solid #b9d6e6; border-radius: 6px; padding: 0.35rem 0.6rem;
  font-size: 0.86rem; line-height: 1.35; }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + ZONING_STYLE + NUMBERS_STYLE)


def render_headline(view: View, _: Translator) -> None:
    """Say in one line what is open, where it comes from, and that it is kept."""
    study, drawing = view.sheet.study, view.drawing
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if study.synthetic else ""
    words = " · ".join([study.name, name_stage_short(drawing.stage, _)])
    state = say_state(len(drawing.touched), drawing.origin, drawing.revision, _)
    judged = build_judged_by(read_rules(view.sheet.terms.rulebook), _)
    told = f'<span class="quiet">{text(state, longest=400)}</span>{judged}'
    st.html(f'<div class="headline">{badge}{text(words)} {told}</div>')


def render_guidance(view: View, _: Translator) -> None:
    """Say what to do, until the first step is done."""
    if view.drawing.revision:
        return
    words = _(
        "Choose Give or Brush, click the school to give to, then click or drag over areas. These numbers answer at "
        "once, and every step can be undone."
    )
    st.html(f'<div class="guide">{text(words, longest=600)}</div>')


def render_notice(words: str) -> None:
    """Draw a remark on what has just happened."""
    if words:
        st.html(f'<div class="told" role="status">{text(words, longest=500)}</div>')
