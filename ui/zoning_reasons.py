"""Why an area goes where proposed zones send it: the answer laid on the drawing table, which knows the reasons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from geodata.study import StudyArea
from planning.conflicts import Conflict
from planning.drawing import DrawingTable, build_drawing_table, read_drawn
from planning.reasons import Reason, explain_unit
from reports.zone_answer import find_report
from ui.zoning_map import Compared

TABLES_IN_MEMORY = 2


@st.cache_resource(max_entries=TABLES_IN_MEMORY, show_spinner=False)
def _lay_out(
    fingerprint: str, key: str, _study: StudyArea, _compared: Compared
) -> tuple[DrawingTable, npt.NDArray[np.int64]] | None:
    outcome = _compared.outcome
    table = build_drawing_table(_study, outcome.rules, outcome.scenario, _compared.stage, drawn=outcome.zones)
    return None if isinstance(table, Conflict) else (table, read_drawn(table, outcome.zones))


def explain_area(study: StudyArea, compared: Compared, unit_id: str) -> Reason | None:
    """Return the reason of an area in proposed zones; None where no zones were proposed for this stage."""
    if not compared.planned or find_report(compared.outcome, compared.stage) is None:
        return None
    found = _lay_out(study.fingerprint, f"{compared.key}:{compared.stage}", study, compared)
    if found is None or unit_id not in found[0].unit_ids:
        return None
    table, zone = found
    return explain_unit(table, zone, table.unit_ids.index(unit_id))
