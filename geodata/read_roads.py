"""Roads of a study: from an OpenStreetMap file, osmnx's GraphML, a layer of lines, or the internet through osmnx."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from geodata.errors import DataError, DataIssue, NetworkError
from geodata.files import LAYER_ENDINGS
from geodata.graphml import build_from_graph, read_graphml
from geodata.messages import msg
from geodata.osm import OSM_SUFFIXES, RawRoads, read_osm_roads
from geodata.road_classes import read_road_classes
from geodata.road_layer import read_road_layer
from geodata.road_table import RoadTable, build_road_table
from geodata.study_file import StudySpec

CONNECT_TIMEOUT_S = 6.0
DOWNLOAD_TIMEOUT_S = 180.0


def read_roads(spec: StudySpec, crs: str) -> RoadTable:
    """Read the roads that ``[roads]`` of the study names, with nodes in ``crs``.

    Raises
    ------
    DataError
        No roads are named, or the file cannot be used.
    NetworkError
        The roads are to be downloaded and the internet cannot be reached.
    """
    source = spec.roads
    if source is None or not (source.path or source.place or source.polygon):
        problem = msg("The study names no roads: give path, place or polygon under [roads].")
        raise DataError(DataIssue("roads", "error", problem, column="roads"))
    speeds = spec.resolve(source.speeds) if source.speeds else None
    classes = read_road_classes(speeds)
    if source.path and source.path.lower().endswith(LAYER_ENDINGS):
        return read_road_layer(spec.resolve(source.path), source, crs, classes)
    if source.path:
        raw = read_road_file(spec.resolve(source.path))
    else:
        polygon = _read_polygon(spec, source.polygon) if source.polygon else None
        raw = download_roads(source.place, polygon)
    return build_road_table(raw, crs, classes)


def read_road_file(path: str | Path) -> RawRoads:
    """Read a road file in degrees by the kind that its name tells: OpenStreetMap or GraphML."""
    path = Path(path)
    name = path.name.lower()
    if name.endswith(".graphml"):
        return read_graphml(path)
    if name.endswith(OSM_SUFFIXES):
        return read_osm_roads(path)
    raise DataError(
        DataIssue(
            "roads",
            "error",
            msg("This kind of road file is not known."),
            file=path.name,
            expected=msg("A file ending in .osm.pbf, .osm, .osm.gz, .osm.bz2 or .graphml, or a layer of lines."),
        )
    )


def download_roads(place: str, polygon: Any = None, *, timeout_s: float = CONNECT_TIMEOUT_S) -> RawRoads:
    """Download the roads of a named place, or inside a shapely polygon in degrees, through osmnx.

    ``timeout_s`` bounds the wait for an answer.

    Raises
    ------
    NetworkError
        The map server cannot be reached, does not know the place, or sends nothing.
    """
    import osmnx

    server = str(osmnx.settings.overpass_url)
    _require_internet(server, timeout_s)
    osmnx.settings.requests_timeout = DOWNLOAD_TIMEOUT_S
    osmnx.settings.useful_tags_way = sorted({*osmnx.settings.useful_tags_way, *_WANTED_TAGS})
    osmnx.settings.useful_tags_node = sorted({*osmnx.settings.useful_tags_node, *_WANTED_TAGS, "barrier"})
    options: dict[str, Any] = {"network_type": "all", "simplify": False, "retain_all": True}
    try:
        if polygon is not None:
            graph = osmnx.graph_from_polygon(polygon, **options)
        else:
            graph = osmnx.graph_from_place(place, **options)
    except _DOWNLOAD_ERRORS as error:
        raise NetworkError(
            msg(
                "The roads of {place} could not be downloaded: {reason}. "
                "Check the name of the place, or use a .osm.pbf file.",
                place=place or msg("the polygon"),
                reason=str(error)[:200],
            )
        ) from error
    return convert_osmnx_graph(graph, source=place or "polygon")


# osmnx raises ValueError and TypeError (unknown place), its own ValueErrors, and OSError (all of requests').
_DOWNLOAD_ERRORS = (OSError, ValueError, TypeError)
_WANTED_TAGS = ("access", "foot", "bicycle", "motor_vehicle", "vehicle", "motorcar", "motorroad", "name:zh", "cycleway")


def convert_osmnx_graph(graph: Any, *, source: str = "osmnx") -> RawRoads:
    """Return an unprojected osmnx graph (a networkx MultiDiGraph) as ways and tags."""

    def say(data: dict[str, Any]) -> dict[str, str]:
        return {str(key): _say(value) for key, value in data.items()}

    def edges() -> Iterator[tuple[str, str, dict[str, str]]]:
        for tail, head, data in graph.edges(data=True):
            yield str(tail), str(head), say(data)

    nodes = [(str(key), float(data["x"]), float(data["y"]), say(data)) for key, data in graph.nodes(data=True)]
    return build_from_graph(nodes, edges(), source=source, date=str(graph.graph.get("created_date", ""))[:10])


def _say(value: Any) -> str:
    """Return an attribute as text, shapes as WKT, of lists the first."""
    if isinstance(value, list):
        return str(value[0]) if value else ""
    return str(getattr(value, "wkt", value))


def _require_internet(url: str, timeout_s: float) -> None:
    """Raise ``NetworkError`` unless ``url`` answers; also bounds the name look-up, which has no timeout of its own."""
    import requests

    failure: list[Exception] = []

    def ask() -> None:
        try:
            requests.head(url, timeout=timeout_s, allow_redirects=False)
        except (requests.RequestException, OSError) as error:
            failure.append(error)

    if not _finishes(ask, timeout_s + 1.0) or failure:
        raise NetworkError(
            msg(
                "The map server {server} cannot be reached: there seems to be no internet here. "
                "Download a .osm.pbf file on another machine and give its path under [roads].",
                server=url.split("/")[2],
            )
        )


def _finishes(task: Callable[[], None], timeout_s: float) -> bool:
    """Run ``task`` in a thread and return whether it ended in time; a stuck one is left behind."""
    worker = threading.Thread(target=task, daemon=True)
    worker.start()
    worker.join(timeout_s)
    return not worker.is_alive()


def _read_polygon(spec: StudySpec, text: str) -> Any:
    """Return the polygon meant by ``[roads] polygon``: WKT in degrees, or a layer file whose shapes are joined."""
    import shapely

    if text.lstrip().upper().startswith(("POLYGON", "MULTIPOLYGON")):
        try:
            return shapely.from_wkt(text)
        except shapely.errors.GEOSException as error:
            problem = msg("The polygon under [roads] is not valid WKT.")
            raise DataError(DataIssue("roads", "error", problem, column="polygon", found=str(error)[:200])) from error
    import numpy as np

    from geodata.crs import WGS84
    from geodata.files import read_layer, require_layer_crs
    from geodata.shapes import project_shapes

    path = spec.resolve(text)
    layer = require_layer_crs(read_layer(path), "", path.name)
    shapes = project_shapes(np.asarray(layer.geometry.array), layer.crs.to_wkt(), WGS84)
    return shapely.union_all(shapely.make_valid(shapes))
