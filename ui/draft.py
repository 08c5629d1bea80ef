"""What a visitor has put together for a study of their own: files, columns, settings. Plain data, kept as JSON.

The draft survives a reload of the page and a second upload of a mended file. ``study.toml`` is written from it only
when a build has succeeded, so that the open study never changes half-way.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from geodata.crs import SHIFTED, require_metric_crs
from geodata.errors import CrsError
from geodata.study import STAGES
from geodata.study_file import StudySpec, build_study_spec
from ui.columns import GROUND_ROLES, PLANNING_ROLES
from ui.uploads import name_sheet_copy

DRAFT_FILE = "draft.json"
STUDY_FILE = "study.toml"
OSM_BUILDINGS = "buildings"
LAYERED_ENDING = ".gpkg"


@dataclass
class Draft:
    """One study being put together.

    ``files`` are names below the visitor's folder, by role. ``columns`` map our column names to headers, by role; an
    empty header says that the file does not have it. ``parts`` are sheets or layers, by role, where one was chosen.
    ``systems`` are coordinate systems, by role, where the file does not say its own. ``roads_from`` is ``"file"`` or
    ``"download"`` (of ``roads_place``, or inside the file ``outline``). ``year`` is the school year of the pupil
    numbers, 0 = not known. ``units`` is ``"population"``, ``"polygons"`` (the file ``units``), ``"grid"`` or
    ``"blocks"`` (street blocks of ``block_ha`` hectares). ``exclusion_kind`` is what a whole layer of exclusions is,
    where no column tells it. ``shares`` are children of a stage per inhabitant (0 to 1).
    """

    name: str = ""
    files: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    systems: dict[str, str] = field(default_factory=dict)
    roads_from: str = "file"
    roads_place: str = ""
    population_kind: str = ""
    shares: dict[str, float] = field(
        default_factory=lambda: {"kindergarten": 0.03, "primary": 0.06, "junior": 0.03, "senior": 0.03}
    )
    use_shares: bool = True
    calibrate: bool = False
    units: str = ""
    cell_m: float = 500.0
    block_ha: float = 4.0
    block_compactness: float = 0.5
    detour_factor: float = 1.3
    default_stage: str = ""
    default_setting: str = ""
    exclusion_kind: str = ""
    keep_where_positive: str = ""
    year: int = 0

    def used_files(self) -> set[str]:
        """Names of all files of the draft."""
        return {name for names in self.files.values() for name in names}


def read_draft(folder: Path) -> Draft:
    """Return the draft kept in a folder; an empty one where there is none or it cannot be read."""
    try:
        found = json.loads((folder / DRAFT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Draft()
    empty = asdict(Draft())
    known = {item.name for item in fields(Draft)}
    return Draft(**{key: value for key, value in found.items() if key in known and type(value) is type(empty[key])})


def write_draft(folder: Path, draft: Draft) -> None:
    """Keep the draft; a reader never sees half of it."""
    _write_whole(folder / DRAFT_FILE, json.dumps(asdict(draft), ensure_ascii=False, indent=1))


def build_document(draft: Draft) -> dict[str, Any]:
    """Return the draft as the document of a study file (see ``geodata.study_file``)."""
    document: dict[str, Any] = {"name": draft.name or "study"} | _drop_empty({"crs": _choose_crs(draft)})
    if draft.files.get("schools"):
        defaults = _drop_empty({"stage": draft.default_stage, "setting": draft.default_setting})
        document["schools"] = _locate(draft, "schools") | _drop_empty(
            {"keep_where_positive": draft.keep_where_positive, "year": draft.year or None, "defaults": defaults}
        )
    if roads := _build_roads(draft):
        document["roads"] = roads
    if population := _build_population(draft):
        document["population"] = population
        document["units"] = _build_units(draft)
    for role in ("zones", "sites", *GROUND_ROLES, *PLANNING_ROLES):
        if draft.files.get(role):
            document[role] = _locate(draft, role)
    if "exclusions" in document and draft.exclusion_kind:
        document["exclusions"]["kind"] = draft.exclusion_kind
    document["travel"] = {"detour_factor": float(draft.detour_factor)}
    return document


def _locate(draft: Draft, role: str) -> dict[str, Any]:
    """Return where the file of a role is: path, sheet or layer, coordinate system, columns."""
    path, part = draft.files[role][0], draft.parts.get(role, "")
    place = {"path": path}
    if part and path.endswith(LAYERED_ENDING):
        place["layer"] = part
    elif part and role in ("schools", *PLANNING_ROLES):
        place["sheet"] = part
    elif part:
        place["path"] = name_sheet_copy(path, part)
    return _drop_empty(place | {"crs": draft.systems.get(role, ""), "columns": _chosen(draft, role)})


def _choose_crs(draft: Draft) -> str:
    """Return the system in metres that a file was said to be in: the study works in it; ``""`` where none was."""
    for role in ("population", "units", "schools", "sites"):
        system = draft.systems.get(role, "") if draft.files.get(role) else ""
        if system and system not in SHIFTED:
            try:
                require_metric_crs(system)
            except CrsError:
                continue
            return system
    return ""


def _build_roads(draft: Draft) -> dict[str, Any]:
    if draft.roads_from != "download":
        return {"path": draft.files["roads"][0]} if draft.files.get("roads") else {}
    if draft.files.get("outline"):
        return {"polygon": draft.files["outline"][0]}
    return _drop_empty({"place": draft.roads_place})


def _build_units(draft: Draft) -> dict[str, Any]:
    if draft.units == "polygons" and draft.files.get("units"):
        return {"kind": "polygons"} | _locate(draft, "units")
    if draft.units == "blocks" and _build_roads(draft):
        size = {"block_m2": float(draft.block_ha) * 10_000, "compactness": float(draft.block_compactness)}
        return {"kind": "blocks"} | size
    is_grid = draft.units == "grid"
    return {"kind": "grid", "cell_m": float(draft.cell_m)} if is_grid else {"kind": "population"}


def _build_population(draft: Draft) -> dict[str, Any]:
    files = draft.files.get("population") or []
    kind = draft.population_kind
    if kind == OSM_BUILDINGS and draft.files.get("roads") and draft.roads_from != "download":
        place: dict[str, Any] = {"path": draft.files["roads"][0]}
    elif files:
        place = _locate(draft, "population")
        if kind == "age_rasters":
            place["path"] = files[0].split("/", 1)[0]
    else:
        return {}
    share = {stage: draft.shares[stage] for stage in STAGES if draft.shares.get(stage)} if draft.use_shares else {}
    return _drop_empty(place | {"kind": kind, "share": share, "calibrate_to_rolls": draft.calibrate or None})


def _chosen(draft: Draft, role: str) -> dict[str, str]:
    """Return the choices of a role; an empty header keeps the reader from matching a column by itself."""
    return dict(draft.columns.get(role, {}))


def _drop_empty(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value not in ("", {}, None)}


def build_spec(draft: Draft, folder: Path) -> StudySpec:
    """Return the draft as a checked study; raises ``DataError`` where a required file is not there yet."""
    return build_study_spec(build_document(draft), folder=folder)


def write_study(folder: Path, draft: Draft) -> Path:
    """Write ``study.toml``, whole or not at all, and return its path."""
    _write_whole(folder / STUDY_FILE, render_toml(build_document(draft)))
    return folder / STUDY_FILE


def render_toml(document: Mapping[str, Any]) -> str:
    """Return a document of tables, texts, numbers, truths and lists as TOML."""
    plain = [f"{_key(key)} = {_value(value)}" for key, value in document.items() if not isinstance(value, Mapping)]
    tables = [
        f"\n[{_key(name)}]\n" + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())
        for name, table in document.items()
        if isinstance(table, Mapping)
    ]
    return "\n".join(plain) + "\n" + "".join(tables)


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _write_whole(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(name).replace(path)
