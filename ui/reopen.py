"""Opens the study that the address names; one that is known but not built yet is built first, with its progress."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from ui.build_job import build_in_worker
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.pupils_view import show_viewed
from ui.state import close_study, read_open_reference, render_no_study, require_study, translator
from ui.studies import forget_missing_studies, read_class_sizes, read_reference
from ui.text import plain

SLOT = "reopen"


def open_or_build(*, projected: bool = True) -> StudyArea | None:
    """Return the open study; None while it is being built, or where there is none (then the page says so).

    With the pupils of the year that the visitor chose (``ui.pupils_view``), and the choice drawn; ``projected`` False:
    with today's, and without the choice.
    """
    study = require_study()
    if study is not None:
        return show_viewed(study) if projected else study
    _ = translator()
    state = render_job(SLOT, _("Building the county"))
    if state is None:
        if read_job(SLOT) is None:
            if _start():
                st.rerun()
            render_no_study()
        return None
    clear_job(SLOT)
    forget_missing_studies()
    if state.status == "done":
        st.rerun()
    close_study()
    if state.problem is not None:
        st.error(plain(_.say(state.problem), longest=500))
    render_no_study()
    return None


def _start() -> bool:
    """Start building the study that is asked for; False where there is no such study."""
    reference = read_open_reference()
    if reference is None:
        return False
    try:
        spec = read_reference(reference)
    except (LookupError, LayoutError):
        return False
    start_job(SLOT, reference, build_in_worker, spec=spec, class_sizes=read_class_sizes())
    return True
