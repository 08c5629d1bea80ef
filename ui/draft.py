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
LAYER_ENDINGS = (".gpkg", ".geojson", ".json", ".zip")
LAYERED_ENDINGS = (".gpkg", ".zip")
"""Files that may hold several layers."""
SHEET_ROLES = ("schools", "population", "gazetteer", "exclusions", *PLANNING_ROLES)
"""Roles whose table of the study file can name a sheet; the others are read from a copy of the sheet."""
WORD_ROLES = ("schools", "roads", "buildings", "exclusions", *PLANNING_ROLES)
"""Roles whose table of the study file can say what the file's words mean."""


@dataclass
class Draft:
    """One study being put together.

    ``files`` are names below the visitor's folder, by role. ``columns`` map our column names to headers, by role; an
    empty header says that the file does not have it. ``parts`` are sheets or layers, by role, where one was chosen.
    ``systems`` are coordinate systems, by role, where the file does not say its own. ``roads_from`` is ``"file"`` or
    ``"download"`` (of ``roads_place``, or inside the file ``outline``). ``year`` is the school year of the pupil
    numbers, 0 = not known. ``units`` is ``"population"``, ``"polygons"`` (the file ``units``), ``"grid"`` or
    ``"blocks"`` (street blocks of ``block_ha`` hectares). ``exclusion_kind`` is what a whole layer of exclusions is,
    where no column tells it; ``zone_stage`` and ``barrier_kind`` likewise. ``shares`` are children of a stage per
    inhabitant (0 to 1). ``words`` are what the file's words mean, by role and our column. ``snap_m`` joins the ends of
    road lines. ``population_year`` chooses among several (0 = the latest). ``recalled`` are the uploads for which a
    remembered mapping was looked up, by role, and ``as_last`` the day from which it came, where there was one.
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
    zone_stage: str = ""
    barrier_kind: str = ""
    words: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    snap_m: float = 1.0
    population_year: int = 0
    use_osm_buildings: bool = False
    recalled: dict[str, str] = field(default_factory=dict)
    as_last: dict[str, str] = field(default_factory=dict)
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
    document |= _build_helpers(draft)
    for role in ("zones", "sites", "barriers", *GROUND_ROLES, *PLANNING_ROLES):
        if draft.files.get(role):
            document[role] = _locate(draft, role)
    whole = {"exclusions": draft.exclusion_kind, "barriers": draft.barrier_kind}
    for role in [role for role, kind in whole.items() if kind and role in document]:
        document[role]["kind"] = whole[role]
    if "zones" in document and draft.zone_stage:
        document["zones"]["stage"] = draft.zone_stage
    document["travel"] = {"detour_factor": float(draft.detour_factor)}
    return document


def _locate(draft: Draft, role: str) -> dict[str, Any]:
    """Return where the file of a role is: path, sheet or layer, coordinate system, columns."""
    path, part = draft.files[role][0], draft.parts.get(role, "")
    place: dict[str, Any] = {"path": path}
    if part and path.endswith(LAYERED_ENDINGS):
        place["layer"] = part
    elif part and role in SHEET_ROLES:
        place["sheet"] = part
    elif part:
        place["path"] = name_sheet_copy(path, part)
    place |= {"crs": draft.systems.get(role, ""), "columns": _chosen(draft, role)}
    if role in WORD_ROLES:
        words = draft.words.get(role, {})
        place["values"] = _drop_empty({column: _drop_empty(meant) for column, meant in words.items()})
    return _drop_empty(place)


def _build_helpers(draft: Draft) -> dict[str, Any]:
    """Return what places the population: names with a place, and buildings."""
    found: dict[str, Any] = {}
    if draft.files.get("gazetteer") and draft.files.get("population"):
        matches = draft.files.get("matches") or [""]
        found["gazetteer"] = _locate(draft, "gazetteer") | _drop_empty({"matches": matches[0]})
    if draft.population_kind == OSM_BUILDINGS or not draft.files.get("population"):
        return found
    if draft.files.get("buildings"):
        found["buildings"] = _locate(draft, "buildings")
    elif draft.use_osm_buildings and has_osm_roads(draft):
        found["buildings"] = {"path": draft.files["roads"][0]}
    return found


def has_osm_roads(draft: Draft) -> bool:
    """Whether the roads come from a file of OpenStreetMap, which may hold buildings as well."""
    names = draft.files.get("roads") or [""]
    return draft.roads_from != "download" and names[0].endswith((".pbf", ".osm", ".osm.gz"))


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
        if not draft.files.get("roads"):
            return {}
        if not draft.files["roads"][0].endswith(LAYER_ENDINGS):
            return {"path": draft.files["roads"][0]}
        return _locate(draft, "roads") | {"snap_m": float(draft.snap_m)}
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
        if kind == "age_rasters" or (kind == "raster" and len(files) > 1):
            place["path"] = files[0].split("/", 1)[0]
    else:
        return {}
    share = {stage: draft.shares[stage] for stage in STAGES if draft.shares.get(stage)} if draft.use_shares else {}
    totals = {name: draft.files[name][0] for name in ("town_totals", "age_totals") if draft.files.get(name)}
    options = {"kind": kind, "share": share, "calibrate_to_rolls": draft.calibrate or None}
    return _drop_empty(place | options | totals | {"year": draft.population_year or None})


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
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError:  # a full disk: what was there stays, and no piece of the new one
        Path(name).unlink(missing_ok=True)
        raise
