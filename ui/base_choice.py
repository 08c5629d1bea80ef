"""The choice between today and a stored scenario, which several pages begin with."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from planning.scenario import Scenario
from reports.language import Translator
from store import StoreError
from ui.scenario_store import find_stored, list_stored, read_open_id, read_stored, say_trouble
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

TODAY = ""
"""The choice that is no scenario."""


def choose_base(
    study: StudyArea, label: str, key: str, _: Translator, *, width: int, today: str = "", tip: str | None = None
) -> tuple[str, dict[str, str]]:
    """Draw the list of today and the stored scenarios; return the id chosen, and all names by id.

    A scenario that was opened since the last run is chosen. ``today``: what today is called.
    """
    names = {TODAY: today or _("Today")}
    try:
        names |= {stored.scenario_id: clean(stored.name, longest=60) for stored in list_stored(study)}
    except StoreError as error:
        st.caption(plain(say_trouble(error, _), longest=300))
    opened = read_open_id()
    if opened in names and st.session_state.get(f"{key}_seen") != opened:
        st.session_state[key] = opened
    st.session_state[f"{key}_seen"] = opened
    put_back(key, TODAY, list(names))
    chosen = st.selectbox(label, list(names), format_func=lambda item: names[item], key=key, width=width, help=tip)
    keep_value(key, chosen)
    return chosen or TODAY, names


def read_base(scenario_id: str, _: Translator) -> Scenario | None:
    """Return a stored scenario; None where it is gone or cannot be read, which is told."""
    stored = find_stored(scenario_id)
    if stored is None or stored.deleted:
        st.warning(plain(_("This scenario is not there any more. Choose another one.")))
        return None
    try:
        return read_stored(stored)
    except LayoutError as error:
        st.warning(plain(_("This scenario cannot be read: {reason}", reason=say_trouble(error, _)), longest=500))
        return None
