"""The workbook that planners fill in, as a download."""

from __future__ import annotations

from io import BytesIO

import streamlit as st

from reports.language import Translator
from ui.file_buttons import WORKBOOK_MIME


def render_template_button(_: Translator, *, key: str) -> None:
    """Draw the button that downloads the template; the workbook is made when it is pressed."""
    st.download_button(
        _("Download the template workbook"),
        data=_build_template,
        file_name="buju-template.xlsx",
        mime=WORKBOOK_MIME,
        key=key,
        type="tertiary",
    )


def _build_template() -> bytes:
    from geodata.template import write_template

    stream = BytesIO()
    write_template(stream)
    return stream.getvalue()
