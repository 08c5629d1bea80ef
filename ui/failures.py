"""The one error boundary: what went wrong in the reader's words, never a traceback or a path."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from geodata.disk import is_disk_full, tell_disk_full
from geodata.errors import DataError, InfeasibleError, LayoutError, tell_error
from reports.issue_words import say_place
from ui.state import translator
from ui.text import plain

log = logging.getLogger("buju.ui")
MOST_SHOWN = 20


def show_failure(error: Exception) -> bool:
    """Show an error that no page has dealt with; True tells Streamlit not to show its own traceback."""
    _ = translator()
    if isinstance(error, DataError):
        st.error(_("The data cannot be used as they are:"))
        for issue in error.issues[:MOST_SHOWN]:
            words = [say_place(issue, _), _.say(issue.problem), _.say(issue.cure) if issue.cure else ""]
            st.markdown("- " + " · ".join(plain(word, longest=500) for word in words if word))
        if len(error.issues) > MOST_SHOWN:
            st.caption(_("and {count} more", count=len(error.issues) - MOST_SHOWN))
    elif isinstance(error, InfeasibleError):
        st.error(_("There is no lawful plan:"))
        for conflict in error.conflicts[:MOST_SHOWN]:
            st.markdown("- " + plain(_.say(conflict), longest=500))
    elif is_disk_full(error):
        st.error(plain(_.say(tell_disk_full()), longest=500))
    elif isinstance(error, LayoutError):
        st.error(plain(_.say(tell_error(error)), longest=500))
    else:
        mark = secrets.token_hex(3)
        log.error("unexpected error %s", mark, exc_info=error)
        st.error(
            _("Something went wrong here. Your data are unharmed; the log has the details under {mark}.", mark=mark)
        )
    return True
