"""Reads a packed study that a stranger may have made: nothing is written outside the folder, nothing by half.

What is guarded against: paths that climb out, links, names that clash on other systems, archives that unpack to far
more than they are, content that is not what the manifest says, and a study file that names files of this machine.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import tempfile
import tomllib
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from geodata.build import DATA_VERSION
from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg
from geodata.study_file import StudySpec, build_study_spec
from planning.run import RESULTS_VERSION
from store.checks import TEXT_BYTES, clean_name
from store.errors import StoreError
from store.packing import DATA_FOLDER, PATH_KEYS, is_shape_text, list_sources, safe_name
from store.toml_text import read_key, write_key

FORMAT, FORMAT_VERSION = "buju-study", 1
MANIFEST, STUDY_FILE = "manifest.json", "study.toml"
MAX_ARCHIVE_BYTES = 2_000_000_000
MAX_UNPACKED_BYTES = 4_000_000_000
MAX_MEMBERS = 5_000
MAX_RATIO = 200
"""Text packs to a tenth, tables of zeros to a hundredth."""
MAX_SMALL_BYTES = 20_000_000
"""Below this an archive may be as dense as it likes; also the most for the manifest and each run."""
_FOLDERS: Mapping[str, tuple[str, ...]] = {"scenarios": (".toml",), "rulesets": (".toml",), "runs": (".json",)}


@dataclass(frozen=True)
class Unpacked:
    """What a packed study held.

    ``study_path`` can be read by ``read_study``. ``scenarios`` are (name, text) with the name of the parent in the
    text, parents before children; ``rulesets`` (name, text); ``runs`` plain data. ``issues`` are warnings, such as
    another version of results.
    """

    study_path: Path
    scenarios: tuple[tuple[str, str], ...] = ()
    rulesets: tuple[tuple[str, str], ...] = ()
    runs: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    issues: tuple[DataIssue, ...] = ()
    name: str = ""


def unpack_study(path: str | Path, folder: str | Path) -> Unpacked:
    """Unpack a packed study into ``folder``, which must be new or empty; whole or not at all.

    Raises
    ------
    DataError
        The file is not a packed study, is damaged or too large, or holds something that it may not; all at once.
    """
    path, folder = Path(path), Path(folder)
    _require_empty(folder)
    if path.is_file() and path.stat().st_size > MAX_ARCHIVE_BYTES:
        limit_mb = MAX_ARCHIVE_BYTES // 1_000_000
        raise DataError(_issue(path.name, msg("The file is larger than {limit_mb} MB.", limit_mb=limit_mb)))
    try:
        with zipfile.ZipFile(path) as archive:
            return _unpack(archive, path.name, folder)
    except DataError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        problem = msg("The file is damaged, or not a packed study of this program.")
        raise DataError(_issue(path.name, problem, type(error).__name__, msg("Pack the study again."))) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problem = msg("The packed study cannot be unpacked: {reason}.", reason=reason)
        raise DataError(_issue(path.name, problem, cure=msg("Check the file and the room on the disk."))) from error


def _require_empty(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()) or (folder.is_dir() and any(folder.iterdir())):
        problem = msg("The folder to unpack into is not empty.")
        raise DataError(_issue(folder.name, problem, cure=msg("Name a new folder.")))


def _unpack(archive: zipfile.ZipFile, file: str, folder: Path) -> Unpacked:
    members = _check_members(archive, file)
    manifest = _read_manifest(archive, members, file)
    rows = _check_listed(manifest, members, file)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        issues = [_extract(archive, members[place], unfinished / place, digest, file) for place, digest in rows.items()]
        found = [issue for issue in issues if issue is not None]
        if found:
            raise DataError(found)
        unpacked = _read_contents(unfinished, manifest, set(rows), file)
        if folder.is_dir():
            folder.rmdir()  # empty, as seen above; Windows does not rename over a folder
        unfinished.rename(folder)
    finally:  # nothing half-unpacked stays; once renamed there is nothing left here
        with suppress(OSError):
            shutil.rmtree(unfinished)
    return Unpacked(folder / STUDY_FILE, **unpacked)


def _check_members(archive: zipfile.ZipFile, file: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files of the archive by place; raises ``DataError`` with all that speaks against them."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DataError(_issue(file, msg("The file holds more than {limit:,} files.", limit=MAX_MEMBERS)))
    issues: list[DataIssue] = []
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for member in members:
        problem = _find_problem(member)
        key = unicodedata.normalize("NFC", member.filename).casefold()
        if problem is None and key in seen:
            problem = msg("Two files in it have the same name.")
        seen.add(key)
        if problem is not None:
            issues.append(_issue(file, problem, repr(member.filename)[:200]))
        elif not member.is_dir():
            found[member.filename] = member
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        limit_gb = MAX_UNPACKED_BYTES // 1_000_000_000
        issues.append(_issue(file, msg("The file unpacks to more than {limit_gb} GB.", limit_gb=limit_gb)))
    packed = max(sum(member.compress_size for member in members), 1)
    if unpacked > MAX_SMALL_BYTES and unpacked / packed > MAX_RATIO:
        issues.append(_issue(file, msg("The file unpacks to far more than a study needs.")))
    if issues:
        raise DataError(issues)
    return found


def _find_problem(member: zipfile.ZipInfo) -> Message | None:
    """Return what speaks against one member, before anything of it is read."""
    name = member.filename
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return msg("It holds a link, which a packed study may not.")
    if member.flag_bits & 0x1:
        return msg("It holds a file with a password.")
    parts = name.removesuffix("/").split("/")
    safe = name == member.orig_filename and all(part and part == safe_name(part) for part in parts)
    if not safe or len(parts) > 4 or len(name) > 400:
        return msg("It holds a file whose name is not safe.")
    place = PurePosixPath(name)
    top = parts[0]
    known = name in (MANIFEST, STUDY_FILE) or top == DATA_FOLDER or place.suffix in _FOLDERS.get(top, ())
    if not known and not (member.is_dir() and top in _FOLDERS):
        return msg("It holds a file that does not belong to a study.")
    if member.file_size > TEXT_BYTES and (top in ("scenarios", "rulesets") or name == STUDY_FILE):
        return msg("It holds a text that is too long.")
    return None


def _read_manifest(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], file: str) -> dict[str, Any]:
    problem = msg("The file is not a packed study of this program.")
    cure = msg("Choose a file whose name ends in .buju.zip.")
    if MANIFEST not in members or members[MANIFEST].file_size > MAX_SMALL_BYTES:
        raise DataError(_issue(file, problem, cure=cure))
    with archive.open(members[MANIFEST]) as stream:
        try:
            manifest = json.loads(stream.read(MAX_SMALL_BYTES + 1))
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(_issue(file, problem, MANIFEST, cure)) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DataError(_issue(file, problem, MANIFEST, cure))
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise DataError(
            _issue(
                file,
                msg("The packed study has a form that this program does not know."),
                f"format_version {version}"[:100],
                msg("Bring this program up to date."),
            )
        )
    return manifest


def _check_listed(manifest: Mapping[str, Any], members: Mapping[str, zipfile.ZipInfo], file: str) -> dict[str, str]:
    """Return the digest of every file by its place; raises ``DataError`` unless it lists just what is there."""
    rows = manifest.get("files")
    listed: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("path"), str) and isinstance(row.get("sha256"), str):
            listed[row["path"]] = row["sha256"]
    missing = sorted(set(listed) - set(members)) + [STUDY_FILE] * (STUDY_FILE not in listed)
    strange = sorted(set(members) - set(listed) - {MANIFEST})
    issues = [_issue(file, msg("A file that the manifest lists is missing."), name[:200]) for name in missing]
    issues += [_issue(file, msg("It holds a file that the manifest does not list."), name[:200]) for name in strange]
    if issues:
        raise DataError(issues)
    return listed


def _extract(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, wanted: str, file: str
) -> DataIssue | None:
    """Write one file; return what is wrong with its content. Never more than the archive's list said is written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), member.file_size
    problem = msg("A file in it is not what was packed.")
    try:
        with archive.open(member) as source, target.open("xb") as stream:
            while chunk := source.read(min(1 << 20, left + 1)):
                left -= len(chunk)
                if left < 0:
                    return _issue(file, problem, member.filename)
                digest.update(chunk)
                stream.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        return _issue(file, problem, f"{member.filename}: {error}"[:200])
    return None if digest.hexdigest() == wanted else _issue(file, problem, member.filename)


def _read_contents(folder: Path, manifest: Mapping[str, Any], places: set[str], file: str) -> dict[str, Any]:
    """Return what :class:`Unpacked` holds, from the files now in ``folder``; raises ``DataError``."""
    issues: list[DataIssue] = []
    name = _check_study(folder, places, issues)
    scenarios = _read_texts(folder, manifest, "scenarios", places, file, issues)
    rulesets = _read_texts(folder, manifest, "rulesets", places, file, issues)
    runs: list[Mapping[str, Any]] = []
    for place in sorted(place for place in places if place.startswith("runs/")):
        try:
            run = json.loads((folder / place).read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            run = None
        if isinstance(run, dict):
            runs.append(run)
        else:
            issues.append(_issue(file, msg("A record of a run cannot be read."), place))
    tied = _order_scenarios(scenarios, file, issues)
    if issues:
        raise DataError(issues)
    warnings = _compare_versions(manifest, file)
    return {
        "scenarios": tied,
        "rulesets": tuple(rulesets.values()),
        "runs": tuple(runs),
        "issues": warnings,
        "name": name,
    }


def _check_study(folder: Path, places: set[str], issues: list[DataIssue]) -> str:
    """Note what is wrong with ``study.toml``: it may name only files that came with it. Returns the study's name."""
    try:
        text = (folder / STUDY_FILE).read_text(encoding="utf-8")
        spec = build_study_spec(tomllib.loads(text), folder=folder, file=STUDY_FILE)
    except DataError as error:
        issues += error.issues
        return ""
    except (ValueError, RecursionError) as error:
        issues.append(_issue(STUDY_FILE, msg("The study file is not valid TOML."), str(error)[:200]))
        return ""
    issues += [
        _issue(STUDY_FILE, msg("The study names a file that did not come with it."), value[:200])
        for value in _list_paths(spec)
        if not _came_along(value, places)
    ]
    return spec.name


def _list_paths(spec: StudySpec) -> list[str]:
    found = [(key, getattr(source, key, "")) for _, source in list_sources(spec) for key in PATH_KEYS]
    return [value for key, value in found if value and not is_shape_text(key, value)]


def _came_along(value: str, places: set[str]) -> bool:
    """Whether a path means files of the archive only: one, a folder of them, or several joined by ``;``."""
    first, *others = value.split(";")
    base = first.rpartition("/")[0]
    names = [first, *(f"{base}/{other.strip()}" for other in others)]
    folders = {place.rpartition("/")[0] for place in places if place.startswith(f"{DATA_FOLDER}/")}
    return all(name in places and name.startswith(f"{DATA_FOLDER}/") for name in names) or value in folders


def _read_texts(
    folder: Path, manifest: Mapping[str, Any], kind: str, places: set[str], file: str, issues: list[DataIssue]
) -> dict[str, tuple[str, str]]:
    """Return name and text by place; every text of the folder has its name in the manifest."""
    rows = manifest.get(kind)
    named = {
        row["file"]: row["name"]
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and isinstance(row.get("file"), str) and isinstance(row.get("name"), str)
    }
    found: dict[str, tuple[str, str]] = {}
    there = sorted(place for place in places if place.startswith(f"{kind}/"))
    for place in [place for place in named if place in there] + [place for place in there if place not in named]:
        try:
            text = (folder / place).read_bytes().decode("utf-8")
            read_key(text, "name")
            found[place] = (clean_name(named.get(place, "")), text)
        except ValueError as error:
            issues.append(_issue(file, msg("A text in it cannot be read."), f"{place}: {error}"[:200]))
        except StoreError as error:
            issues.append(_issue(file, error.message, place))
    if len({name.casefold() for name, _ in found.values()}) != len(found):
        issues.append(_issue(file, msg("Two texts in it have the same name."), kind))
    return found


def _order_scenarios(
    placed: Mapping[str, tuple[str, str]], file: str, issues: list[DataIssue]
) -> tuple[tuple[str, str], ...]:
    """Return name and text, parents before children, with the parent's name in place of its file."""
    waiting = dict(placed)
    found: dict[str, tuple[str, str]] = {}
    while waiting:
        ready = []
        for place, (name, text) in waiting.items():
            parent = read_key(text, "parent")
            above = None if parent is None else f"scenarios/{parent}"
            if above is None:
                found[place] = (name, text)
            elif above in found:
                try:
                    found[place] = (name, write_key(text, "parent", found[above][0]))
                except ValueError as error:
                    issues.append(_issue(file, msg("A text in it cannot be read."), f"{place}: {error}"[:200]))
                    found[place] = (name, text)
            else:
                continue
            ready.append(place)
        if not ready:
            problem = msg("A scenario builds on one that is not in the file, or on itself.")
            issues += [_issue(file, problem, name) for name, _ in waiting.values()]
            break
        for place in ready:
            del waiting[place]
    return tuple(found.values())


def _compare_versions(manifest: Mapping[str, Any], file: str) -> tuple[DataIssue, ...]:
    """Return warnings where this program may give other numbers than the one that packed."""
    versions = manifest.get("versions")
    theirs = versions if isinstance(versions, dict) else {}
    ours = {"results": RESULTS_VERSION, "data": DATA_VERSION}
    warnings = []
    if theirs != ours:
        problem = msg("The study was packed by another version of this program: numbers may differ.")
        warnings.append(DataIssue("exchange", "warning", problem, file=file, found=f"{theirs} / {ours}"[:200]))
    notes = manifest.get("notes")
    if isinstance(notes, list) and "roads_downloaded" in notes:
        problem = msg("The roads of this study are downloaded by place name: numbers follow the map of today.")
        warnings.append(DataIssue("exchange", "warning", problem, file=file))
    return tuple(warnings)


def _issue(file: str, problem: Message, found: str = "", cure: Message | None = None) -> DataIssue:
    return DataIssue("exchange", "error", problem, file=file, found=found, cure=cure)
