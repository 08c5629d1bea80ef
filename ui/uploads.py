"""Files that a visitor sends: named safely, checked for what they claim to be, kept in the visitor's own folder.

A folder is found by a token that cannot be guessed; folders older than a week are cleared away. Nothing of the
visitor's file name is used as a path beyond a cleaned last part.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from geodata.archives import find_gzip_problem, list_archive_problems
from geodata.disk import is_disk_full, tell_disk_full
from geodata.errors import DataError, DataIssue
from geodata.files import read_raw_table
from geodata.messages import Message, msg
from geodata.study import compute_digest
from geodata.trial import check_layer_readable
from ui.text import clean

FOLDER_VARIABLE = "BUJU_UPLOADS"
TOKEN = re.compile(r"[0-9a-f]{32}")
_TABLES = ("csv", "xlsx", "xls")
_LAYERS = ("geojson", "json", "gpkg", "zip")
_OSM = ("pbf", "osm", "gz")
ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "schools": (*_TABLES, *_LAYERS, *_OSM),
        "roads": (*_OSM, "graphml", *_LAYERS),
        "population": (*_TABLES, *_LAYERS, "tif", "tiff"),
        "gazetteer": (*_TABLES, *_LAYERS),
        "buildings": (*_LAYERS, *_OSM),
        "barriers": _LAYERS,
        "zones": (*_TABLES, *_LAYERS),
        "sites": (*_TABLES, *_LAYERS),
        "units": _LAYERS,
        "outline": _LAYERS,
        "start_zones": (*_TABLES, *_LAYERS),
        **dict.fromkeys(("rolls", "births", "assets", "groups", "evidence", "town_totals", "age_totals"), _TABLES),
        "housing": (*_TABLES, *_LAYERS),
        "exclusions": (*_TABLES, *_LAYERS),
        "open_land": _LAYERS,
    }
)
"""What can be uploaded, and the endings that each may have."""
MAX_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "schools": 50_000_000,
        "roads": 500_000_000,
        "population": 500_000_000,
        **dict.fromkeys(("gazetteer", "barriers"), 200_000_000),
        "buildings": 500_000_000,
        **dict.fromkeys(("town_totals", "age_totals"), 50_000_000),
        "zones": 200_000_000,
        "sites": 50_000_000,
        "units": 200_000_000,
        "outline": 20_000_000,
        "start_zones": 100_000_000,
        **dict.fromkeys(("rolls", "births", "housing", "assets", "groups", "evidence"), 50_000_000),
        **dict.fromkeys(("exclusions", "open_land"), 200_000_000),
    }
)
MAX_FILES = 60
KEEP_DAYS = 7
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}


def compute_uploads_folder() -> Path:
    """Return the folder of all uploads: ``BUJU_UPLOADS``, else one of this user in the temporary folder."""
    named = os.environ.get(FOLDER_VARIABLE)
    owner = getattr(os, "getuid", lambda: 0)()
    return Path(named) if named else Path(tempfile.gettempdir()) / f"buju-uploads-{owner}"


def open_upload_folder(token: str | None = None) -> tuple[str, Path]:
    """Return the token and folder of a visitor, made anew where the token is unknown; clears away old folders."""
    folder = find_upload_folder(token or "")
    if folder is not None and token is not None:
        return token, folder
    root = compute_uploads_folder()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_old(root)
    token = secrets.token_hex(16)
    (root / token).mkdir(mode=0o700)
    return token, root / token


def find_upload_folder(token: str) -> Path | None:
    """Return the folder of a token, or None where there is none."""
    if not TOKEN.fullmatch(token):
        return None
    folder = compute_uploads_folder() / token
    return folder if folder.is_dir() and not folder.is_symlink() else None


def _clear_old(root: Path) -> None:
    oldest = time.time() - KEEP_DAYS * 86_400
    for folder in root.iterdir():
        if TOKEN.fullmatch(folder.name) and folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def safe_name(name: str, role: str) -> str:
    """Return a file name that is only a name: no folders, no control signs, a known ending, at most 80 characters."""
    last = unicodedata.normalize("NFC", clean(name, longest=100_000)).replace("\\", "/").rsplit("/", 1)[-1]
    stem, ending = _split(last)
    stem = re.sub(r"[^\w\- ().]", "_", stem).strip(" .")[:60]
    if not stem or stem.lower() in _RESERVED:
        stem = role
    return f"{stem}.{ending[:12]}" if ending else stem


def _split(name: str) -> tuple[str, str]:
    lowered = name.lower()
    for double in ("osm.pbf", "osm.gz"):
        if lowered.endswith("." + double):
            return name[: -len(double) - 1], double
    stem, dot, ending = name.rpartition(".")
    return (stem, re.sub(r"[^a-z0-9]", "", ending.lower())) if dot else (name, "")


def store_uploads(folder: Path, role: str, files: list[tuple[str, bytes | memoryview]]) -> list[str]:
    """Check the files of one role and keep them in a new sub-folder; all or nothing.

    Returns their names below ``folder``. Earlier files stay until :func:`clear_unused`: the study that is open may
    still read them.

    Parameters
    ----------
    folder : the visitor's folder
    role : one of ``ROLES``
    files : names as the visitor's machine has them, and contents

    Raises
    ------
    DataError
        A file is empty, too large, not what its name says, unpacks to too much, or cannot be looked at within limits;
        or the disk is full.
    """
    issues = [issue for name, content in files for issue in check_upload(role, name, content)]
    if len(files) > MAX_FILES:
        issues.append(_issue("", msg("At most {limit} files can be sent together.", limit=MAX_FILES)))
    if issues:
        raise DataError(issues)
    fresh = _write_files(folder, role, files)
    kept = sorted(fresh.iterdir())
    issues = [issue for path in kept for issue in check_layer_readable(path)]
    if issues:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DataError(issues)
    return [f"{fresh.name}/{path.name}" for path in kept]


def _write_files(folder: Path, role: str, files: list[tuple[str, bytes | memoryview]]) -> Path:
    """Write files into a new sub-folder and return it; nothing stays where one of them cannot be written."""
    fresh: Path | None = None
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f"{role}-", dir=folder))
        for name, content in files:
            (fresh / safe_name(name, role)).write_bytes(content)
    except OSError as error:
        if fresh is not None:
            shutil.rmtree(fresh, ignore_errors=True)
        problem = tell_disk_full() if is_disk_full(error) else msg("The file cannot be kept on this machine.")
        raise DataError(DataIssue("upload", "error", problem, file=safe_name(files[0][0], role))) from error
    return fresh


def clear_unused(folder: Path, used: set[str]) -> None:
    """Remove every sub-folder that no name in ``used`` (such as ``schools-x/a.csv``) needs."""
    kept = {name.split("/", 1)[0] for name in used}
    for place in folder.iterdir():
        if place.is_dir() and place.name not in kept:
            shutil.rmtree(place, ignore_errors=True)


def name_sheet_copy(name: str, sheet: str) -> str:
    """Return the name, below the visitor's folder, of the workbook that holds one sheet of workbook ``name`` alone."""
    folder, _slash, file = name.rpartition("/")
    return f"{folder}/{compute_digest(sheet)}/{file.rsplit('.', 1)[0]}.xlsx"


def keep_sheet(folder: Path, name: str, sheet: str) -> None:
    """Write one sheet as a workbook of its own, every cell as text in its place, where that is not done yet.

    Only the file of schools can name its sheet in ``study.toml``; the others are read from such a copy.

    Raises
    ------
    DataError
        The workbook cannot be read, or lacks the sheet.
    """
    import xlsxwriter

    target = folder / name_sheet_copy(name, sheet)
    if target.is_file():
        return
    table = read_raw_table(folder / name, sheet=sheet)
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_suffix(".part")
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(unfinished), options) as book:
        page = book.add_worksheet(table.sheet)
        for number, row in zip(
            [table.header_row, *table.rows], [table.frame.columns, *table.frame.values], strict=True
        ):
            page.write_row(int(number) - 1, 0, [str(value) for value in row])
    unfinished.replace(target)


def check_upload(role: str, name: str, content: bytes | memoryview) -> list[DataIssue]:
    """Return what speaks against a file: ending, size, first bytes, and what an archive unpacks to."""
    file, size = safe_name(name, role), len(content)
    ending = file.rsplit(".", 1)[-1] if "." in file else ""
    if ending not in ROLES[role]:
        wanted = ", ".join("." + each for each in ROLES[role])
        return [_issue(file, msg("This kind of file cannot be read here. Use one of: {endings}.", endings=wanted))]
    if size == 0:
        return [_issue(file, msg("The file is empty."))]
    if size > MAX_BYTES[role]:
        limit_mb = MAX_BYTES[role] // 1_000_000
        return [_issue(file, msg("The file is larger than {limit_mb} MB. Cut it to the county.", limit_mb=limit_mb))]
    head = bytes(content[:4096])
    if not _looks_like(ending, head):
        return [_issue(file, msg("The content is not what the ending .{ending} says.", ending=ending))]
    if head.startswith(b"PK\x03\x04") and ending in ("xlsx", "xls", "zip"):
        return _check_archive(file, content)
    return _check_gzip(file, content) if ending == "gz" else []


def _looks_like(ending: str, head: bytes) -> bool:
    """Whether the first bytes fit the ending; a VRT under another name would read any file of the machine."""
    text = head.lstrip(b"\xef\xbb\xbf").lstrip()
    if ending in ("xlsx", "xls"):  # a page or a text under these endings is told, or even read, by its reader
        return head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or b"\x00" not in head
    if ending == "zip":
        return head.startswith(b"PK\x03\x04")
    if ending == "gpkg":
        return head.startswith(b"SQLite format 3\x00")
    if ending in ("tif", "tiff"):
        return head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
    if ending == "gz":
        return head.startswith(b"\x1f\x8b")
    if ending == "pbf":
        return b"OSMHeader" in head[:64]
    if ending in ("osm", "graphml"):
        return text.startswith(b"<") and (b"<osm" in head or b"<graphml" in head)
    if ending in ("geojson", "json"):
        return text.startswith(b"{")
    return b"\x00" not in head or head[:2] in (b"\xff\xfe", b"\xfe\xff")


def _check_archive(file: str, content: bytes | memoryview) -> list[DataIssue]:
    problems = list_archive_problems(BytesIO(content))
    return [_issue(file, problem, found) for problem, found in dict.fromkeys(problems[:5])]


def _check_gzip(file: str, content: bytes | memoryview) -> list[DataIssue]:
    problem = find_gzip_problem(BytesIO(content), len(content))
    if problem is not None:
        return [_issue(file, problem)]
    with gzip.open(BytesIO(content)) as stream:
        head = stream.read(4096)
    return [] if b"<osm" in head else [_issue(file, msg("The packed file is not OpenStreetMap data."))]


def _issue(file: str, problem: Message, found: str = "") -> DataIssue:
    return DataIssue(
        "upload", "error", problem, file=file, found=found, cure=msg("Choose another file and send it again.")
    )
