"""GraphML as osmnx writes it, read without osmnx and without trusting the file.

The parser refuses document types and entities, so a small file cannot grow in memory or read other files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np
import pandas as pd
import shapely

from geodata.errors import CrsError, DataError, DataIssue
from geodata.messages import Message, msg
from geodata.osm import NODE_TAGS, WAY_TAGS, RawRoads

NodeRow = tuple[str, float, float, dict[str, str]]
EdgeRow = tuple[str, str, dict[str, str]]


def read_graphml(path: str | Path) -> RawRoads:
    """Read a street graph that osmnx saved with ``save_graphml``, unprojected.

    Raises
    ------
    DataError
        The file is missing, is not GraphML, or holds no street graph in degrees.
    """
    path = Path(path)
    reader = _Reader()
    try:
        with path.open("rb") as stream:
            reader.parser.ParseFile(stream)
    except (OSError, LookupError, ValueError, expat.ExpatError, _RefusedError) as error:
        raise DataError(_issue(path, msg("The GraphML file cannot be read."), str(error))) from error
    crs = str(reader.graph.get("crs", "epsg:4326")).lower()
    if crs not in ("epsg:4326", "wgs84", "ogc:crs84"):
        problem = msg("The street graph is projected; a graph in degrees is needed.")
        cure = msg("Save the graph before projecting it (osmnx: save_graphml of the downloaded graph).")
        raise CrsError(DataIssue("graphml", "error", problem, file=path.name, found=crs[:80], cure=cure))
    try:
        nodes = [(key, float(data["x"]), float(data["y"]), data) for key, data in reader.nodes]
        return build_from_graph(nodes, reader.edges, source=path.name, date=reader.graph.get("created_date", "")[:10])
    except (KeyError, ValueError, shapely.errors.GEOSException) as error:
        raise DataError(_issue(path, msg("The GraphML file does not hold a street graph."), str(error))) from error


def build_from_graph(nodes: Iterable[NodeRow], edges: Iterable[EdgeRow], *, source: str, date: str = "") -> RawRoads:
    """Return a street graph as ways. ``nodes``: id, lon, lat, tags; ``edges``: from, to, tags.

    The two directions of one street are joined to one way; a street with one direction only becomes a one-way
    street. Curves (``geometry`` as text) become nodes of their own.
    """
    node_rows = list(nodes)
    position = {row[0]: number for number, row in enumerate(node_rows)}
    lon, lat = [row[1] for row in node_rows], [row[2] for row in node_rows]
    starts, way_nodes, tags = [0], list[int](), list[dict[str, str]]()
    for tail, head, data, both in _join_directions(edges):
        inner = _read_inner_points(data.get("geometry", ""))
        way_nodes.append(position[tail])
        way_nodes.extend(range(len(lon), len(lon) + len(inner)))
        way_nodes.append(position[head])
        lon.extend(point[0] for point in inner)
        lat.extend(point[1] for point in inner)
        starts.append(len(way_nodes))
        row = {key: _first(data.get(key, "")) for key in WAY_TAGS}
        row["oneway"] = "no" if both else "yes"
        row["junction"] = ""  # the directions are already in the graph
        tags.append(row)
    barriers = [
        (number, *(row[3].get(key, "") for key in NODE_TAGS))
        for number, row in enumerate(node_rows)
        if row[3].get("barrier")
    ]
    ids = np.full(len(lon), -1, dtype=np.int64)
    ids[: len(node_rows)] = [int(key) if key.lstrip("-").isdigit() else -1 for key in position]
    return RawRoads(
        node_id=ids,
        lon_deg=np.array(lon, dtype=np.float64),
        lat_deg=np.array(lat, dtype=np.float64),
        way_start=np.array(starts, dtype=np.int64),
        way_nodes=np.array(way_nodes, dtype=np.int32),
        tags=pd.DataFrame(tags, columns=list(WAY_TAGS)).astype("category"),
        barriers=pd.DataFrame(barriers, columns=["node", *NODE_TAGS]),
        source=source,
        date=date,
    )


def _join_directions(edges: Iterable[EdgeRow]) -> list[tuple[str, str, dict[str, str], bool]]:
    """Return each street once: from, to, tags, and whether both directions exist."""
    streets: dict[tuple[str, ...], list[object]] = {}
    for tail, head, data in edges:
        first, second = sorted((tail, head))
        try:
            length = f"{float(data.get('length', 'nan')):.0f}"
        except ValueError:
            length = ""
        osm_ids = ",".join(sorted(data.get("osmid", "").strip("[]").replace(" ", "").split(",")))
        key = (first, second, length, osm_ids)
        known = streets.get(key)
        if known is None:
            streets[key] = [tail, head, data, False]
        elif known[0] != tail:
            known[3] = True
    return [(str(tail), str(head), data, bool(both)) for tail, head, data, both in streets.values()]  # type: ignore[misc]


def _read_inner_points(text: str) -> list[tuple[float, float]]:
    """Return the points of a ``LINESTRING`` between its ends."""
    if not text:
        return []
    points = shapely.get_coordinates(shapely.from_wkt(text))
    return [(float(lon), float(lat)) for lon, lat in points[1:-1]]


def _first(text: str) -> str:
    """Return the first of osmnx's list texts: ``"['residential', 'service']"`` gives ``residential``."""
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1].split(",")[0].strip().strip("'\"")
    return text


def _issue(path: Path, problem: Message, found: str) -> DataIssue:
    cure = msg("Give a file written by osmnx (save_graphml), or use .osm.pbf.")
    return DataIssue("graphml", "error", problem, file=path.name, found=found[:200], cure=cure)


class _RefusedError(ValueError):
    """The file holds something that a street graph never needs."""


@dataclass
class _Reader:
    """Collects nodes and edges while expat reads."""

    nodes: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    edges: list[EdgeRow] = field(default_factory=list)
    graph: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._current: dict[str, str] = self.graph
        self._key = ""

    def _refuse(self, *_: object) -> None:
        raise _RefusedError("document types and entities are not accepted")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "key":
            self.keys[attributes["id"]] = attributes.get("attr.name", "")
        elif tag == "node":
            self._current = {}
            self.nodes.append((attributes["id"], self._current))
        elif tag == "edge":
            self._current = {}
            self.edges.append((attributes["source"], attributes["target"], self._current))
        elif tag == "data":
            self._key = self.keys.get(attributes.get("key", ""), "")

    def _end(self, tag: str) -> None:
        if tag == "data":
            self._key = ""
        elif tag in ("node", "edge"):
            self._current = self.graph

    def _text(self, text: str) -> None:
        if self._key:
            self._current[self._key] = self._current.get(self._key, "") + text
