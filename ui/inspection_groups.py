"""Education groups on the Inspection page: what each has together, who is in one, and who could help whom."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from geodata.study import MODES, StudyArea
from planning.balance_tables import NO, YES
from planning.groups import build_group_indicators, build_groups, compute_coverage, propose_pairs
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_mode_short, name_stage_short
from ui.cards import render_title, text
from ui.inspection_choices import Inspected
from ui.inspection_panels import list_records, name_balance_indicator, name_met, say_cv
from ui.text import clean
from ui.zoning_keep import keep_value, put_back

MODE_KEY, LONGEST_KEY = "inspection_pair_mode", "inspection_pair_min"
DEFAULT_LONGEST_MIN = 30


def name_group_kind(kind: str, _: Translator) -> str:
    """Return the kind of a group."""
    return {"group": _("Education group"), "alliance": _("Alliance"), "district": _("School district")}.get(kind, kind)


def render_groups(study: StudyArea, inspected: Inspected, _: Translator) -> None:
    """Draw coverage, the groups with their balance and exchange, and proposed pairs."""
    groups = build_groups(study, inspected.rules, inspected.balance)
    coverage = compute_coverage(study, inspected.balance)
    if groups.empty:
        st.text(
            _(
                "No groups are known. Load a table of groups on the page Data, or fill in the column of groups of the"
                " schools."
            )
        )
    else:
        st.caption(_say_coverage(coverage, _))
        st.dataframe(build_group_table(groups, _), hide_index=True, column_config=_build_columns(_))
        _render_group_indicators(study, inspected, _)
    st.html(render_title(_("Pairs of strong and weak schools nearby")))
    _render_pairs(study, inspected, _)


def _say_coverage(coverage: pd.DataFrame, _: Translator) -> str:
    rows = coverage[coverage["stage"] == ""]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return _(
        "{grouped} of {all} schools of compulsory stages are in a group ({share}), with {pupils} of the pupils.",
        grouped=_.number(row["grouped_schools"]),
        all=_.number(row["schools"]),
        share=_.percent(row["school_share"]),
        pupils=_.percent(row["pupil_share"]),
    )


def build_group_table(groups: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the groups with headings in the reader's language."""
    return pd.DataFrame(
        {
            _("Group"): groups["name"].map(lambda name: clean(name, longest=60)),
            _("Kind"): groups["kind"].map(lambda kind: name_group_kind(str(kind), _)),
            _("Schools"): groups["schools"],
            _("Pupils"): groups["pupils"].astype(float),
            _("Stages that pass"): groups["passed"],
            _("fail"): groups["failed"],
            _("unknown"): groups["unknown"],
            _("Teachers exchanged"): groups["exchanged_teachers"].astype(float),
            _("of those due"): groups["eligible_teachers"].astype(float),
            _("Share (%)"): (groups["exchange_share"].astype(float) * 100).round(1),
            _("Limit (%)"): (groups["exchange_limit"].astype(float) * 100).round(1),
            _("Verdict"): groups["exchange_met"].map(lambda met: name_met(str(met), _)),
        }
    )


def _build_columns(_: Translator) -> dict[str, Any]:
    whole = st.column_config.NumberColumn(format="localized")
    return {_(name): whole for name in ("Pupils",)} | {_("Teachers exchanged"): whole, _("of those due"): whole}


def _render_group_indicators(study: StudyArea, inspected: Inspected, _: Translator) -> None:
    """Draw each group's indicators with all its schools together, and the spread within it."""
    rows = build_group_indicators(study, inspected.rules, inspected.balance)
    rows = rows[rows["stage"] == inspected.choice.stage]
    if rows.empty:
        return
    names = list(dict.fromkeys(rows["indicator"]))
    heads = "".join(f"<th class=number>{text(name_balance_indicator(name, _, short=True))}</th>" for name in names)
    body = []
    for group, part in rows.groupby("group_id", sort=False):
        cells = part.set_index("indicator").reindex(names)
        line = "".join(_build_cell(row, _) for row in list_records(cells))
        body.append(f"<tr><td>{text(part['name'].iloc[0] or group)}</td>{line}</tr>")
    title = render_title(_("All schools of a group together, and the spread within it"))
    first = text(_("Group"))
    head = f"<thead><tr><th>{first}</th>{heads}</tr></thead>"
    st.html(f'{title}<table class="buju-table">{head}<tbody>{"".join(body)}</tbody></table>')


def _build_cell(row: dict[str, Any], _: Translator) -> str:
    value, cv = float(row["value"]), float(row["cv"])
    if math.isnan(value):
        return f'<td class="number unknown">{MISSING_NUMBER}</td>'
    words = _("spread {cv}", cv=say_cv(cv))
    spread = "" if math.isnan(cv) else f"<br><small>{text(words)}</small>"
    css = row["met"] if row["met"] in (YES, NO) else ""
    return f'<td class="number {css}">{text(_.number(value, digits=2))}{spread}</td>'


def _render_pairs(study: StudyArea, inspected: Inspected, _: Translator) -> None:
    modes = [mode for mode in MODES if mode in study.travel]
    if not modes or inspected.balance.kind != "quality":
        st.text(_("Pairs are proposed from the seven indicators of the inspection of 2017, and need travel times."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="inspection_pairs"):
        put_back(MODE_KEY, "drive" if "drive" in modes else modes[0], modes)
        mode = st.selectbox(
            _("On the way"), modes, format_func=lambda name: name_mode_short(name, _), key=MODE_KEY, width=160
        )
        put_back(LONGEST_KEY, DEFAULT_LONGEST_MIN)
        longest = st.number_input(_("At most, minutes"), 5, 120, step=5, key=LONGEST_KEY, width=150)
    for key, value in ((MODE_KEY, mode), (LONGEST_KEY, longest)):
        keep_value(key, value)
    pairs = propose_pairs(study, inspected.balance, mode=mode, max_min=float(longest))
    pairs = pairs[pairs["stage"] == inspected.choice.stage]
    if pairs.empty:
        st.text(_("No weak school has a strong one within this time, or too little is known of their assets."))
        return
    st.caption(
        _(
            "For every school that fails, the strong school nearby that would help most if both were counted together."
            " A proposal to look at, not a decision."
        )
    )
    st.dataframe(build_pair_table(pairs, _), hide_index=True)


def build_pair_table(pairs: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return proposed pairs with headings in the reader's language."""

    def list_names(names: str) -> str:
        return _.join(name_balance_indicator(name, _, short=True) for name in str(names).split(";") if name)

    return pd.DataFrame(
        {
            _("Weak school"): pairs["weak_name"].map(lambda name: clean(name, longest=60)),
            _("Strong school"): pairs["strong_name"].map(lambda name: clean(name, longest=60)),
            _("Stage"): pairs["stage"].map(lambda stage: name_stage_short(str(stage), _)),
            _("Minutes apart"): pairs["time_min"].astype(float).round(1),
            _("Reached, weak"): pairs["weak_met"],
            _("Reached, strong"): pairs["strong_met"],
            _("Reached together"): pairs["joint_met"],
            _("What the weak school misses and both together reach"): pairs["lifted"].map(list_names),
            _("What both still miss"): pairs["joint_short"].map(list_names),
            _("Same group"): pairs["same_group"].map(lambda same: _("yes") if same else _("no")),
        }
    )
