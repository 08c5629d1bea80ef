"""The history of a scenario: versions with who, when and what; an earlier one can be restored; runs and audit trail."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from planning.action_words import describe_action
from reports.language import Translator
from store import AuditEntry, StoredVersion
from ui.cards import text
from ui.scenario_store import list_ancestors, open_app_store, read_text, read_who, say_trouble, say_when
from ui.scenario_view import View
from ui.scenario_work import CONFLICT_KEY, REFUSED_KEY, take_over
from ui.state import translator
from ui.text import clean, plain

MOST_VERSIONS = 50
MOST_RUNS = 20


def render_history(view: View, _: Translator) -> None:
    """Draw versions, runs and the audit trail."""
    stored = view.work.stored
    try:
        store = open_app_store()
        versions = store.list_versions(stored.scenario_id)
        runs = store.list_runs(stored.scenario_id)
        audit = store.list_audit(scenario_id=stored.scenario_id)
    except LayoutError as error:
        st.warning(plain(say_trouble(error, _), longest=500))
        return
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _say_title(_("Versions"))
        for version in versions[:MOST_VERSIONS]:
            _render_version(view, version, _)
        if len(versions) > MOST_VERSIONS:
            st.caption(_("and {count} earlier", count=_.number(len(versions) - MOST_VERSIONS)))
    with right:
        _say_title(_("Whole answers"))
        table = pd.DataFrame(
            {
                _("When"): [say_when(run.at, _) for run in runs[:MOST_RUNS]],
                _("Version"): [run.version for run in runs[:MOST_RUNS]],
                _("By"): [clean(run.who) for run in runs[:MOST_RUNS]],
                _("Plan"): [run.plan_fingerprint or _("none") for run in runs[:MOST_RUNS]],
            }
        )
        if table.empty:
            st.caption(_("None yet."))
        else:
            st.dataframe(table, hide_index=True)
        _say_title(_("Who changed what"))
        st.dataframe(build_audit_table(audit, _), hide_index=True, height=260 if len(audit) > 6 else "auto")


def _say_title(words: str) -> None:
    st.markdown(f"**{plain(words)}**")


def build_audit_table(audit: tuple[AuditEntry, ...], _: Translator) -> pd.DataFrame:
    """Return the audit trail as a reader sees it, the latest first."""
    return pd.DataFrame(
        {
            _("When"): [say_when(entry.at, _) for entry in audit],
            _("Who"): [clean(entry.who) for entry in audit],
            _("What"): [name_event(entry.what, _) for entry in audit],
            _("Version"): pd.array([entry.version for entry in audit], dtype="Int64"),
            _("Scenario"): [clean(entry.subject) for entry in audit],
        }
    )


def name_event(what: str, _: Translator) -> str:
    """Return what an entry of the audit trail tells of."""
    names = {
        "study_registered": _("County made known"),
        "study_changed": _("County's data changed"),
        "scenario_created": _("Created"),
        "scenario_copied": _("Copied"),
        "scenario_saved": _("Changed"),
        "scenario_renamed": _("Renamed"),
        "scenario_deleted": _("Deleted"),
        "scenario_undeleted": _("Brought back"),
        "scenario_restored": _("Earlier version restored"),
        "ruleset_saved": _("Rulebook saved"),
        "run_saved": _("Whole answer kept"),
    }
    return names.get(what, what)


def _render_version(view: View, version: StoredVersion, _: Translator) -> None:
    current = version.version == view.work.stored.version
    with st.container(horizontal=True, vertical_alignment="center", key=f"scenario_version_{version.version}"):
        who = f" · {version.who}" if version.who else ""
        words = version.note or _("Saved")
        head = f"{version.version} · {say_when(version.at, _)}{who}"
        st.html(
            f'<div class="version"><b>{text(words, longest=300)}</b><span>{text(head, longest=120)}</span></div>',
            width="stretch",
        )
        with st.popover(_("Look"), key=f"scenario_look_{version.version}"):
            st.html(_build_content(view, version, _))
        if current:
            st.caption(_("now"))
        else:
            st.button(
                _("Restore"),
                key=f"scenario_restore_{version.version}",
                on_click=restore_version,
                args=(version.scenario_id, version.version, view.work.stored.version),
            )


def _build_content(view: View, version: StoredVersion, _: Translator) -> str:
    """Return the steps of a version."""
    try:
        scenario = read_text(version.text, version.name, list_ancestors(version.parent_id))
    except LayoutError as error:
        return f"<p>{text(say_trouble(error, _), longest=300)}</p>"
    steps = [_.say(describe_action(action, view.names)) for action in scenario.actions]
    items = "".join(f"<li>{text(step, longest=300)}</li>" for step in steps)
    none = _("No steps.")
    return f"<b>{text(version.name)}</b><ol>{items}</ol>" if steps else f"<p>{text(none)}</p>"


def restore_version(scenario_id: str, version: int, expected: int) -> None:
    """Make an earlier version the present one, as a new version; for callbacks."""
    try:
        saved = open_app_store().restore_version(scenario_id, version, read_who(), expected)
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, translator())
        return
    st.session_state[CONFLICT_KEY] = None
    take_over(saved)
