"""Archives that strangers send: looked at before anything is unpacked, and unpacked only within limits.

What is guarded against: names that lead out of the folder, links, parts that unpack to far more than they say, locked
parts, and parts that lie over each other. Nothing is ever written under a name that the archive chose.
"""

from __future__ import annotations

import gzip
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from geodata.disk import is_disk_full
from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg

MAX_UNPACKED_BYTES = 500 * 1024**2
MAX_RATIO = 250
FREE_BYTES = 20 * 1024**2
"""What may unpack to any multiple of its size: small parts of XML often do."""
MAX_PARTS = 2_000
MAX_GZIP_BYTES = 2 * 1024**3
MAX_GZIP_RATIO = 80
"""Map data as text are packed to a tenth or a twentieth."""
DAMAGED = msg("The archive is damaged and cannot be opened. Pack it again.")
TOO_MUCH = msg("The file is too large, or unpacks to too much.")
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
WHOLE_LAYERS = (".gpkg", ".geojson", ".json")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK_BYTES = 1 << 20
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True)
class PackedLayer:
    """One layer in an archive: its name, the ending that tells its kind, and its parts by ending."""

    name: str
    ending: str
    parts: Mapping[str, str] = field(default_factory=dict)


def list_archive_problems(source: Path | IO[bytes]) -> list[tuple[Message, str]]:
    """Return what speaks against unpacking a zip archive, each with what was found; nothing is unpacked.

    Parameters
    ----------
    source : the file, or its content as a stream
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return [(DAMAGED, "")]
    problems: list[tuple[Message, str]] = []
    if len(members) > MAX_PARTS:
        problems.append((TOO_MUCH, f"{len(members):,}"))
    unpacked = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > FREE_BYTES and unpacked / packed > MAX_RATIO):
        found = f"{unpacked / 1024**2:,.0f} MB"
        problems.append((TOO_MUCH, found))
    for member in members[:MAX_PARTS]:
        problem = _find_member_problem(member)
        if problem is not None:
            problems.append((problem, member.filename[:200]))
    return problems


def _find_member_problem(member: zipfile.ZipInfo) -> Message | None:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in PurePosixPath(name).parts:
        return msg("A part of the archive would be unpacked outside of it. Pack it again, without folders.")
    if stat.S_ISLNK(member.external_attr >> 16):
        return msg("A part of the archive is only a link to another file. Pack the file itself.")
    if member.flag_bits & 0x1:
        return msg("The archive is locked with a password. Pack it again without one.")
    if member.compress_type not in _METHODS and not member.is_dir():
        return msg("The archive is packed in an unusual way. Pack it again as a common ZIP file.")
    return None


def find_gzip_problem(source: IO[bytes], packed: int) -> Message | None:
    """Return what speaks against a ``.gz`` file of ``packed`` bytes, None where it unpacks to what such files hold."""
    unpacked = 0
    most = min(MAX_GZIP_BYTES, max(FREE_BYTES, packed * MAX_GZIP_RATIO))
    try:
        with gzip.open(source) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                unpacked += len(chunk)
                if unpacked > most:
                    return TOO_MUCH
    except (OSError, EOFError, zlib.error):
        return msg("The packed file is damaged and cannot be opened.")
    return None


def check_gzip(file: Path) -> None:
    """Raise ``DataError`` where a ``.gz`` file unpacks to too much; a damaged one is told by its reader."""
    with file.open("rb") as opened:
        problem = find_gzip_problem(opened, file.stat().st_size)
    if problem == TOO_MUCH:
        raise DataError(DataIssue("file", "error", problem, file=file.name))


def check_archive(file: Path) -> None:
    """Raise ``DataError`` with everything that speaks against unpacking ``file``."""
    problems = list_archive_problems(file)
    if problems:
        raise DataError(
            [DataIssue("file", "error", problem, file=file.name, found=found) for problem, found in problems[:20]]
        )


def list_packed_layers(file: Path) -> list[PackedLayer]:
    """Return the layers that a zip archive holds, in its order: shapefiles, GeoPackages, GeoJSON.

    A layer is called as its file, without folders and ending; hidden files and those of other programs are passed over.
    """
    check_archive(file)
    found: dict[tuple[str, str], dict[str, str]] = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            path = PurePosixPath(_decode_name(member))
            ending = path.suffix.lower()
            hidden = path.name.startswith(".") or "__MACOSX" in path.parts
            if hidden or member.is_dir() or ending not in SHAPEFILE_PARTS + WHOLE_LAYERS:
                continue
            kind = ".shp" if ending in SHAPEFILE_PARTS else ending
            found.setdefault((str(path.with_suffix("")).lower(), kind), {}).setdefault(ending, member.filename)
    return [
        PackedLayer(PurePosixPath(_decode_text(next(iter(parts.values())))).stem, kind, parts)
        for (_, kind), parts in found.items()
        if kind in parts
    ]


def _decode_name(member: zipfile.ZipInfo) -> str:
    return member.filename.replace("\\", "/") if member.flag_bits & 0x800 else _decode_text(member.filename)


def _decode_text(name: str) -> str:
    """Return a member's name as it was meant: Chinese Windows packs names in GBK without saying so."""
    try:
        return name.encode("cp437").decode("gbk").replace("\\", "/")
    except UnicodeError:
        return name.replace("\\", "/")


@contextmanager
def unpack_layer(file: Path, layer: PackedLayer) -> Iterator[Path]:
    """Unpack the parts of one layer into a folder of their own, and give the path of its main part.

    Raises
    ------
    DataError
        A part is damaged, or unpacks to more than it said.
    """
    with TemporaryDirectory(prefix="buju-zip-") as folder:
        with zipfile.ZipFile(file) as archive:
            for ending, name in layer.parts.items():
                _unpack_part(archive, name, Path(folder) / f"layer{ending}", file)
        yield Path(folder) / f"layer{layer.ending}"


def _unpack_part(archive: zipfile.ZipFile, name: str, target: Path, file: Path) -> None:
    told = archive.getinfo(name).file_size
    written = 0
    try:
        with archive.open(name) as source, target.open("xb") as output:
            while chunk := source.read(_CHUNK_BYTES):
                written += len(chunk)
                if written > told:
                    break
                output.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if is_disk_full(error):
            raise
        raise DataError(DataIssue("file", "error", DAMAGED, file=file.name, found=str(error)[:200])) from error
    if written > told:
        problem = TOO_MUCH
        raise DataError(DataIssue("file", "error", problem, file=file.name, found=f"> {told:,}"))
