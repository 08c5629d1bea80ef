"""The downloads of the drawing table: zones and communities as tables, outlines as a layer, boundaries in words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from planning.drawing import list_drawn
from planning.zone_changes import list_changes, list_communities
from reports.language import Translator
from reports.legend import name_stage_short
from reports.tables import render_csv
from ui.catchments_changes import build_change_table
from ui.catchments_notices import find_notices, render_notice_csv, render_notice_text
from ui.catchments_open import View

MIME = {"csv": "text/csv", "gpkg": "application/geopackage+sqlite3", "txt": "text/plain"}


def build_zone_rows(view: View) -> pd.DataFrame:
    """Return unit_id, stage, school_id with the names of areas and schools: what an import reads back."""
    rows = list_drawn(view.table, view.drawing.zone)
    units = dict(zip(view.table.unit_ids, view.table.unit_names, strict=True))
    schools = view.sheet.study.schools
    names = dict(zip(schools["school_id"].astype(str), schools["name"].fillna("").astype(str), strict=True))
    return rows.assign(
        unit_name=rows["unit_id"].map(units).fillna(""), school_name=rows["school_id"].map(names).fillna("")
    )


def write_outlines(view: View) -> bytes:
    """Return the zones as a GeoPackage."""
    from geodata.outlines import build_zone_outlines
    from geodata.write_layers import write_geopackage

    study = view.sheet.study
    zones = build_zone_rows(view).rename(columns={"school_name": "name"})
    outlines = build_zone_outlines(study.units, zones, scattered=study.adjacency.scattered)
    credit = study.attribution or study.name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zones.gpkg"
        write_geopackage(path, {"zones": outlines}, description=f"{credit} (synthetic)" if study.synthetic else credit)
        return path.read_bytes()


def build_community_table(rows: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the communities of every school, as in ``planning.zone_changes.list_communities``, for a reader."""
    shared = {True: _("shared"), False: ""}
    return pd.DataFrame(
        {
            _("School code"): rows["school_id"],
            _("School"): rows["school_name"],
            _("Area code"): rows["unit_id"],
            _("Area"): rows["community"],
            _("Township"): rows["town"].fillna(""),
            _("Shared zone"): rows["shared"].map(shared),
            _("Pupils"): rows["pupils"].round(1),
            _("Pupils who change"): rows["moved_pupils"].round(1),
            _("School today"): rows["old_school_names"].fillna(""),
            _("Way today (min)"): rows["min_before"].round(1),
            _("Way as drawn (min)"): rows["min_after"].round(1),
            _("Longer by (min)"): rows["extra_min"].round(1),
        }
    )


def build_change_file(rows: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return all areas with their school today and as drawn, with the codes."""
    table = build_change_table(rows, _)
    table.insert(0, _("Area code"), rows["unit_id"].to_numpy())
    return table.assign(
        **{
            _("Code of the school today"): rows["old_school_ids"].fillna("").to_numpy(),
            _("Code of the school as drawn"): rows["new_school_ids"].fillna("").to_numpy(),
        }
    )


def _title(view: View, _: Translator) -> str:
    study = view.sheet.study
    words = [study.name, name_stage_short(view.drawing.stage, _), _("draft of zones, not yet decided")]
    return " · ".join([*words, *([_("Synthetic demo: no real place")] if study.synthetic else [])])


def render_downloads(view: View, _: Translator) -> None:
    """Draw a button for every file; a file is written when it is asked for."""
    table, zone = view.table, view.drawing.zone
    files: dict[str, tuple[str, Callable[[], bytes]]] = {
        "zones.csv": (_("Zones (table)"), lambda: render_csv(build_zone_rows(view))),
        "communities.csv": (
            _("Communities by school"),
            lambda: render_csv(build_community_table(list_communities(table, zone), _)),
        ),
        "changes.csv": (
            _("Old and new school of every area"),
            lambda: render_csv(build_change_file(list_changes(table, zone, everyone=True), _)),
        ),
        "zones.gpkg": (_("Zones (map layer)"), lambda: write_outlines(view)),
    }
    notices = find_notices(view, _)
    if notices is not None:
        files["boundaries.csv"] = (_("Boundaries in words (table)"), lambda: render_notice_csv(notices, _))
        files["boundaries.txt"] = (
            _("Boundaries in words (text)"),
            lambda: render_notice_text(notices, _, title=_title(view, _)),
        )
    else:
        st.caption(_("Boundaries in words can be downloaded once they are written: see the list beside."))
    with st.container(horizontal=True, key="catchments_downloads"):
        for name, (title, write) in files.items():
            stem, ending = name.split(".")
            st.download_button(
                title,
                write,
                file_name=f"{stem}_{view.sheet.terms.stage}_{view.sheet.terms.mode}.{ending}",
                mime=MIME[ending],
                key=f"catchments_download_{stem}_{ending}",
                on_click="ignore",
            )
