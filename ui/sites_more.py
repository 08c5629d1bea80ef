"""The further choices of the Sites page: the model by name, rules, weights and costs, and the effort of the search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

import streamlit as st

from geodata.study import StudyArea
from planning.siting_options import SitingCosts, SitingModel, SitingSearch, SitingWeights
from reports.language import Translator
from reports.siting_words import name_model, say_model
from ui.sites_fields import enter_money, enter_number, enter_optional, enter_sum, tick
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

SECONDS = 60.0
MODELS: tuple[SitingModel, ...] = get_args(SitingModel)
COUNTED = ("p_median", "p_center", "maximal_covering", "capacitated")
COVERED = ("set_covering", "maximal_covering")


@dataclass(frozen=True)
class More:
    """What the further choices say. ``rules``: fields of ``SitingRules``."""

    model: SitingModel = "plan"
    count: int | None = None
    cover_min: float | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    weights: SitingWeights = field(default_factory=SitingWeights)
    costs: SitingCosts = field(default_factory=SitingCosts)
    search: SitingSearch = field(default_factory=SitingSearch)


def render_more(study: StudyArea, stage: str, _: Translator) -> More:
    """Draw the further choices and return them; they hold while they are closed."""
    model, count, cover = _render_model(study, stage, _)
    rules = _render_rules(study, stage, _)
    with st.expander(_("Weights and costs"), key="sites_weights"):
        st.caption(
            _(
                "These figures are conventions of this program, not facts: replace them by those of the county. The"
                " proposal minimises their sum over the years of the plan."
            )
        )
        weights, costs = _render_weights(_), _render_costs(_)
    return More(model, count, cover, rules, weights, costs, _render_search(_))


def _render_model(study: StudyArea, stage: str, _: Translator) -> tuple[SitingModel, int | None, float | None]:
    key = "sites_model"
    put_back(key, "plan", MODELS)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        model = st.selectbox(
            _("Which model"),
            MODELS,
            format_func=lambda name: name_model(name, _),
            key=key,
            width=310,
            help=_("The plan decides over the years. The others are the models of the textbooks, for one moment."),
        )
        keep_value(key, model)
        count = cover = None
        if model in COUNTED:
            schools = int(study.places.loc[study.places["stage"] == stage, "school_id"].nunique())
            name = f"sites_count_{study.fingerprint[:10]}_{stage}"
            count = int(enter_number(name, _("Schools at the end"), float(max(1, schools)), (1.0, 5000.0, 1.0)))
        if model in COVERED:
            cover = enter_number("sites_cover", _("Within so many minutes"), 30.0, (1.0, 240.0, 5.0))
    st.caption(plain(say_model(model, _), longest=300))
    return model, count, cover


def _render_rules(study: StudyArea, stage: str, _: Translator) -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        least = enter_optional(
            "sites_min_pupils", _("Pupils of a school, at least"), (0.0, 5000.0, 10.0), _("any number"), width=190
        )
        largest = enter_optional(
            "sites_max_classes", _("Classes of a school, at most"), (1.0, 120.0, 6.0), _("the rules'"), width=190
        )
        low = enter_optional(
            "sites_low_cap", _("Longest way of grades 1 to 3 (min)"), (1.0, 240.0, 5.0), _("the rules'"), width=230
        )
        fill = enter_number("sites_fill", _("Use of the places, at most (%)"), 100.0, (50.0, 100.0, 5.0), width=200)
        total = enter_money("sites_total", _("Budget in all (million yuan)"), _("no limit"), _)
    before = tick(
        "sites_build_first",
        _("Build before closing: a school closes only after new places near it stand"),
        default=True,
    )
    return {
        "min_pupils": least,
        "max_classes": None if largest is None else int(largest),
        "max_travel_low_min": low,
        "fill_share": fill / 100.0,
        "total_budget_cny": total,
        "build_before_closing": before,
        "protected": _choose_protected(study, stage, _),
    }


def _choose_protected(study: StudyArea, stage: str, _: Translator) -> tuple[str, ...]:
    taught = set(study.places.loc[study.places["stage"] == stage, "school_id"].astype(str))
    ids = study.schools["school_id"].astype(str)
    names = {
        key: clean(name, longest=60)
        for key, name in zip(ids, study.schools["name"].fillna("").astype(str), strict=True)
        if key in taught
    }
    key = f"sites_protected_{study.fingerprint[:10]}_{stage}"
    put_back(key, [], list(names))
    chosen = st.multiselect(
        _("Schools that stay open"),
        list(names),
        format_func=lambda item: names.get(item) or item,
        key=key,
        placeholder=_("none"),
        select_all=False,
    )
    keep_value(key, chosen)
    return tuple(chosen)


def _render_weights(_: Translator) -> SitingWeights:
    plain_weights = SitingWeights()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        return SitingWeights(
            travel_cny_per_pupil_hour=enter_sum(
                "sites_w_travel",
                _("An hour of a pupil on the way (yuan)"),
                plain_weights.travel_cny_per_pupil_hour,
            ),
            trips_per_year=enter_sum("sites_w_trips", _("Ways to school a year"), plain_weights.trips_per_year),
            moved_cny_per_pupil=enter_sum(
                "sites_w_moved", _("A pupil who changes school (yuan)"), plain_weights.moved_cny_per_pupil
            ),
            empty_cny_per_place_year=enter_sum(
                "sites_w_empty", _("An empty place, a year (yuan)"), plain_weights.empty_cny_per_place_year
            ),
        )


def _render_costs(_: Translator) -> SitingCosts:
    known = SitingCosts()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        return SitingCosts(
            building_cny_per_place=enter_sum(
                "sites_c_build", _("A place of a new school (yuan)"), known.building_cny_per_place
            ),
            expanding_cny_per_place=enter_sum(
                "sites_c_expand", _("A place of an extension (yuan)"), known.expanding_cny_per_place
            ),
            closing_cny=enter_sum("sites_c_close", _("A closure, once (yuan)"), known.closing_cny),
            running_cny_per_school_year=enter_sum(
                "sites_c_school", _("A school, a year (yuan)"), known.running_cny_per_school_year
            ),
            running_cny_per_class_year=enter_sum(
                "sites_c_class", _("A class, a year (yuan)"), known.running_cny_per_class_year
            ),
            building_years=enter_number(
                "sites_c_years", _("Years of a building"), known.building_years, (1.0, 200.0, 5.0), width=250
            ),
        )


def _render_search(_: Translator) -> SitingSearch:
    known = SitingSearch()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        seconds = enter_number(
            "sites_seconds",
            _("Time limit (seconds)"),
            SECONDS,
            (5.0, 3600.0, 30.0),
            tip=_("The best plans found by then are shown, with what is proven about them."),
            width=160,
        )
        gap = enter_number("sites_gap", _("Good enough within (%)"), known.gap_share * 100, (0.0, 20.0, 0.1), width=180)
        front = enter_number(
            "sites_front",
            _("Plans from cheap to near"),
            float(known.front_plans),
            (1.0, 15.0, 1.0),
            tip=_("Plans on the front of cost against travel, the two ends included."),
            width=180,
        )
        others = enter_number(
            "sites_others", _("Other plans near the best"), float(known.alternatives), (0.0, 10.0, 1.0), width=190
        )
        within = enter_number("sites_within", _("… within (%)"), known.within_share * 100, (0.0, 50.0, 0.5), width=130)
        seed = enter_number("sites_seed", _("Seed"), float(known.seed), (0.0, 1e6, 1.0), width=110)
    return SitingSearch(
        time_limit_s=seconds,
        gap_share=gap / 100.0,
        front_plans=int(front),
        alternatives=int(others),
        within_share=within / 100.0,
        seed=int(seed),
    )
