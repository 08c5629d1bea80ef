"""Which files a study needs, and its study file rewritten so that it finds them beside itself."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodata.errors import DataError, DataIssue, ExportError
from geodata.messages import Message, msg
from geodata.raster_names import list_rasters
from geodata.study_file import StudySpec, build_study_spec
from store.toml_text import render_document

PATH_KEYS = ("path", "polygon", "speeds", "town_totals", "age_totals", "matches")
"""Keys of a study file's tables that name files; ``polygon`` may also hold the shape itself, as WKT."""
DATA_FOLDER = "data"
_SHAPE_PARTS = (".dbf", ".shx", ".prj", ".cpg", ".qix", ".sbn", ".sbx")
_RASTER_PARTS = (".aux.xml", ".ovr", ".msk")
MAX_NAME_BYTES = 150
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass
class Packed:
    """The study file with its new paths, and the files by their place in the archive."""

    spec: StudySpec
    files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def collect_files(spec: StudySpec) -> Packed:
    """Find every file that a study names; raises ``DataError`` with all that are missing."""
    packed = Packed(spec)
    issues: list[DataIssue] = []
    places: dict[tuple[Path, ...], str] = {}
    fresh: dict[str, list[Any]] = {}
    for role, source in list_sources(spec):
        changes: dict[str, str] = {}
        number = len(fresh.setdefault(role, []))  # of several tables of one role each has a folder of its own
        folder = f"{role}_{number + 1}" if number else role
        for key in PATH_KEYS:
            path = getattr(source, key, "")
            if not path or is_shape_text(key, path):
                continue
            try:
                changes[key] = _place(packed, places, folder if key == "path" else f"{folder}_{key}", spec, path)
            except DataError as error:
                issues += error.issues
        if getattr(source, "place", ""):
            packed.notes.append("roads_downloaded")
        fresh[role].append(dataclasses.replace(source, **changes))
    placed: dict[str, Any] = {
        role: tuple(parts) if isinstance(getattr(spec, role), tuple) else parts[0] for role, parts in fresh.items()
    }
    packed.spec = dataclasses.replace(packed.spec, **placed)
    if issues:
        raise DataError(issues)
    return packed


def list_sources(spec: StudySpec) -> Iterator[tuple[str, Any]]:
    """Yield name and value of every table of a study that can name files; a role may have several."""
    for item in dataclasses.fields(spec):
        value = getattr(spec, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(part) and any(hasattr(part, key) for key in PATH_KEYS):
                yield item.name, part


def is_shape_text(key: str, value: str) -> bool:
    """Whether ``polygon`` holds the shape itself."""
    return key == "polygon" and value.lstrip().upper().startswith(("POLYGON", "MULTIPOLYGON"))


def _place(packed: Packed, places: dict[tuple[Path, ...], str], folder: str, spec: StudySpec, path: str) -> str:
    """Give the files meant by ``path`` places in the archive; return the new path. One file is packed once."""
    target = spec.resolve(path)
    many = target.is_dir() or any(mark in target.name for mark in "*?;")
    found = tuple(list_rasters(target)) if many else (target,)
    for file in found:
        _require_file(file, path)
    if found not in places:
        parts = [part for file in found for part in _list_parts(file)]
        names = {safe_name(part.name): part for part in parts}
        if len({name.casefold() for name in names}) != len(parts):
            problem = msg("Two files of one folder would have the same name.")
            raise _refuse(problem, path, msg("Give them names of their own."))
        packed.files |= {f"{DATA_FOLDER}/{folder}/{name}": part for name, part in names.items()}
        inside = ";".join(safe_name(file.name) for file in found) if ";" in target.name else ""
        one = safe_name(found[0].name) if not many else inside
        places[found] = f"{DATA_FOLDER}/{folder}/{one}".rstrip("/")
    return places[found]


def _require_file(file: Path, path: str) -> None:
    try:
        with file.open("rb"):
            return
    except OSError as error:
        cure = msg("Check the path in the study file.")
        raise _refuse(msg("The file does not exist, or may not be read."), path, cure, str(error.strerror)) from error


def _list_parts(file: Path) -> list[Path]:
    """Return a file and those that belong to it: a shapefile is several."""
    ending = file.suffix.lower()
    if ending == ".shp":
        near = [item for item in file.parent.iterdir() if item.stem == file.stem]
        return [file, *sorted(item for item in near if item.suffix.lower() in _SHAPE_PARTS)]
    if ending in (".tif", ".tiff"):
        parts = [file.with_name(file.name + part) for part in _RASTER_PARTS]
        return [file, *(part for part in parts if part.is_file())]
    return [file]


def safe_name(name: str) -> str:
    """Return a file name that every system takes: letters of any script, figures and few signs, not too long."""
    found = re.sub(r"[^\w\-. ()]", "_", unicodedata.normalize("NFC", name)).strip(" .")
    found = found if found and not _RESERVED.match(found) else f"_{found}"
    if len(found.encode()) <= MAX_NAME_BYTES:
        return found
    ending = re.search(r"(\.[A-Za-z0-9]{1,10}){0,2}$", found)
    assert ending is not None
    # Cut alike for every ending: the parts of a shapefile are found by their common stem.
    stem = found[: ending.start()].encode()[: MAX_NAME_BYTES - 30].decode(errors="ignore").rstrip(" .")
    return unicodedata.normalize("NFC", stem + ending[0])


def render_spec(spec: StudySpec) -> str:
    """Return a study as the text of a study file. Numbers are written also where they are the defaults of today.

    Raises ``ExportError`` where reading the text would not give the same study.
    """
    document: dict[str, Any] = {}
    for item in dataclasses.fields(spec):
        value = getattr(spec, item.name)
        if item.name != "folder" and not _is_empty(value):
            document[item.name] = _render_part(value)
    text = render_document(document)
    again = build_study_spec(tomllib.loads(text), folder=spec.folder)
    if again != spec:
        raise ExportError("The study file cannot be written so that it reads the same.")
    return text


def _render_part(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_render_part(part) for part in value]
    return _render_table(value) if dataclasses.is_dataclass(value) else value


def _render_table(source: Any) -> dict[str, Any]:
    values = {item.name: getattr(source, item.name) for item in dataclasses.fields(source)}
    return {name: value for name, value in values.items() if not _is_empty(value)}


def _is_empty(value: Any) -> bool:
    """Whether a value is the absence of one: so it cannot, or need not, be written."""
    return value is None or (isinstance(value, str | tuple | dict) and not value)


def _refuse(problem: Message, path: str, cure: Message, found: str = "") -> DataError:
    return DataError(DataIssue("exchange", "error", problem, file=Path(path).name, found=found or path, cure=cure))
