"""What a planner fills in for a pack: details, costs, steps with their files. Plain data, kept as JSON in a folder.

One draft for each scenario, in the visitor's own upload folder (``ui.uploads``); a new one begins with who publishes
and how, as the last one said. No Streamlit here.
"""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from geodata.errors import LayoutError
from geodata.study import compute_digest
from planning.procedure import STEPS, Evidence, Kind, Procedure, StepRecord
from planning.procedure_checks import read_evidence
from planning.publication_options import CostItem, Datum, PackOptions, Scope
from ui.uploads import safe_name

Texts = Literal["title", "purpose", "issuer", "office", "phone", "email", "address", "document_number", "map_number"]
TEXTS: tuple[Texts, ...] = (
    *("title", "purpose", "issuer", "office", "phone", "email", "address", "document_number", "map_number"),
)
SHARED = ("issuer", "office", "phone", "email", "address", "threshold", "datum", "scope", "show_boundaries")
"""What the next draft of the same planner begins with."""
LONGEST = {"title": 120, "purpose": 2000, "map_number": 60, "document_number": 60}
LONGEST_TEXT = 160
MOST_COSTS = 60
DRAFT_ROLE = "evidence"


@dataclass
class PackDraft:
    """One pack being put together.

    Dates are ISO texts, empty where not set. ``costs``: one mapping for each sum, with the fields of ``CostItem``.
    ``steps``: by step ``date``, ``note`` and ``files`` (names below the visitor's folder).
    """

    title: str = ""
    purpose: str = ""
    issuer: str = ""
    office: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    document_number: str = ""
    map_number: str = ""
    opens: str = ""
    closes: str = ""
    show_boundaries: bool = False
    threshold: int = 10
    datum: str = "WGS-84"
    scope: str = "changed"
    costs: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    def step(self, step_id: str) -> dict[str, Any]:
        """Return what is known of a step: ``date``, ``note``, ``files``."""
        return {"date": "", "note": "", "files": [], **self.steps.get(step_id, {})}


def name_draft(scenario_id: str) -> str:
    """Return the name of the file that holds the draft of a scenario."""
    return f"pack-{compute_digest(scenario_id)[:24]}.json"


def read_pack_draft(folder: Path | None, scenario_id: str) -> PackDraft:
    """Return the draft of a scenario; where there is none, a new one with what the last one said of the publisher."""
    if folder is None:
        return PackDraft()
    found = _read(folder / name_draft(scenario_id))
    if found is not None:
        return _build(found)
    others = sorted(folder.glob("pack-*.json"), key=lambda path: path.stat().st_mtime)
    last = _read(others[-1]) if others else None
    return _build({key: value for key, value in (last or {}).items() if key in SHARED})


def write_pack_draft(folder: Path, scenario_id: str, draft: PackDraft) -> None:
    """Keep a draft, whole or not at all."""
    text = json.dumps(asdict(draft), ensure_ascii=False, indent=1)
    descriptor, unfinished = tempfile.mkstemp(dir=folder, suffix=".part")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(unfinished).replace(folder / name_draft(scenario_id))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _build(found: Mapping[str, Any]) -> PackDraft:
    """Return a draft of what a file says; what is of another kind than it should be is left out."""
    empty = asdict(PackDraft())
    known = {item.name for item in fields(PackDraft)}
    fit = {key: value for key, value in found.items() if key in known and type(value) is type(empty[key])}
    draft = PackDraft(**fit)
    draft.costs = [item for item in draft.costs if isinstance(item, dict)][:MOST_COSTS]
    draft.steps = {key: item for key, item in draft.steps.items() if key in STEPS and isinstance(item, dict)}
    return draft


def read_day(words: object) -> datetime.date | None:
    """Return the day of an ISO text; None for anything else."""
    try:
        return datetime.date.fromisoformat(str(words))
    except ValueError:
        return None


def build_options(draft: PackDraft) -> PackOptions:
    """Return what a draft asks for.

    Raises ``ScenarioError`` where it cannot be: the last day before the first, a threshold that hides nothing.
    """
    datum: Datum = "GCJ-02" if draft.datum == "GCJ-02" else "CGCS2000" if draft.datum == "CGCS2000" else "WGS-84"
    scope: Scope = "all" if draft.scope == "all" else "changed"
    texts = {name: str(getattr(draft, name)).strip() for name in TEXTS}
    return PackOptions(
        **texts,
        opens=read_day(draft.opens),
        closes=read_day(draft.closes),
        show_boundaries=draft.show_boundaries,
        threshold=draft.threshold,
        datum=datum,
        scope=scope,
        costs=tuple(cost for item in draft.costs if (cost := build_cost(item)) is not None),
    )


def build_cost(item: Mapping[str, Any]) -> CostItem | None:
    """Return one sum of money; None where name, year or amount are not there."""
    name, year, amount = str(item.get("name") or "").strip(), item.get("school_year"), item.get("amount")
    if not name or not isinstance(year, int) or not isinstance(amount, int | float):
        return None
    price_year = item.get("price_year")
    return CostItem(
        name,
        year,
        float(amount),
        unit=str(item.get("unit") or "CNY").strip() or "CNY",
        price_year=price_year if isinstance(price_year, int) else None,
        source=str(item.get("source") or "").strip(),
    )


def build_procedure(draft: PackDraft, kind: Kind, folder: Path | None) -> Procedure:
    """Return the steps as the draft has them; evidence that is not there any more is left out."""
    records = []
    for step_id, step in STEPS.items():
        if kind not in step.kinds or step_id not in draft.steps:
            continue
        known = draft.step(step_id)
        evidence = tuple(
            found for name in known["files"] if folder is not None and (found := _read_kept(folder, str(name)))
        )
        records.append(StepRecord(step_id, read_day(known["date"]), str(known["note"]).strip(), evidence))
    return Procedure(kind, tuple(records))


def _read_kept(folder: Path, name: str) -> Evidence | None:
    path = (folder / name).resolve()
    if folder.resolve() not in path.parents or not path.is_file():
        return None
    facts = path.stat()
    return _read_file(str(path), facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=256)
def _read_file(path: str, size: int, changed_ns: int) -> Evidence | None:
    """Return an evidence file, read once as long as it does not change."""
    try:
        return read_evidence(path)
    except LayoutError:
        return None


def keep_evidence(folder: Path, scenario_id: str, step_id: str, name: str, content: bytes) -> str:
    """Write an evidence file into the visitor's folder after checking it; return its name below the folder.

    Raises ``LayoutError`` where it is no document that can be kept; then it is not there.
    """
    place = folder / "evidence" / compute_digest(scenario_id)[:16] / step_id
    place.mkdir(parents=True, exist_ok=True)
    path = place / safe_name(name, DRAFT_ROLE)
    number = 1
    while path.exists() and path.read_bytes() != content:
        number += 1
        stem, _dot, ending = safe_name(name, DRAFT_ROLE).rpartition(".")
        path = place / f"{stem or DRAFT_ROLE}_{number}.{ending}"
    known = path.exists()
    path.write_bytes(content)
    try:
        read_evidence(path)
    except LayoutError:
        if not known:
            path.unlink(missing_ok=True)
        raise
    return path.relative_to(folder).as_posix()


def put_details(draft: PackDraft, found: tuple[PackOptions, Procedure]) -> None:
    """Write options and steps of a file into a draft; evidence chosen before stays."""
    options, procedure = found
    for name in (*TEXTS, "show_boundaries", "threshold", "datum", "scope"):
        setattr(draft, name, getattr(options, name))
    draft.opens = options.opens.isoformat() if options.opens else ""
    draft.closes = options.closes.isoformat() if options.closes else ""
    draft.costs = [asdict(cost) for cost in options.costs]
    for record in procedure.records:
        known = draft.step(record.step_id)
        day = record.date.isoformat() if record.date else ""
        draft.steps[record.step_id] = {**known, "date": day, "note": record.note}
