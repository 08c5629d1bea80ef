"""Roads of an OpenStreetMap file as arrays: ``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``.

One pass. osmium decodes the file, lays the places of the nodes into the ways, keeps what is tagged ``highway`` or
``barrier``, and writes it as lines of text (OPL) into a temporary file, all without a step in Python for each element;
the lines are then taken apart by the thousand. Only the tags that routing and drawing need are kept. Node places go
through osmium's own index, which holds 16 bytes for each node of the file.
"""

from __future__ import annotations

import ctypes
import io
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium
import pandas as pd

from geodata.archives import check_gzip
from geodata.disk import is_disk_full, require_room
from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.pbf_words import check_words
from geodata.study import FrozenArrays

OSM_SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".osm.xml")
WAY_TAGS = (
    "highway", "name", "name:zh", "ref", "oneway", "junction", "access", "foot", "bicycle", "motor_vehicle", "vehicle",
    "motorcar", "maxspeed", "motorroad", "area", "oneway:bicycle", "cycleway", "cycleway:left", "cycleway:right",
    "cycleway:both",
)  # fmt: skip
NODE_TAGS = ("barrier", "access", "foot", "bicycle", "vehicle", "motor_vehicle", "motorcar")
_SCALE = 1e-7  # osmium keeps places as integers of 1e-7 degrees
_NO_PLACE = np.iinfo(np.int32).max
CHUNK_BYTES = 2_000_000
"""Lines are taken apart in pieces of about this size."""
_ROOM = {".pbf": 8, ".gz": 30, ".bz2": 40}
"""The most bytes of lines by byte of the file; asked for first, as osmium ends the program where a disk runs full."""
_TO_ROWS = bytes.maketrans(b",xy", b"\n,,")
_ROW_TYPES = {"node": np.int64, "lon": np.float64, "lat": np.float64}
_ESCAPE = re.compile("%([0-9a-fA-F]{1,6})%")


@dataclass(frozen=True, eq=False)
class RawRoads(FrozenArrays):
    """Ways with a ``highway`` tag as any reader delivers them, still in degrees.

    The nodes of way ``w`` are ``way_nodes[way_start[w]:way_start[w+1]]``: positions in ``node_id``, or -1 where the
    file does not hold the node (clipped extracts). ``tags``: one row per way, a categorical column per key of
    ``WAY_TAGS``, "" = not tagged. ``barriers``: tagged barrier nodes, columns ``node`` (position) and ``NODE_TAGS``.
    """

    node_id: npt.NDArray[np.int64]
    lon_deg: npt.NDArray[np.float64]
    lat_deg: npt.NDArray[np.float64]
    way_start: npt.NDArray[np.int64]
    way_nodes: npt.NDArray[np.int32]
    tags: pd.DataFrame
    barriers: pd.DataFrame
    source: str = ""
    date: str = ""


def read_osm_roads(path: str | Path) -> RawRoads:
    """Read every way with a ``highway`` tag and the nodes it needs.

    Raises
    ------
    DataError
        The file is missing, is damaged, or holds no road.
    """
    path = Path(path)
    with translate_osm_errors(path), tempfile.TemporaryDirectory(prefix="buju-osm-") as folder:
        require_room(Path(folder), path.stat().st_size * _ROOM.get(path.suffix.lower(), 2))
        lines = Path(folder) / "roads.opl"
        date, is_sorted = _write_lines(path, lines)
        ways = _Ways()
        with lines.open("rb") as file:
            while chunk := file.readlines(CHUNK_BYTES):
                ways.take(chunk)
        tags, barriers = ways.build_tags(), [(number, dict(_split_tags(text))) for number, text in ways.barriers]
    if not ways.refs:
        cure = msg("Use an extract that holds highways, for instance a whole county from a public OSM server.")
        raise DataError(DataIssue("osm_file", "error", msg("No road in this file."), file=path.name, cure=cure))
    refs, lon, lat = (np.concatenate(parts) for parts in (ways.refs, ways.lon, ways.lat))
    node_id, first, position = np.unique(refs, return_index=True, return_inverse=True)
    x, y = np.asarray(lon[first], dtype=np.int32), np.asarray(lat[first], dtype=np.int32)
    if not is_sorted and (x == _NO_PLACE).any():
        with translate_osm_errors(path):
            _find_lost_places(path, node_id, x, y)
    found = x != _NO_PLACE
    renumber = np.where(found, np.cumsum(found) - 1, -1).astype(np.int32)
    return RawRoads(
        node_id=node_id[found],
        lon_deg=x[found] * _SCALE,
        lat_deg=y[found] * _SCALE,
        way_start=np.concatenate([[0], np.cumsum(np.array(ways.sizes, dtype=np.int64))]),
        way_nodes=renumber[position.reshape(-1)],
        tags=tags,
        barriers=_build_barriers(barriers, node_id[found]),
        source=path.name,
        date=date,
    )


@contextmanager
def translate_osm_errors(path: Path) -> Iterator[None]:
    """Turn osmium's errors about ``path`` into :class:`DataError`; also refuses a file that is not there."""
    if not path.is_file():
        cure = msg("Check the path in study.toml; it is taken from the folder of that file.")
        raise DataError(DataIssue("osm_file", "error", msg("The road file is missing."), file=path.name, cure=cure))
    if path.suffix.lower() == ".gz":
        check_gzip(path)
    try:
        if path.suffix.lower() == ".pbf":
            check_words(path)
        yield
    except (RuntimeError, OSError, ValueError, LookupError, osmium.InvalidLocationError) as error:
        if is_disk_full(error):
            raise
        raise DataError(
            DataIssue(
                "osm_file",
                "error",
                msg("The OpenStreetMap file is damaged or of another kind."),
                file=path.name,
                found=str(error)[:200],
                expected=msg("A .osm.pbf, .osm, .osm.gz or .osm.bz2 file."),
                cure=msg("Download the file again, or export it anew."),
            )
        ) from error


def _write_lines(path: Path, lines: Path) -> tuple[str, bool]:
    """Write ways with places of their nodes, and barrier nodes, as OPL; return the file's date, and if it is sorted."""
    table = osmium.index.create_map("sparse_mem_array")
    places = osmium.NodeLocationsForWays(table)
    places.ignore_errors()
    target = osmium.io.File(str(lines), "opl,locations_on_ways=true,add_metadata=false")
    with osmium.io.Reader(str(path), osmium.osm.NODE | osmium.osm.WAY) as reader:
        header = reader.header()
        writer, closed = osmium.SimpleWriter(target), False
        try:
            osmium.apply(reader, places, osmium.filter.KeyFilter("highway", "barrier"), writer)
            writer.close()
            closed = True
        finally:
            if (
                not closed
            ):  # a writer that failed ends the program when it is cleared away (its destructor throws): keep it
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(writer))
        date = str(header.get("osmosis_replication_timestamp") or header.get("timestamp") or "")[:10]
        return date, header.get("sorting") == "Type_then_ID"


@dataclass
class _Ways:
    """Ways and barrier nodes, gathered from lines of OPL: ``w7 Thighway=path,name=A Nn1x0.1y51.2,n2x0.2y51.3``.

    Ways with equal tags are many: each text of tags is taken apart once, ``tag_of`` counts in ``tag_rows``.
    """

    sizes: list[int] = field(default_factory=list)
    refs: list[npt.NDArray[np.int64]] = field(default_factory=list)
    lon: list[npt.NDArray[np.int32]] = field(default_factory=list)
    lat: list[npt.NDArray[np.int32]] = field(default_factory=list)
    barriers: list[tuple[int, bytes]] = field(default_factory=list)
    tag_of: list[int] = field(default_factory=list)
    tag_numbers: dict[bytes, int] = field(default_factory=dict)

    def take(self, chunk: Iterable[bytes]) -> None:
        """Add lines."""
        nodes: list[bytes] = []
        for line in chunk:
            if line.startswith(b"w"):
                head, _, tail = line.rstrip(b"\n").rpartition(b" N")
                tags = head.partition(b" T")[2]
                if tags.startswith(b"highway=") or b",highway=" in tags:  # the others are walls and fences
                    self.tag_of.append(self.tag_numbers.setdefault(tags, len(self.tag_numbers)))
                    self.sizes.append(tail.count(b"n"))
                    nodes.append(tail)
            elif line.startswith(b"n"):
                number, _, rest = line.partition(b" T")
                self.barriers.append((int(number[1:]), rest.partition(b" ")[0]))
        text = b",".join(part for part in nodes if part).translate(_TO_ROWS, b"n")
        if not text:
            return
        names = ["node", "lon", "lat"]
        rows = pd.read_csv(io.BytesIO(text), header=None, names=names, dtype=_ROW_TYPES, engine="c", low_memory=False)
        places = rows[["lon", "lat"]].to_numpy() / _SCALE
        whole: npt.NDArray[np.int32] = np.where(np.isnan(places), _NO_PLACE, np.rint(places)).astype(np.int32)
        self.refs.append(rows["node"].to_numpy())
        self.lon.append(whole[:, 0])
        self.lat.append(whole[:, 1])

    def build_tags(self) -> pd.DataFrame:
        """Return one row per way, a categorical column per key of :data:`WAY_TAGS`."""
        words: dict[str, dict[str, int]] = {key: {"": 0} for key in WAY_TAGS}
        codes = {key: np.zeros(len(self.tag_numbers), dtype=np.int32) for key in WAY_TAGS}
        for row, text in enumerate(self.tag_numbers):
            for key, value in _split_tags(text):
                vocabulary = words.get(key)
                if vocabulary is not None:
                    codes[key][row] = vocabulary.setdefault(value, len(vocabulary))
        rows = np.array(self.tag_of, dtype=np.int64)
        return pd.DataFrame(
            {key: pd.Categorical.from_codes(codes[key][rows], pd.Index(list(words[key]))) for key in WAY_TAGS}
        )


def _split_tags(text: bytes) -> Iterator[tuple[str, str]]:
    """Yield key and value of each tag of an OPL line; ``%20%`` there is the character with that hexadecimal number."""
    for pair in text.decode().split(","):
        if "%" in pair:
            key, _, value = (_ESCAPE.sub(lambda match: chr(int(match[1], 16)), part) for part in pair.partition("="))
        else:
            key, _, value = pair.partition("=")
        yield key, value


def _find_lost_places(
    path: Path, node_id: npt.NDArray[np.int64], x: npt.NDArray[np.int32], y: npt.NDArray[np.int32]
) -> None:
    """Fill in the places that osmium's index did not know: it needs rising positive ids, and nodes before ways.

    Files drawn by hand may have neither.
    """
    missing = {int(node_id[position]): position for position in np.flatnonzero(x == _NO_PLACE)}
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
        if node.id in missing:
            place = node.location  # type: ignore[union-attr]
            x[missing[node.id]], y[missing[node.id]] = place.x, place.y


def _build_barriers(nodes: list[tuple[int, dict[str, str]]], node_id: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return the barrier nodes that lie on roads."""
    numbers = np.array([number for number, _ in nodes], dtype=np.int64)
    position = np.minimum(np.searchsorted(node_id, numbers), max(len(node_id) - 1, 0))
    rows = []
    for row in np.flatnonzero(node_id[position] == numbers) if len(node_id) and len(nodes) else ():
        tags = nodes[row][1]
        if "barrier" in tags:  # the others carry a tag highway: crossings, stops
            rows.append((int(position[row]), *(tags.get(key, "") for key in NODE_TAGS)))
    frame = pd.DataFrame(rows, columns=["node", *NODE_TAGS])
    return frame.astype({"node": np.int64})
