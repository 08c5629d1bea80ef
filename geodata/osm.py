"""Roads of an OpenStreetMap file as arrays: ``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``.

Two passes: first the ways with a ``highway`` tag, then the places of their nodes. Only the tags that routing and
drawing need are kept. Node places go through osmium's own index, which holds 16 bytes for each node of the file.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium
import pandas as pd

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
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
    with translate_osm_errors(path):
        date = _read_date(path)
        way_start, refs, tags = _read_ways(path)
        if not len(refs):
            cure = msg("Use an extract that holds highways, for instance a whole county from a public OSM server.")
            raise DataError(DataIssue("osm_file", "error", msg("No road in this file."), file=path.name, cure=cure))
        node_id, position = np.unique(refs, return_inverse=True)
        x, y = _read_places(path, node_id)
        barriers = _read_barriers(path, node_id)
    found = x != _NO_PLACE
    renumber = np.where(found, np.cumsum(found) - 1, -1).astype(np.int32)
    barriers = barriers.assign(node=renumber[barriers["node"].to_numpy(dtype=np.int64)])
    return RawRoads(
        node_id=node_id[found],
        lon_deg=x[found] * _SCALE,
        lat_deg=y[found] * _SCALE,
        way_start=way_start,
        way_nodes=renumber[position.reshape(-1)],
        tags=tags,
        barriers=barriers[barriers["node"] >= 0].reset_index(drop=True),
        source=path.name,
        date=date,
    )


@contextmanager
def translate_osm_errors(path: Path) -> Iterator[None]:
    """Turn osmium's errors about ``path`` into :class:`DataError`; also refuses a file that is not there."""
    if not path.is_file():
        cure = msg("Check the path in study.toml; it is taken from the folder of that file.")
        raise DataError(DataIssue("osm_file", "error", msg("The road file is missing."), file=path.name, cure=cure))
    try:
        yield
    except (RuntimeError, OSError, UnicodeDecodeError, osmium.InvalidLocationError) as error:
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


def _read_date(path: Path) -> str:
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        header = reader.header()
        return str(header.get("osmosis_replication_timestamp") or header.get("timestamp") or "")[:10]


def _read_ways(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], pd.DataFrame]:
    """Return the offsets of the ways, their node ids one after another, and the tags."""
    sizes, refs = array("q", [0]), array("q")
    words: list[dict[str, int]] = [{"": 0} for _ in WAY_TAGS]
    codes = [array("i") for _ in WAY_TAGS]
    columns = list(zip(WAY_TAGS, words, codes, strict=True))
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
        nodes = [node.ref for node in way.nodes]  # type: ignore[union-attr]
        refs.extend(nodes)
        sizes.append(len(nodes))
        tags = way.tags
        for key, vocabulary, column in columns:
            value = tags.get(key)
            column.append(0 if value is None else vocabulary.setdefault(value, len(vocabulary)))
    frame = pd.DataFrame(
        {
            key: pd.Categorical.from_codes(np.array(column, dtype=np.int32), pd.Index(list(vocabulary)))
            for key, vocabulary, column in columns
        }
    )
    return np.cumsum(np.array(sizes, dtype=np.int64)), np.array(refs, dtype=np.int64), frame


def _read_places(path: Path, node_id: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the places of the nodes named, as osmium's integers; ``_NO_PLACE`` where the file has none."""
    x = np.full(len(node_id), _NO_PLACE, dtype=np.int32)
    y = np.full(len(node_id), _NO_PLACE, dtype=np.int32)
    table = osmium.index.create_map("sparse_mem_array")
    handler = osmium.NodeLocationsForWays(table)
    handler.ignore_errors()
    with osmium.io.Reader(str(path), osmium.osm.NODE) as reader:
        is_sorted = reader.header().get("sorting") == "Type_then_ID"
        osmium.apply(reader, handler)
    first = int(np.searchsorted(node_id, 0))  # the index knows no negative ids
    for position, key in enumerate(node_id[first:].tolist(), start=first):
        try:
            place = table.get(key)
        except KeyError:
            continue
        x[position], y[position] = place.x, place.y
    if not is_sorted and (x == _NO_PLACE).any():
        # The index needs rising positive ids; files drawn by hand may have others.
        missing = {int(node_id[position]): position for position in np.flatnonzero(x == _NO_PLACE)}
        for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
            if node.id in missing:
                place = node.location  # type: ignore[union-attr]
                x[missing[node.id]], y[missing[node.id]] = place.x, place.y
    return x, y


def _read_barriers(path: Path, node_id: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return the barrier nodes that lie on roads."""
    rows = [
        (node.id, *(node.tags.get(key) or "" for key in NODE_TAGS))
        for node in osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.KeyFilter("barrier"))
    ]
    frame = pd.DataFrame(rows, columns=["node", *NODE_TAGS])
    ids = frame["node"].to_numpy(dtype=np.int64)
    position = np.minimum(np.searchsorted(node_id, ids), len(node_id) - 1)
    on_road = node_id[position] == ids if len(ids) else np.zeros(0, dtype=bool)
    return frame.assign(node=position)[on_road].reset_index(drop=True)
