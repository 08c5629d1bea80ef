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
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from geodata.errors import DataError, DataIssue
from geodata.files import read_raw_table
from geodata.messages import Message, msg
from geodata.study import compute_digest
from ui.text import clean

FOLDER_VARIABLE = "BUJU_UPLOADS"
TOKEN = re.compile(r"[0-9a-f]{32}")
ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "schools": ("csv", "xlsx", "geojson", "json", "gpkg"),
        "roads": ("pbf", "osm", "gz", "graphml"),
        "population": ("csv", "xlsx", "geojson", "json", "gpkg", "tif", "tiff"),
        "zones": ("csv", "xlsx"),
        "sites": ("csv", "xlsx", "geojson", "json", "gpkg"),
        "units": ("geojson", "json", "gpkg"),
        "outline": ("geojson", "json", "gpkg"),
        "start_zones": ("csv", "xlsx", "geojson", "json", "gpkg"),
        **dict.fromkeys(("rolls", "births", "assets", "groups", "evidence"), ("csv", "xlsx")),
        "housing": ("csv", "xlsx", "geojson", "json", "gpkg"),
        "exclusions": ("csv", "xlsx", "geojson", "json", "gpkg"),
        "open_land": ("geojson", "json", "gpkg"),
    }
)
"""What can be uploaded, and the endings that each may have."""
MAX_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "schools": 50_000_000,
        "roads": 500_000_000,
        "population": 500_000_000,
        "zones": 50_000_000,
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
MAX_ZIP_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 400_000_000
MAX_UNPACKED_RATIO = 200
MAX_GZIP_BYTES = 4_000_000_000
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
        A file is empty, too large, not what its name says, or unpacks to too much.
    """
    issues = [issue for name, content in files for issue in check_upload(role, name, content)]
    if len(files) > MAX_FILES:
        issues.append(_issue("", msg("At most {limit} files can be sent together.", limit=MAX_FILES)))
    if issues:
        raise DataError(issues)
    fresh = Path(tempfile.mkdtemp(prefix=f"{role}-", dir=folder))
    for name, content in files:
        (fresh / safe_name(name, role)).write_bytes(content)
    return [f"{fresh.name}/{path.name}" for path in sorted(fresh.iterdir())]


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
    if ending == "xlsx":
        return _check_archive(file, content)
    return _check_gzip(file, content) if ending == "gz" else []


def _looks_like(ending: str, head: bytes) -> bool:
    """Whether the first bytes fit the ending; a VRT under another name would read any file of the machine."""
    text = head.lstrip(b"\xef\xbb\xbf").lstrip()
    if ending == "xlsx":
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
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return [_issue(file, msg("The workbook is damaged and cannot be opened. Save it again."))]
    unpacked = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    too_dense = unpacked > 20_000_000 and unpacked / packed > MAX_UNPACKED_RATIO
    if len(members) > MAX_ZIP_MEMBERS or unpacked > MAX_UNPACKED_BYTES or too_dense:
        return [
            _issue(file, msg("The workbook unpacks to far more than a table of schools needs. Save only the table."))
        ]
    return []


def _check_gzip(file: str, content: bytes | memoryview) -> list[DataIssue]:
    unpacked = 0
    try:
        with gzip.open(BytesIO(content)) as stream:
            head = stream.read(4096)
            if b"<osm" not in head:
                return [_issue(file, msg("The packed file is not OpenStreetMap data."))]
            while chunk := stream.read(1 << 20):
                unpacked += len(chunk)
                if unpacked > MAX_GZIP_BYTES:
                    return [_issue(file, msg("The file unpacks to more than 4 GB. Cut it to the county."))]
    except (OSError, EOFError):
        return [_issue(file, msg("The packed file is damaged and cannot be opened."))]
    return []


def _issue(file: str, problem: Message) -> DataIssue:
    return DataIssue("upload", "error", problem, file=file, cure=msg("Choose another file and send it again."))
