"""What stands around the map of the Closures page: the headline, and beside the map what a change would mean."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planning.flag_case import iterate_rows
from reports.closure_numbers import (
    find_travel_rules,
    say_travel_rule,
)
from reports.language import Translator
from reports.legend import name_stage_short
from ui.cards import STYLE, render_facts, render_quiet, render_title, text
from ui.closures_engine import Engine
from ui.closures_map import MAP_HEIGHT
from ui.rulebooks import build_judged_by

MOST_CANDIDATES = 6
PAGE_STYLE = f"""
<style>
.st-key-closures_page {{ --closures-map: max(400px, calc(100vh - 244px)); gap: 0.55rem; }}
@media (max-width: 1100px) {{ .st-key-closures_page {{ --closures-map: max(400px, calc(100vh - 310px)); }} }}
.st-key-closures_side {{ display: block; flex: none !important; height: {MAP_HEIGHT} !important;
  min-height: 0 !important; max-height: {MAP_HEIGHT} !important; overflow-y: auto !important; padding-right: 0.4rem; }}
.st-key-closures_side > div {{ margin-bottom: 0.45rem; }}
.st-key-closures_changes button {{ min-height: 26px !important; padding: 0 0.5rem; font-size: 0.8rem; }}
.st-key-closures_tools {{ flex-wrap: nowrap !important; justify-content: space-between; }}
.st-key-closures_tools label p {{ white-space: nowrap; }}
.st-key-closures_side .card th, .st-key-closures_side .card td:not(:first-child) {{ white-space: nowrap; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.35; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-closures_choices button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-closures_choices label p {{ font-size: 0.78rem; color: #5d6b6c; }}
.st-key-closures_side button {{ min-height: 34px; padding: 0 0.6rem; }}
.card .verdict {{ border-left: 3px solid #2166ac; padding: 0.1rem 0 0.1rem 0.55rem; margin: 0.35rem 0; }}
.card .verdict.no {{ border-color: #b3490b; }}
.card .verdict b {{ font-weight: 650; }}
.card .key {{ display: inline-block; width: 0.72rem; height: 0.72rem; border-radius: 2px; margin-right: 0.3rem;
  border: 1px solid rgba(38,50,61,0.4); vertical-align: -0.06rem; }}
.card td.worse {{ color: #9a3c06; font-weight: 600; }} .card td.better {{ color: #1c5a96; font-weight: 600; }}
.card table.numbers td:first-child {{ max-width: 9.5rem; }}
.card td span.low {{ color: #5d6b6c; }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + STYLE)


def render_headline(engine: Engine, ranking: pd.DataFrame | None, _: Translator) -> None:
    """Say in one line how many schools could close."""
    study = engine.study
    notice = text(_("Synthetic demo: no real place"))
    badge = f'<span class="badge">{notice}</span>' if study.synthetic else ""
    words = f"{study.name} · {say_headline(engine, ranking, _)}"
    judged = build_judged_by(engine.rules, _)
    st.html(f'<div class="headline">{badge}{text(words, longest=600)}{judged}</div>')


def say_headline(engine: Engine, ranking: pd.DataFrame | None, _: Translator) -> str:
    """Return how many schools of the stage can close, as a sentence."""
    if engine.problem is not None:
        return _.say(engine.problem)
    if ranking is None:
        return _("click a school on the map: what if it closed?")
    can = count_closable(ranking)
    stage = name_stage_short(engine.stage, _)
    if not engine.limited:
        return _(
            "{stage}: no rule limits the way; {can} of {all} schools can close without cutting anybody off.",
            stage=stage,
            can=_.number(can),
            all=_.number(len(ranking)),
        )
    units = {str(unit) for group in ranking["dependent_units"] for unit in group}
    return _(
        "{stage}: by the travel limit {can} of {all} schools could close, {free} of them also within the places."
        " Communities that need the others: {units}.",
        stage=stage,
        can=_.number(can),
        all=_.number(len(ranking)),
        free=_.number(int((ranking["can_close"].astype(bool) & ranking["places_suffice"].astype(bool)).sum())),
        units=_.number(len(units)),
    )


def count_closable(ranking: pd.DataFrame) -> int:
    """Return how many schools can close by distance."""
    return int(ranking["can_close"].astype(bool).sum())


def build_county_card(engine: Engine, ranking: pd.DataFrame | None, _: Translator) -> str:
    """Return the figures of the county, the rule, and the closures that would cost the children least."""
    parts = []
    if ranking is not None:
        near = ranking["can_close"].astype(bool)
        can = near & ranking["places_suffice"].astype(bool)
        small = ranking["small"].fillna(False).astype(bool)
        facts = [
            (_("Schools"), _.number(len(ranking))),
            (_("Can close"), _.number(int(can.sum()))),
            (_("Too few places near"), _.number(int((near & ~can).sum()))),
            (_("Cannot close"), _.number(int((~near).sum()))),
            (_("Small schools"), _.number(int(small.sum()))),
            (_("Small, can close"), _.number(int((small & can).sum()))),
        ]
        parts.append(render_facts(facts))
        parts.append(_list_candidates(ranking[can], _))
    parts.append(_cite_limits(engine, _))
    if engine.what_if is not None and engine.what_if.split:
        parts.append(
            render_quiet(_("Communities may be split among schools here, although the scenario keeps them whole."))
        )
    parts.append(render_quiet(_("Click a school on the map, or tick rows of the table below.")))
    return f'<div class="card">{"".join(parts)}</div>'


def _list_candidates(ranking: pd.DataFrame, _: Translator) -> str:
    if ranking.empty:
        return ""
    rows = ranking.sort_values("rank", kind="stable").head(MOST_CANDIDATES)
    lines = [
        f"<tr><td>{text(row.name)}</td><td>{text(_.number(row.moved_pupils))}</td>"
        f"<td>{text(_say_way(row.mean_min_before, row.mean_min_after, _))}</td></tr>"
        for row in iterate_rows(rows)
    ]
    head = render_heads(_("School"), _("Moved"), _("Way (min)"))
    return render_title(_("Closures that lengthen ways least")) + f"<table>{head}{''.join(lines)}</table>"


def render_heads(*names: str) -> str:
    """Return the heading row of a small table."""
    return "<tr>" + "".join(f"<th>{text(name)}</th>" for name in names) + "</tr>"


def _say_way(before: float, after: float, _: Translator) -> str:
    return f"{_.number(before, digits=1)} → {_.number(after, digits=1)}"


def _cite_limits(engine: Engine, _: Translator) -> str:
    found = find_travel_rules(engine.rules, engine.stage, frozenset(engine.study.units["setting"].astype(str)))
    if not engine.limited or not found:
        return render_quiet(_("The rules set no limit of the way for this stage here."))
    lines = "".join(
        f'<div class="source">{text(say_travel_rule(engine.rules, rule, engine.stage, _), longest=400)}</div>'
        for rule in found
    )
    return render_title(_("Travel limit")) + f'<div class="flag note">{lines}</div>'
