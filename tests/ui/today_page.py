"""A small page for tests: Today on a hand-made county whose names try to break out of the page.

``BUJU_TEST_UNITS`` makes it a larger county: a square of that many cells.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

import ui.reopen  # noqa: E402
import ui.state  # noqa: E402
from geodata.study import StudyArea  # noqa: E402
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_world  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>"
BRACES = "{{7*7}} $x$ **b** :smile:"


@st.cache_resource
def load_county() -> StudyArea:
    """Return the county; the same object for every visitor."""
    side = int(float(os.environ.get("BUJU_TEST_UNITS", "0")) ** 0.5)
    if side:
        rows = [[f"u{row}x{column}" for column in range(side)] for row in range(side)]
        rows[side // 2][side // 2] += "/M"
        return build_world("\n".join(" ".join(row) for row in rows), schools={"M": WorldSchool(places=90, roll=90)})
    study = build_five_villages(
        schools={
            "W": WorldSchool(places=100, classes=2, roll=40, name=HOSTILE, setting="rural", town="Westtown"),
            "E": WorldSchool(places=40, classes=1, roll=70, name=BRACES, setting="urban", town="Easttown"),
        },
        units={
            **{key: WorldUnit(setting="rural", town="Westtown", name=f"Village {key}") for key in "bc"},
            "a": WorldUnit(setting="rural", town=HOSTILE, name=BRACES),
            **{key: WorldUnit(setting="urban", town="Easttown", name=HOSTILE) for key in "de"},
        },
    )
    return dataclasses.replace(study, name=HOSTILE)


# The second name is bound when the first page of a process is imported, perhaps one with another county.
ui.state.require_study = ui.reopen.require_study = load_county
st.set_page_config(layout="wide")
ui.state.take_address()
page = st.navigation([st.Page(str(ROOT / "ui" / "pages" / "today.py"), title="Today", url_path="today", default=True)])
ui.state.render_language_switch()
page.run()
