"""What a public notice needs of zones, as files: outlines, boundaries in words, communities, the reason of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import ExportError
from geodata.messages import Message, msg
from geodata.outlines import build_zone_outlines
from geodata.study import Stage, StudyArea
from geodata.write_layers import write_geopackage
from geodata.zone_cover import find_uncovered, tell_cover
from planning.drawing import DrawingTable, list_drawn
from planning.reasons import explain_units, list_reasons
from planning.zone_changes import list_communities
from reports.language import Translator
from reports.tables import render_csv
from reports.zone_notices import AGREES_SHARE, ZoneNotice, build_zone_notices

if TYPE_CHECKING:
    import geopandas as gpd

OUTLINE_FILE = "zones.gpkg"
DOCUMENT_FILES = ("boundaries.csv", "communities.csv", "reasons.csv", "uncovered.csv")


@dataclass(frozen=True, eq=False)
class ZoneDocuments:
    """The notices, communities, reasons and uncovered land of one stage's zones."""

    notices: tuple[ZoneNotice, ...]
    communities: pd.DataFrame
    reasons: pd.DataFrame
    uncovered: pd.DataFrame
    cover: tuple[Message, ...]


def build_zone_documents(
    study: StudyArea, table: DrawingTable, zone: npt.NDArray[np.int64], _: Translator
) -> ZoneDocuments:
    """Return what is to be published of zones. ``zone`` (units,): zone of every unit of ``table``, −1 = none."""
    zones, stage = list_drawn(table, zone), table.stage
    uncovered = find_uncovered(study.units, zones, stage, scattered=study.adjacency.scattered)
    return ZoneDocuments(
        notices=build_zone_notices(study, zones, as_stage(stage), _),
        communities=list_communities(table, zone),
        reasons=build_reason_rows(study, table, zone, _),
        uncovered=pd.DataFrame(uncovered.drop(columns="geometry")).assign(stage=stage),
        cover=tuple(tell_cover(uncovered)),
    )


def as_stage(stage: str) -> Stage:
    """Return a stage's name as its type."""
    stages: dict[str, Stage] = {
        "kindergarten": "kindergarten",
        "primary": "primary",
        "junior": "junior",
        "senior": "senior",
    }
    return stages[stage]


def build_reason_rows(
    study: StudyArea, table: DrawingTable, zone: npt.NDArray[np.int64], _: Translator
) -> pd.DataFrame:
    """Return one row per unit: where it goes, its nearest school, and why it is not that one, in words."""
    rows = list_reasons(table, zone)
    # Units at their nearest school all have the same reason; the others are worked out together.
    elsewhere = _find_elsewhere(rows)
    found = iter(explain_units(table, zone, np.flatnonzero(elsewhere)))
    told = [next(found) if extra else None for extra in elsewhere]
    nearest = _("This is the nearest school.")
    reason = [nearest if item is None else _.say(item.message) for item in told]
    details = ["" if item is None else _join(item.details, _) for item in told]
    changes = ["" if item is None else _join(item.changes, _) for item in told]
    names = study.units["name"].fillna("").astype(str).tolist()
    rows.insert(1, "name", names)
    return rows.assign(stage=table.stage, reason=reason, details=details, changes=changes)


def _find_elsewhere(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    return (rows["kind"] != "nearest").to_numpy(dtype=np.bool_)


def _join(messages: tuple[Message, ...], _: Translator) -> str:
    return " ".join(_.say(message) for message in messages)


def tell_agreements(notices: tuple[ZoneNotice, ...]) -> Message:
    """Return how well the boundaries in words give back the zones on the map, over all pupils."""
    known = [notice for notice in notices if notice.pupils > 0 and notice.agreement_share == notice.agreement_share]
    pupils = sum(notice.pupils for notice in known)
    agreed = sum(notice.pupils * notice.agreement_share for notice in known)
    poor = sum(notice.agreement_share < AGREES_SHARE for notice in known)
    if not pupils:
        return msg("No pupils are known in these zones, so texts and map were not compared.")
    return msg(
        "Boundaries in words of {zones} zones: text and map agree for {share:.1%} of pupils; {poor} zones need the map"
        " or the list of places beside the text.",
        zones=len(notices),
        share=agreed / pupils,
        poor=poor,
    )


def build_boundary_rows(notices: tuple[ZoneNotice, ...]) -> pd.DataFrame:
    """Return the notices as a table; ``school_ids`` of a shared zone are joined by ";"."""
    rows: list[dict[str, Any]] = [
        {
            "stage": notice.stage,
            "school_ids": ";".join(notice.school_ids),
            "name": notice.name,
            "shared": notice.shared,
            "units": notice.units,
            "pupils": notice.pupils,
            "boundary": notice.text,
            "boundary_agreement_share": notice.agreement_share,
            "four_sides": notice.sides_text,
            "four_sides_agreement_share": notice.sides_agreement_share,
            "places": notice.units_text,
            "house_numbers": notice.addresses_text,
            "house_numbers_agreement_share": notice.addresses_agreement_share,
        }
        for notice in notices
    ]
    return pd.DataFrame(rows)


def write_zone_documents(documents: ZoneDocuments, folder: str | Path) -> list[Path]:
    """Write ``DOCUMENT_FILES`` into ``folder`` (made where missing).

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    tables = {
        "boundaries.csv": build_boundary_rows(documents.notices),
        "communities.csv": documents.communities,
        "reasons.csv": documents.reasons,
        "uncovered.csv": documents.uncovered,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / name).write_bytes(render_csv(table))
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return [folder / name for name in tables]


def write_outlines(study: StudyArea, zones: pd.DataFrame, path: Path, *, tolerance_m: float = 0.0) -> Path:
    """Write the outlines of zones as a GeoPackage with the layer ``zones``.

    Parameters
    ----------
    zones : ``unit_id``, ``stage``, ``school_id``
    tolerance_m : borders are simplified together by up to this; 0 keeps every vertex

    Raises
    ------
    ExportError
        The file cannot be written.
    """
    names = study.schools.set_index("school_id")["name"].astype(str)
    named = zones.assign(name=names.reindex(zones["school_id"]).fillna("").to_numpy())
    outlines: gpd.GeoDataFrame = build_zone_outlines(
        study.units, named, scattered=study.adjacency.scattered, tolerance_m=tolerance_m
    )
    credit = study.attribution or study.name
    return write_geopackage(
        path, {"zones": outlines}, description=f"{credit} (synthetic)" if study.synthetic else credit
    )
