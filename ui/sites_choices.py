"""The questions of the Sites page: stage, way, years, whose pupils, what may change, and the few rules that matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geodata.errors import LayoutError
from geodata.study import Mode, Stage, StudyArea
from planning.siting_options import SitingOptions, SitingRules
from reports.forecast_words import name_variant, say_school_year
from reports.language import Translator
from ui.pupils_view import list_view_years, read_forecast_options, read_viewed
from ui.rulebooks import choose_rulebook
from ui.sites_fields import enter_money, enter_optional
from ui.sites_more import More, render_more
from ui.today_choices import choose_one, choose_stage_and_mode, list_stages
from ui.zoning_keep import keep_value, put_back

TODAYS = "today"
"""The choice of pupils that is no variant of the forecast."""
VARIANTS = ("middle", "low", "high", TODAYS)
CHANGES = ("close", "expand", "open")
MOST_YEARS = 4
AHEAD = (2, 5)
"""The years of a plan, if nothing else is chosen: so many years after today's rolls."""


@dataclass(frozen=True)
class Question:
    """What is asked; ``options`` is None while something is missing, which ``problem`` tells.

    ``row`` is the row of the page that holds the buttons. ``opens``: whether new schools may be opened.
    """

    stage: Stage
    mode: Mode
    rulebook: str
    options: SitingOptions | None
    problem: str
    opens: bool
    row: DeltaGenerator


def render_question(study: StudyArea, _: Translator) -> Question | None:
    """Draw the choices; None where no school teaches anything."""
    if not list_stages(study):
        return None
    with st.container(key="sites_first", horizontal=True, vertical_alignment="bottom", gap="small"):
        stage, mode = choose_stage_and_mode(study, _)
        years, variant = _choose_years(study, _)
        changes = _choose_changes(_)
        rulebook = choose_rulebook(_)
    row = st.container(key="sites_second", horizontal=True, vertical_alignment="bottom", gap="small")
    with row:
        budget, most, cap = _render_limits(_)
        opened = _open_more(_)
    with st.container(border=True, key="sites_more" if opened else "sites_more_closed"):
        more = render_more(study, stage, _)
        if more.model != "plan" and len(years) > 1:
            st.caption(_("This model decides for one year: {year}.", year=say_school_year(max(years), _)))
    rules: dict[str, Any] = {
        "budgets_cny": () if budget is None else tuple((year, budget) for year in years),
        "max_changes": None if most is None else int(most),
        "max_travel_min": cap,
    }
    try:
        options = build_options(stage, mode, years, variant, changes, more, rules)
    except LayoutError as error:
        return Question(stage, mode, rulebook, None, str(error), "open" in changes, row)
    problem = "" if changes else _("Choose what may change.")
    return Question(stage, mode, rulebook, None if problem else options, problem, "open" in changes, row)


def build_options(
    stage: Stage,
    mode: Mode,
    years: Sequence[int],
    variant: str,
    changes: Sequence[str],
    more: More,
    rules: Mapping[str, Any],
) -> SitingOptions:
    """Return what is asked. ``rules``: fields of ``SitingRules`` of the first rows. Raises ``ScenarioError``."""
    moment = more.model != "plan"
    return SitingOptions(
        model=more.model,
        stage=stage,
        mode=mode,
        years=tuple(sorted(years))[-1:] if moment else tuple(sorted(years)),
        variant=cast(Any, variant) if years else "",
        forecast=read_forecast_options(),
        count=more.count,
        cover_min=more.cover_min,
        may_close=None if "close" in changes else (),
        may_expand=None if "expand" in changes else (),
        may_open=None if "open" in changes else (),
        weights=more.weights,
        costs=more.costs,
        rules=SitingRules(**{**more.rules, **rules}),
        search=more.search,
    )


def _choose_years(study: StudyArea, _: Translator) -> tuple[tuple[int, ...], str]:
    """Draw the years of the plan and whose pupils they have; returns years and variant (``""``: today's pupils)."""
    forecast = list_view_years(study)
    years = forecast or list_plain_years(study)
    viewed = read_viewed()
    seen = "" if viewed is None else viewed.word
    key = f"sites_years_{study.fingerprint[:10]}_{seen}"
    default = [viewed.year] if viewed is not None and viewed.year in years else pick_years(years)
    put_back(key, default, years)
    chosen = st.multiselect(
        _("Years of the plan"),
        years,
        format_func=lambda year: say_school_year(year, _),
        key=key,
        max_selections=MOST_YEARS,
        placeholder=_("the present alone"),
        help=_("A decision may be taken in each of these years. Each stands for the years until the next."),
        width=252,
    )
    keep_value(key, chosen)
    if not forecast or not chosen:
        return tuple(sorted(chosen)), ""
    names = {name: _("Today's") if name == TODAYS else name_variant(name, _) for name in VARIANTS}
    first = viewed.variant if viewed is not None and viewed.variant in VARIANTS else VARIANTS[0]
    order = [first, *(name for name in VARIANTS if name != first)]
    variant = choose_one(_("Pupils"), order, f"sites_variant_{seen}", names.__getitem__, 112)
    return tuple(sorted(chosen)), "" if variant == TODAYS else variant


def list_plain_years(study: StudyArea) -> list[int]:
    """Return the ten school years after the latest rolls, where no forecast knows any; empty without rolls."""
    known = study.rolls["year"].dropna()
    return [int(known.max()) + ahead for ahead in range(1, 11)] if len(known) else []


def pick_years(years: Sequence[int]) -> list[int]:
    """Return the years of a plan that are offered first."""
    return [years[ahead - 1] for ahead in AHEAD if ahead <= len(years)] or list(years[-1:])


def _choose_changes(_: Translator) -> tuple[str, ...]:
    names = {"close": _("Close and merge"), "expand": _("Expand"), "open": _("Open new schools")}
    key = "sites_changes"
    put_back(key, list(CHANGES), CHANGES)
    chosen = st.segmented_control(
        _("What may change"), CHANGES, selection_mode="multi", format_func=names.__getitem__, key=key
    )
    keep_value(key, chosen)
    return tuple(chosen)


def _render_limits(_: Translator) -> tuple[float | None, float | None, float | None]:
    """Draw budget, number of changes and travel cap; None each: not limited, or what the rulebook says."""
    budget = enter_money(
        "sites_budget",
        _("Budget a year (million yuan)"),
        _("no limit"),
        _,
        tip=_("For building, extending and closing in each year of the plan."),
    )
    most = enter_optional(
        "sites_most_changes",
        _("Changes a year, at most"),
        (0.0, 500.0, 1.0),
        _("no limit"),
        tip=_("Schools that close, expand or open in each year of the plan."),
        width=164,
    )
    cap = enter_optional(
        "sites_cap",
        _("Longest way (min)"),
        (1.0, 240.0, 5.0),
        _("the rules'"),
        tip=_("Empty: what the rulebook says."),
        width=142,
    )
    return budget, most, cap


def _open_more(_: Translator) -> bool:
    key = "sites_more_open"
    put_back(key, False)
    opened = st.toggle(_("More choices"), key=key)
    keep_value(key, opened)
    return bool(opened)


def count_schools(study: StudyArea, stage: str) -> int:
    """Return how many schools teach a stage."""
    return int(study.places.loc[study.places["stage"] == stage, "school_id"].nunique())
