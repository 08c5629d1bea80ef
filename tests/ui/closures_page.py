"""A small page for tests: Closures on a street of five villages whose names try to break out of the page."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

import ui.reopen  # noqa: E402
import ui.state  # noqa: E402
from geodata.study import StudyArea  # noqa: E402
from tests.worlds import WorldSchool, WorldUnit, build_world  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>"
BRACES = "{{7*7}} $x$ **b**"


@st.cache_resource
def load_county() -> StudyArea:
    """Return the county; the same object for every visitor. Its reference is not known: nothing can be built anew."""
    study = build_world(
        "a/A b + c/C d + f g/G",
        pupils={"a": 30, "b": 20, "c": 10, "d": 10, "f": 10, "g": 40},
        schools={
            "A": WorldSchool(places=60, classes=2, roll=50, name=BRACES, town="West"),
            "C": WorldSchool(places=25, classes=1, roll=20, name=HOSTILE, town="Middle"),
            "G": WorldSchool(places=None, roll=50, town="East"),
        },
        units={"g": WorldUnit(name=HOSTILE)},
    )
    return dataclasses.replace(study, name=HOSTILE)


# The second name is bound when the first page of a process is imported, perhaps one with another county.
ui.state.require_study = ui.reopen.require_study = load_county
st.set_page_config(layout="wide")
ui.state.take_address()
page = st.navigation(
    [st.Page(str(ROOT / "ui" / "pages" / "closures.py"), title="Closures", url_path="closures", default=True)]
)
ui.state.render_language_switch()
page.run()
