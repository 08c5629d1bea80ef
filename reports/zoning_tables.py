"""Proposed zones as files: outlines, units, schools, the certificate, the record of the run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.errors import ExportError
from geodata.messages import Message
from geodata.study import StudyArea
from planning.certificate import Certificate
from planning.conflicts import Conflict
from planning.run import Outcome
from reports.language import Translator, read_catalogue
from reports.tables import build_run_record, render_csv
from reports.zone_documents import DOCUMENT_FILES, OUTLINE_FILE, write_outlines
from reports.zoning_words import tell_certificate, tell_report

ZONE_FILES = (OUTLINE_FILE, "units.csv", "schools.csv", "certificate.json", "run.json")
YEAR_FILES = ("years.csv", "staying.csv")
FEEDER_FILE = "feeders.csv"


def write_zone_files(
    outcome: Outcome, study: StudyArea, folder: str | Path, *, language: Translator | None = None
) -> list[Path]:
    """Write ``ZONE_FILES`` into ``folder`` (made where missing), with grandfathering also ``YEAR_FILES``.

    Files of these names from an earlier answer go, so that the folder never holds two answers at once.
    Text cells cannot start a formula; a missing value is an empty cell. Without a plan only ``certificate.json`` (with
    the conflicts) and ``run.json`` are written.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    language = language or read_catalogue("en")
    texts = {
        "certificate.json": build_certificate_document(outcome, say=language.say),
        "run.json": build_run_record(outcome, say=language.say),
    }
    reports = outcome.zoning
    tables = {
        "units.csv": _stack([report.units for report in reports]),
        "schools.csv": _stack([report.schools for report in reports]),
        "years.csv": _stack([report.years for report in reports]),
        "staying.csv": _stack([report.staying for report in reports]),
        FEEDER_FILE: _stack([report.feeders for report in reports]),
    }
    if outcome.plan is None:
        tables = {}
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*ZONE_FILES, *YEAR_FILES, FEEDER_FILE, *DOCUMENT_FILES):
            (folder / name).unlink(missing_ok=True)
        for name, table in tables.items():
            if len(table) or name in ZONE_FILES:
                (folder / name).write_bytes(render_csv(table))
                written.append(folder / name)
        for name, document in texts.items():
            text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
            (folder / name).write_text(text + "\n", encoding="utf-8")
            written.append(folder / name)
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    if outcome.plan is not None:
        written.append(write_outlines(study, outcome.zones, folder / OUTLINE_FILE))
    return written


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def build_certificate_document(outcome: Outcome, *, say: Callable[[Message], str] = str) -> dict[str, Any]:
    """Return what ``certificate.json`` holds; documented in ``docs/terminal.md``."""
    return {
        "status": "plan" if outcome.plan is not None else "no_plan",
        "conflicts": [_describe_conflict(conflict, say) for conflict in outcome.hard_conflicts]
        or [{"message": say(message)} for message in outcome.conflicts],
        "shortages": [_describe_conflict(conflict, say) for conflict in outcome.shortages],
        "certificates": [_describe_certificate(item, say) for item in outcome.certificates],
        "words": [say(message) for item in outcome.certificates for message in tell_certificate(item)],
        "reports": [
            {
                "stage": report.stage,
                "moved_pupils": _finite(report.moved_pupils),
                "overload_pupils": report.overload_pupils,
                "words": [say(message) for message in tell_report(report)],
            }
            for report in outcome.zoning
        ],
    }


def _describe_conflict(conflict: Conflict, say: Callable[[Message], str]) -> dict[str, Any]:
    return {
        "rule": conflict.rule,
        "message": say(conflict.message),
        "cure": say(conflict.cure),
        "unit_ids": list(conflict.unit_ids),
        "school_ids": list(conflict.school_ids),
        "short_pupils": _finite(conflict.short_pupils),
    }


def _describe_certificate(certificate: Certificate, say: Callable[[Message], str]) -> dict[str, Any]:
    document = certificate.as_dict()
    document["method"] = say(certificate.method)
    for row, price in zip(document["rule_prices"], certificate.rule_prices, strict=True):
        row["name"] = say(price.name)
    document["earlier"] = [_describe_certificate(item, say) for item in certificate.earlier]
    return {key: _finite(value) for key, value in document.items()}


def _finite(value: Any) -> Any:
    """Return the value; None for a number that JSON does not know."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
