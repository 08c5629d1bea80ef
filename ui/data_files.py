"""The places for all files of a study: the three that make one, and what may be added."""

from __future__ import annotations

import streamlit as st

from reports.language import Translator
from ui.columns import GROUND_ROLES, PLANNING_ROLES
from ui.template_button import render_template_button
from ui.upload_form import Upload, render_roads, render_upload

MAIN_ROLES = ("schools", "roads", "population")
MORE_ROLES = ("zones", "units", "barriers")
PEOPLE_ROLES = ("gazetteer", "buildings", "town_totals", "age_totals")
NEW_SITE_ROLES = ("sites", *GROUND_ROLES)
Boxes = dict[str, Upload | None]


def render_files(_: Translator) -> dict[str, Upload]:
    """Draw the places for files; return what was detected in each that is there."""
    st.caption(
        _("Three files make a study. They stay on this machine; numbers of pupils are needed, never their names.")
    )
    uploads: Boxes = {}
    for column, role in zip(st.columns(3), MAIN_ROLES, strict=True):
        with column:
            uploads[role] = render_roads(_) if role == "roads" else render_upload(_, role)
    with st.expander(_("For the population: names with places, buildings, totals")):
        _render_boxes(_, uploads, PEOPLE_ROLES, across=2)
    with st.expander(_("More files: catchments today, planning units, rivers and railways")):
        _render_boxes(_, uploads, MORE_ROLES)
    with st.expander(_("For new schools: candidate sites, open land, what keeps schools away")):
        st.caption(
            _(
                "Railways, expressways, main roads and water are known from an OpenStreetMap road file; where a layer "
                "holds one of these kinds, the layer counts."
            )
        )
        _render_boxes(_, uploads, NEW_SITE_ROLES)
    with st.expander(_("For forecasts and inspections")):
        _render_planning_files(_, uploads)
    return {role: upload for role, upload in uploads.items() if upload is not None}


def _render_boxes(_: Translator, uploads: Boxes, roles: tuple[str, ...], *, across: int = 3) -> None:
    for start in range(0, len(roles), across):
        for column, role in zip(st.columns(across), roles[start : start + across], strict=False):
            with column:
                uploads[role] = render_upload(_, role)


def _render_planning_files(_: Translator, uploads: Boxes) -> None:
    """Draw the places for what forecasts and inspections need; all of it is optional."""
    with st.container(horizontal=True, vertical_alignment="center", key="planning_head"):
        st.caption(
            _(
                "All optional; a forecast or an inspection says what it lacks. The template workbook has a sheet for "
                "each: send it filled in once, here or as the file of schools, and every sheet is taken."
            ),
            width="stretch",
        )
        render_template_button(_, key="data_template")
    _render_boxes(_, uploads, PLANNING_ROLES)
