"""What stands around the map of the Sites page: the headline, and beside the map the front, the plan, its proof."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from geodata.study import StudyArea
from planning.conflicts import Conflict
from planning.flag_case import iterate_rows
from planning.siting_answer import SitingPlan
from reports.language import Translator
from reports.legend import name_stage_short
from reports.proof_words import name_stop
from reports.siting_charts import SELECTED, build_front_chart
from reports.siting_tables import collect_site_names
from reports.siting_words import (
    MONEY_UNITS,
    name_conflict,
    name_plan,
    say_decision,
    say_plan,
    say_role,
    say_years,
    tell_proof,
)
from ui.cards import STYLE as CARD_STYLE
from ui.cards import render_facts, render_quiet, render_title, text
from ui.rulebooks import build_judged_by
from ui.selection import Selected
from ui.sites_cards import build_point_card, build_unit_card
from ui.sites_choices import count_schools
from ui.sites_map import MAP_HEIGHT, Ground
from ui.sites_state import Shown, clear_selected, show_plan
from ui.zoning_cards import STYLE

CHART_KEY = "sites_front"
MOST_DECISIONS = 10
PAGE_STYLE = f"""
<style>
.st-key-sites_page {{ --sites-map: max(360px, calc(100vh - 345px)); gap: 0.5rem; }}
.st-key-sites_more_closed {{ display: none; }}
[data-testid=stLayoutWrapper]:has(> .st-key-sites_more_closed) {{ position: absolute; }}
.st-key-sites_progress, .st-key-sites_find_progress {{ padding: 0.5rem 0.9rem; gap: 0.35rem; }}
.st-key-sites_second .stCheckbox {{ padding-bottom: 0.2rem; }}
.st-key-sites_more, .st-key-sites_more > div {{ gap: 0.55rem; }}
.st-key-sites_side {{ display: block; flex: none !important; height: {MAP_HEIGHT} !important;
  min-height: 0 !important; max-height: {MAP_HEIGHT} !important; overflow-y: auto !important; padding-right: 0.4rem; }}
.st-key-sites_side > div {{ margin-bottom: 0.4rem; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.35; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-sites_page [data-testid=stButtonGroup] button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-sites_page label p {{ font-size: 0.78rem; color: #52605f; }}
.st-key-sites_run button {{ min-height: 2.5rem; padding: 0 1.4rem; }}
.st-key-sites_side .facts {{ grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); }}
.card ul.decisions {{ margin: 0.2rem 0 0.3rem; padding-left: 1.05rem; }}
.card ul.decisions li {{ margin-bottom: 0.2rem; }}
@media (max-width: 640px) {{ .st-key-sites_side {{ height: auto !important; max-height: none !important; }} }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + STYLE)


def render_headline(study: StudyArea, ground: Ground, shown: Shown, _: Translator) -> None:
    """Say in one line what the chosen plan does and what is proven, or what is to be done."""
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if study.synthetic else ""
    words = " · ".join([study.name, name_stage_short(ground.stage, _), say_headline(study, ground, shown, _)])
    judged = build_judged_by(ground.today.rules, _)
    st.html(f'<div class="headline">{badge}{text(words, longest=600)}{judged}</div>')


def say_headline(study: StudyArea, ground: Ground, shown: Shown, _: Translator) -> str:
    """Return the finding as a sentence."""
    answer = shown.answer
    if answer is not None and shown.plan is not None:
        return say_plan(answer, shown.plan, _)
    if answer is not None:
        if any(conflict.rule == "time" for conflict in answer.conflicts):
            return _("No lawful plan was found in the time given.")
        return _("There is no lawful plan with these rules.")
    free = int((~ground.sites["excluded"]).sum())
    return _(
        "No proposal yet. Today there are {schools} schools; nothing known excludes {sites} sites for new ones.",
        schools=_.number(count_schools(study, ground.stage)),
        sites=_.number(free),
    )


def render_side(study: StudyArea, ground: Ground, shown: Shown, selected: Selected | None, _: Translator) -> None:
    """Draw the panel beside the map: the card of what is chosen, else the front with the plan and its proof."""
    with st.container(key="sites_side", gap="small"):
        card = "" if selected is None else _build_card(study, ground, shown, selected, _)
        if card:
            st.button(_("← Back to the plan"), key="sites_close", type="tertiary", on_click=clear_selected)
            st.html(card)
            return
        if shown.answer is None:
            st.html(f'<div class="card">{_build_start(ground, _)}</div>')
        elif shown.plan is None:
            st.html(f'<div class="card">{_build_conflicts(shown, _)}</div>')
        else:
            _render_front(shown, _)
            st.html(f'<div class="card">{_build_plan(study, shown, shown.plan, _)}</div>')


def _build_card(study: StudyArea, ground: Ground, shown: Shown, selected: Selected, _: Translator) -> str:
    build = build_unit_card if selected["kind"] == "unit" else build_point_card
    return build(study, ground, shown, selected["id"], _)


def _render_front(shown: Shown, _: Translator) -> None:
    """Draw cost against travel; a click on a point shows that plan."""
    answer = shown.answer
    if answer is None or shown.plan is None or len(answer.plans) < 2:
        return
    title = render_title(_("Cost against travel: click a plan"))
    st.html(f'<div class="card">{title}</div>')
    key = f"{CHART_KEY}_{shown.key[-12:]}"
    st.vega_lite_chart(
        build_front_chart(answer, shown.plan.plan_id, _),
        key=key,
        on_select=lambda: _follow_chart(key),
        selection_mode=SELECTED,
    )


def _follow_chart(key: str) -> None:
    state: Any = st.session_state.get(key) or {}
    points = state.get("selection", {}).get(SELECTED) or []
    if points and isinstance(points[0], dict) and points[0].get("plan"):
        show_plan(str(points[0]["plan"]))


def _build_start(ground: Ground, _: Translator) -> str:
    told = _(
        "“Propose plans” looks for the lawful layouts of the coming years: which schools close, merge, expand and"
        " open, when, and at what cost. Several good plans come back, each with its distance from the best possible."
    )
    facts = [
        (_("Sites known"), _.number(len(ground.sites))),
        (_("Excluded"), _.number(int(ground.sites["excluded"].sum()))),
    ]
    return f"<p>{text(told, longest=500)}</p>" + render_facts(facts) + render_quiet(_("The map shows today."))


def _build_conflicts(shown: Shown, _: Translator) -> str:
    assert shown.answer is not None
    head = render_title(_("What stands in the way"))
    blocks = "".join(build_conflict(conflict, _) for conflict in shown.answer.conflicts)
    return head + blocks + render_quiet(_("The map shows today."))


def build_conflict(conflict: Conflict, _: Translator) -> str:
    """Return what stands against any plan: the rule, where and by how much, and the cheapest cure."""
    parts = [f"<b>{text(name_conflict(conflict.rule, _))}</b><br>{text(_.say(conflict.message), longest=700)}"]
    if str(conflict.cure):
        cure = _("Cure: {cure}", cure=_.say(conflict.cure))
        parts.append(f'<div class="cure">{text(cure, longest=500)}</div>')
    return f'<div class="conflict">{"".join(parts)}</div>'


def _build_plan(study: StudyArea, shown: Shown, plan: SitingPlan, _: Translator) -> str:
    assert shown.answer is not None
    names = collect_site_names(study, shown.answer)
    title = " · ".join([name_plan(plan.plan_id, _), say_role(plan, _)])
    lines = [say_decision(row, names, _) for row in iterate_rows(plan.decisions)]
    kept, more = lines[:MOST_DECISIONS], len(lines) - MOST_DECISIONS
    items = "".join(f"<li>{text(line, longest=400)}</li>" for line in kept)
    told = f'<ul class="decisions">{items}</ul>' if kept else render_quiet(_("Nothing changes."))
    after = render_quiet(_("and {count} more in the table below", count=_.number(more))) if more > 0 else ""
    year = say_years(() if not shown.answer.options.years or shown.year is None else (shown.year,), _)
    sides = render_quiet(_("{year}: every child at today's school → this plan", year=year))
    parts = [
        render_title(title),
        sides,
        render_facts(list_facts(shown, plan, _)),
        told,
        after,
        build_proof(shown, plan, _),
    ]
    return "".join(parts)


def list_facts(shown: Shown, plan: SitingPlan, _: Translator) -> list[tuple[str, str]]:
    """Return the figures of the plan in its year beside those of today's schools."""
    assert shown.answer is not None
    sides = []
    for rows in (shown.answer.before, plan.periods):
        found = rows[rows["year"] == shown.year] if shown.year is not None else rows
        sides.append((found if len(found) else rows).iloc[-1])

    def both(name: str, digits: int = 0, unit: float = 1.0) -> str:
        return " → ".join(_.number(float(side[name]) / unit, digits=digits) for side in sides)

    built = float(plan.periods["building_cny"].sum(min_count=1))
    digits = 1 if MONEY_UNITS[_.language] > 1e5 else 0
    return [
        (_("Mean way (min)"), both("mean_travel_min", 1)),
        (_("Longest way (min)"), both("max_travel_min")),
        (_("Schools"), both("schools")),
        (_("Empty places"), both("empty_places")),
        (_("Without a place"), both("unplaced_pupils")),
        (_("Beyond the limit of their grade"), both("beyond_limit_pupils")),
        (_("Pupils moved"), _.number(float(sides[1]["moved_pupils"]))),
        (_("To run, a year (million yuan)"), both("running_cny", digits, MONEY_UNITS[_.language])),
        (_("To build (million yuan)"), _.number(built / MONEY_UNITS[_.language], digits=digits)),
    ]


def build_proof(shown: Shown, plan: SitingPlan, _: Translator) -> str:
    """Return the certificate as a box: value, what no plan can be better than, distance, method, search."""
    assert shown.answer is not None
    proof = plan.certificate
    told = tell_proof(shown.answer, plan, _)
    lines = [
        f'<p class="{"big" if number == 0 else ""}">{text(line, longest=400)}</p>' for number, line in enumerate(told)
    ]
    seconds = _("{value} s", value=_.number(proof.seconds, digits=1)) if math.isfinite(proof.seconds) else ""
    method = _("Method: {words}.", words=_.say(proof.method).rstrip(".。")) if str(proof.method) else ""
    small = " ".join(part for part in (method, name_stop(proof.stopped, _), seconds) if part)
    return f'<div class="proof">{"".join(lines)}<p class="small">{text(small, longest=600)}</p></div>'
