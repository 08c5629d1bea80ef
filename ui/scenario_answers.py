"""The whole answer of the open scenario: closures one by one, schools and indicators, and the record of the run."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from planning.flag_case import iterate_rows
from planning.run import Outcome
from reports.language import Translator
from reports.legend import name_stage_short
from ui.closure_answer import render_closure_answer
from ui.pupils_view import read_viewed_of
from ui.scenario_outcomes import ask_scenario, find_failure, find_outcome, start_later
from ui.scenario_store import open_app_store, read_who, say_trouble
from ui.scenario_view import View
from ui.text import clean, plain

SLOT = "scenario_run"
LOOK_EVERY_S, PAUSE_S = 0.5, 0.8
SAVED_KEY = "scenario_runs_saved"


def ask_whole(view: View, _: Translator) -> Outcome | None:
    """Return a heavy answer, or None while it is worked out; its progress is drawn here."""
    outcome = ask_scenario(view.study, view.scenario, view.rulebook, slot=SLOT, _=_)
    if outcome is not None:
        st.rerun()
    return outcome


def await_whole(view: View, _: Translator) -> None:
    """Have a light answer worked out beside the page, once the reader has paused; then draw the page again."""
    failure = find_failure(view.study, view.scenario, view.rulebook)
    if failure is not None:
        st.warning(plain(say_trouble(failure, _), longest=500))
        return
    st.caption(_("The whole answer is being worked out …"))
    began = time.monotonic()

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if find_outcome(view.study, view.scenario, view.rulebook) is not None or _has_failed(view):
            st.rerun(scope="app")
        if time.monotonic() - began >= PAUSE_S:
            start_later(view.study, view.scenario, view.rulebook)

    look()


def _has_failed(view: View) -> bool:
    return find_failure(view.study, view.scenario, view.rulebook) is not None


def save_run(view: View, outcome: Outcome) -> None:
    """Keep the answer of this version in the store, once; not that with the pupils of a year chosen for all pages."""
    if read_viewed_of(view.study) is not None:
        return  # an answer for other pupils, chosen for a look: not what this version of the scenario asks
    stored, fingerprint = view.work.stored, outcome.record.plan_fingerprint
    mark = f"{stored.scenario_id}:{stored.version}:{fingerprint}"
    done = st.session_state.setdefault(SAVED_KEY, [])
    if mark in done:
        return
    try:
        store = open_app_store()
        known = {(run.version, run.plan_fingerprint) for run in store.list_runs(stored.scenario_id)}
        if (stored.version, fingerprint) not in known:
            store.save_run(
                stored.scenario_id,
                stored.version,
                outcome.record.as_dict(),
                read_indicators(outcome),
                fingerprint,
                read_who(),
            )
    except LayoutError:
        return  # the answer is shown all the same; the next run tries again
    done.append(mark)


def read_indicators(outcome: Outcome) -> dict[str, float | None]:
    """Return the indicators of the county by ``stage.indicator``; an unknown number is None."""
    table = outcome.indicators
    rows = table[(table["area_kind"] == "county") & (table["area"] == "")]
    return {
        f"{row.stage}.{row.indicator}": float(row.value) if math.isfinite(float(row.value)) else None
        for row in iterate_rows(rows)
    }


def render_answers(view: View, outcome: Outcome, _: Translator) -> None:
    """Draw the answer of every closure; what stands against a plan comes first."""
    for conflict in outcome.conflicts[:6]:
        st.warning(plain(_.say(conflict), longest=500))
    shown = [answer for answer in outcome.closures if answer.stage in ("", view.stage)]
    others = [answer for answer in outcome.closures if answer not in shown]
    if not outcome.closures:
        st.caption(_("No step closes, merges or shortens a school, so there is nothing to answer here."))
        return
    for place, answer in enumerate([*shown, *others]):
        title = f"{answer.number} · {clean(answer.name, longest=60)} · {name_stage_short(answer.stage, _)}"
        with st.expander(title, expanded=place == 0):
            render_closure_answer(answer, _, rules=outcome.rules, key=f"scenario_answer_{place}")


def render_schools(view: View, outcome: Outcome, _: Translator) -> None:
    """Draw the schools of the stage before and after."""
    before = outcome.before or outcome
    sides = [
        item.school_table[item.school_table["stage"] == view.stage].drop_duplicates("school_id").set_index("school_id")
        for item in (before, outcome)
    ]
    known = sides[0].index.union(sides[1].index)
    names = sides[1]["name"].reindex(known).fillna(sides[0]["name"].reindex(known))

    def column(side: int, name: str, digits: int = 0) -> pd.Series:
        return sides[side][name].reindex(known).astype(float).round(digits)

    table = pd.DataFrame(
        {
            _("School"): [clean(name) for name in names.astype(str)],
            _("Pupils before"): column(0, "modelled_pupils"),
            _("Pupils after"): column(1, "modelled_pupils"),
            _("Places before"): column(0, "capacity_places"),
            _("Places after"): column(1, "capacity_places"),
            _("Enrolled before"): column(0, "actual_pupils"),
            _("Enrolled after"): column(1, "actual_pupils"),
            _("Mean way before (min)"): column(0, "mean_travel_min", 1),
            _("Mean way after (min)"): column(1, "mean_travel_min", 1),
        }
    )
    change = (table[_("Pupils after")].fillna(0) - table[_("Pupils before")].fillna(0)).abs()
    order = change.sort_values(ascending=False, kind="stable").index
    rolls = _("the forecast's rolls") if view.study.view else _("today's rolls")
    st.caption(
        _(
            "By the model; enrolled: {rolls}, moved as the model moves the pupils of the same school, so a school"
            " with twice its modelled pupils on the roll hands on twice as many. What changes most comes first.",
            rolls=rolls,
        )
    )
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.columns[1:]}
    st.dataframe(table.loc[order], hide_index=True, height=380, column_config=numbers, placeholder="–")


def render_record(view: View, outcome: Outcome, _: Translator) -> None:
    """Draw how the answer came about, so that it can be found again elsewhere."""
    record = outcome.record.as_dict()
    quick = view.quick
    lines = {
        _("Fingerprint of the plan"): record.get("plan_fingerprint") or _("none: no lawful plan"),
        _("Fingerprint of the county's data"): record["study_fingerprint"],
        _("Rulebook"): f"{record['rulebook']} {record['rulebook_version']}",
        _("Version of the results"): record["results_version"],
        _("Quick numbers took"): _("{value} ms", value=_.number(quick.seconds * 1000)),
    }
    rows = "".join(
        f"<tr><td>{_escape(name)}</td><td><code>{_escape(str(value))}</code></td></tr>" for name, value in lines.items()
    )
    st.html(f'<table class="record" data-plan="{_escape(str(record.get("plan_fingerprint", "")))}">{rows}</table>')
    st.caption(
        _("The same scenario file gives the same fingerprint in the terminal: cli.py run STUDY --scenario FILE.")
    )
    st.download_button(
        _("Download the record"),
        json.dumps(record, ensure_ascii=False, indent=1, default=str),
        file_name="record.json",
        mime="application/json",
        key="scenario_record",
        on_click="ignore",
    )


def _escape(value: Any) -> str:
    from ui.cards import text

    return text(value, longest=300)
