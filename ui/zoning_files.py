"""The downloads of the Zoning page: the same files that the terminal writes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import streamlit as st

from geodata.study import StudyArea
from planning.run import Outcome
from reports.language import Translator, read_catalogue
from reports.tables import render_csv, write_run_tables
from reports.zoning_tables import build_certificate_document, write_zone_files
from ui.zoning_map import Compared

ZONES_NAME = "zones.gpkg"
MIME = {
    "csv": "text/csv",
    "json": "application/json",
    "gpkg": "application/geopackage+sqlite3",
}


@st.cache_resource(max_entries=4, show_spinner=False)
def _write_all(
    fingerprint: str, key: str, stamp: str, language: str, _outcome: Outcome, _study: StudyArea
) -> dict[str, bytes]:
    """Return every file of an answer by name."""
    say = read_catalogue(language)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if _outcome.scenario.enrolment == "zoning":
            write_zone_files(_outcome, _study, folder, language=say)
        else:
            write_run_tables(_outcome, folder, language=say)
            document = build_certificate_document(_outcome, say=say.say)
            text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
            (folder / "certificate.json").write_text(text + "\n", encoding="utf-8")
            for number, fit in enumerate(_outcome.choice):
                (folder / f"flows{number or ''}.csv").write_bytes(render_csv(fit.flows))
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def list_files(outcome: Outcome) -> list[str]:
    """Return the names of the files that an answer has."""
    if outcome.scenario.enrolment == "zoning":
        if outcome.plan is None:
            return ["certificate.json", "run.json"]
        years = ["years.csv", "staying.csv"] if any(len(report.years) for report in outcome.zoning) else []
        feeders = ["feeders.csv"] if any(len(report.feeders) for report in outcome.zoning) else []
        return [ZONES_NAME, "units.csv", "schools.csv", "certificate.json", *years, *feeders, "run.json"]
    flows = ["flows.csv"] if outcome.choice else []
    return ["units.csv", "schools.csv", "indicators.csv", *flows, "certificate.json", "run.json"]


def render_downloads(study: StudyArea, compared: Compared, _: Translator) -> None:
    """Draw a button for every file; a file is written when it is asked for."""
    if compared.answer is None:
        return
    outcome = compared.answer.outcome
    st.caption(
        _(
            "Zones as a map layer (GeoPackage), areas and schools as tables, the proof with all its numbers, and the "
            "record of the run. The terminal writes the same files."
        )
    )
    stamp = f"{compared.answer.seconds:.6f}:{outcome.record.plan_fingerprint}"
    with st.container(horizontal=True, key="zoning_downloads"):
        for name in list_files(outcome):
            st.download_button(
                name,
                lambda name=name: _write_all(  # type: ignore[misc]
                    study.fingerprint, compared.key, stamp, _.language, outcome, study
                )[name],
                file_name=f"{Path(name).stem}_{compared.stage}_{compared.mode}{Path(name).suffix}",
                mime=MIME[name.rsplit(".", 1)[-1]],
                key=f"zoning_download_{name}",
                on_click="ignore",
            )
