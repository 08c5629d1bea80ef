"""One pass over an OpenStreetMap file for all features that a study asks of it.

Schools, buildings, places, municipalities, house numbers and water of one file are asked for by several readers, one
after another. Within :func:`keep_features` the first of them reads what all of them will want; outside it each reads
what it wants itself. What was read is given back when the block ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from geodata.archives import check_gzip
from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.pbf_words import DamagedBlockError, check_words
from geodata.study_file import StudySpec

TAGS = frozenset([
    "addr:housenumber", "addr:place", "addr:street", "admin_level", "amenity", "boundary", "building",
    "building:levels", "isced:level", "landuse", "name", "natural", "place", "population", "school", "school:type",
    "water", "waterway",
])  # fmt: skip
"""The tags that the readers of :mod:`geodata.osm_features` look at; no others are kept."""

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What one reader wants: elements with any of the keys; ``n`` nodes, ``w`` open ways as lines, ``a`` areas."""

    keys: tuple[str, ...]
    kinds: str


SCHOOLS = Request(("amenity",), "na")
BUILDINGS = Request(("building",), "a")
PLACES = Request(("place",), "n")
AREAS = Request(("boundary",), "a")
ADDRESSES = Request(("addr:housenumber",), "na")
WATER = Request(("waterway", "natural", "landuse", "water"), "wa")


@dataclass(frozen=True, slots=True)
class Feature:
    """One element with its tags and its shape (WKB in hexadecimal); ``kind`` is l (a line), n, w or r.

    Areas are ``w`` or ``r``, by what they are drawn of.
    """

    kind: str
    number: int
    tags: Mapping[str, str]
    wkb: str

    @property
    def osm_id(self) -> str:
        """``n123``, ``w123`` or ``r123``."""
        return f"{'w' if self.kind == 'l' else self.kind}{self.number}"


_ENTITY = {"n": "n", "l": "w", "w": "a", "r": "a"}


@dataclass
class _Kept:
    """What has been read for a study: the features of each file, and what was made of a file besides."""

    plan: Mapping[Path, tuple[Request, ...]]
    features: dict[Path, list[Feature]] = field(default_factory=dict)
    others: dict[tuple[str, Path], Any] = field(default_factory=dict)


_KEPT: ContextVar[_Kept | None] = ContextVar("kept_features", default=None)


@contextmanager
def keep_features(spec: StudySpec) -> Iterator[None]:
    """Keep what is read of OpenStreetMap files while a study is built."""
    token = _KEPT.set(_Kept(_plan(spec)))
    try:
        yield
    finally:
        _KEPT.reset(token)


def keep_other(name: str, path: Path, read: Callable[[], T]) -> T:
    """Return what ``read`` returns; within :func:`keep_features` it is called once for a name and a file."""
    kept = _KEPT.get()
    if kept is None:
        return read()
    key = (name, path.resolve())
    if key not in kept.others:
        kept.others[key] = read()
    found: T = kept.others[key]
    return found


def read_features(path: str | Path, request: Request) -> list[Feature]:
    """Return the elements that a reader wants; those of one kind in the order of the file.

    Elements whose shape is broken or lies outside the extract are left out, as every map drawn from OSM does.

    Raises ``DataError`` where the file is absent or is not OSM.
    """
    path = require_file(path)
    kept = _KEPT.get()
    planned = kept.plan.get(path.resolve(), ()) if kept is not None else ()
    if kept is None or request not in planned:
        return _read(path, (request,))
    features = kept.features.get(path.resolve())
    if features is None:
        features = kept.features[path.resolve()] = _read(path, planned)
    keys = frozenset(request.keys)
    return [
        feature for feature in features if _ENTITY[feature.kind] in request.kinds and not keys.isdisjoint(feature.tags)
    ]


def require_file(path: str | Path) -> Path:
    """Return the path of a file that is there and, where it is packed, unpacks to a bounded size."""
    path = Path(path)
    if not path.is_file():
        raise DataError(tell_unreadable_osm(path, "no such file"))
    if path.suffix.lower() == ".gz":
        check_gzip(path)
    if path.suffix.lower() == ".pbf":
        try:
            check_words(path)
        except DamagedBlockError as error:
            raise DataError(tell_unreadable_osm(path, str(error))) from error
    return path


def tell_unreadable_osm(path: Path, found: str) -> DataIssue:
    """Return the issue of a file that is absent, is broken, or is not OpenStreetMap."""
    return DataIssue(
        "osm_file",
        "error",
        msg("The OpenStreetMap file cannot be read."),
        file=path.name,
        found=found,
        cure=msg("Give a file ending in .osm.pbf, .osm or .osm.gz."),
    )


def _plan(spec: StudySpec) -> dict[Path, tuple[Request, ...]]:
    """Return what the readers of a study will want of each file."""
    found: dict[Path, tuple[Request, ...]] = {}
    asked: Iterable[tuple[Any, tuple[Request, ...]]] = (
        (spec.schools, (SCHOOLS,)),
        (spec.population, (BUILDINGS, PLACES, AREAS)),
        (spec.buildings, (BUILDINGS,)),
        (spec.roads, (ADDRESSES, WATER)),
        (spec.addresses, (ADDRESSES,)),
    )
    for source, requests in asked:
        if source is not None and source.path:
            path = spec.resolve(source.path).resolve()
            found[path] = tuple(dict.fromkeys([*found.get(path, ()), *requests]))
    return found


def _read(path: Path, requests: tuple[Request, ...]) -> list[Feature]:
    import osmium

    try:
        return list(_walk(path, requests))
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        raise DataError(tell_unreadable_osm(path, str(error))) from error


def _walk(path: Path, requests: tuple[Request, ...]) -> Iterator[Feature]:
    """Yield every element that one of the requests wants."""
    import osmium

    factory = osmium.geom.WKBFactory()
    wanted = {kind: _list_keys(requests, kind) for kind in "nwa"}
    reader = osmium.FileProcessor(str(path.resolve()))
    if wanted["a"]:
        reader = reader.with_areas(osmium.filter.KeyFilter(*wanted["a"]))
    elif wanted["w"]:
        reader = reader.with_locations()
    entities = {"n": osmium.osm.NODE, "w": osmium.osm.WAY, "a": osmium.osm.AREA}
    chosen = osmium.osm.NOTHING
    for kind, keys in wanted.items():
        if keys:
            chosen |= entities[kind]
            wants = osmium.filter.KeyFilter(*keys)
            wants.enable_for(entities[kind])  # elements of other kinds pass
            reader = reader.with_filter(wants)
    element: Any
    for element in reader.with_filter(osmium.filter.EntityFilter(chosen)):
        kind = "a" if element.is_area() else "n" if element.is_node() else "w"
        tags = {tag.k: tag.v for tag in element.tags if tag.k in TAGS}
        try:
            shape = _draw(element, factory, kind)
        except (RuntimeError, osmium.InvalidLocationError):
            continue
        if shape is not None:
            yield Feature(shape[0], shape[1], tags, shape[2])


def _list_keys(requests: tuple[Request, ...], kind: str) -> tuple[str, ...]:
    """Return every key by which a request wants elements of a kind."""
    return tuple(dict.fromkeys(key for request in requests if kind in request.kinds for key in request.keys))


def _draw(element: Any, factory: Any, kind: str) -> tuple[str, int, str] | None:
    """Return kind, number and hexadecimal WKB of an element; ``None`` for a way of one node."""
    if kind == "a":
        return "w" if element.from_way() else "r", element.orig_id(), factory.create_multipolygon(element)
    if kind == "n":
        return "n", element.id, factory.create_point(element)
    return ("l", element.id, factory.create_linestring(element)) if len(element.nodes) > 1 else None
