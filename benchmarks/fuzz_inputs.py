"""Seeds for fuzzing the readers, and the ways to break them: small files of every kind, from real cases and drawn."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

MAX_SEED_BYTES = 2_500_000
MAGIC = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WORDS = (
    b"", b"nan", b"inf", b"-1", b"1e400", b"-0", b"1,234", b"0x1F", b"=1+1", b"{{7*7}}", b"{% print(1) %}", b"<b>",
    b'"', b"'", b"\\", b"\x00", b"\n", b"\t", b"2026-13-45", b"TRUE", b"#DIV/0!", b"9" * 400, b"x" * 70_000,
    *(word.encode() for word in ("１２３", "３０人", "小学", "\u202eabc", "null", "é", "😀", "\ufeff", "½", "合计")),
)  # fmt: skip
REAL = (
    "monaco/monaco-2016-03_osrm_bindings.osm.pbf", "sao_paulo_r5r/spo_osm.pbf", "helsinki/pyrosm_test_kotka.osm.pbf",
    "helsinki/helsinki_population_grid_2020.gpkg", "henan_kong/gongyi.gpkg", "porto_alegre_r5r/poa_hexgrid.csv",
    "porto_alegre_r5r/poa_population_0002deg.tif", "porto_alegre_r5r/poa_elevation.tif", "refs/poa_walk_nodes.parquet",
)  # fmt: skip
SHAPEFILE = "reykjavik_gostnets/rek_grid_pop"


def build_seeds(cases: Path) -> dict[str, list[bytes]]:
    """Return contents of files by ending. ``cases`` is the folder of real cases; what is not there is left out."""
    seeds: dict[str, list[bytes]] = {}
    for name in REAL:
        path = cases / name
        if path.is_file() and path.stat().st_size <= MAX_SEED_BYTES:
            seeds.setdefault(path.name.split(".", 1)[1], []).append(path.read_bytes())
    for ending, content in _draw_seeds(cases):
        seeds.setdefault(ending, []).append(content)
    return seeds


def _draw_seeds(cases: Path) -> list[tuple[str, bytes]]:
    import tempfile

    import geopandas as gpd
    import shapely

    from tests.ui.sample_files import write_layers, write_messy_workbook, write_roads, write_schools, write_villages

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = write_schools(folder / "s.csv", broken=False).read_bytes()
        villages = write_villages(folder / "v.csv").read_bytes()
        book = write_messy_workbook(folder / "b.xlsx", mended=False).read_bytes()
        roads = write_roads(folder / "r.osm").read_bytes()
        layers = write_layers(folder / "l.gpkg").read_bytes()
        shapes = [shapely.Point(113, 34.7), shapely.box(113, 34.7, 113.1, 34.8), shapely.LineString([(1, 2), (3, 4)])]
        frame = gpd.GeoDataFrame({"名称": ["甲", "乙", "丙"], "n": [1.5, 2, None]}, geometry=shapes, crs=4326)
        frame.to_file(folder / "g.geojson")
        frame.to_parquet(folder / "g.parquet")
        frame[:1].to_file(folder / "g.shp", encoding="GBK")
        parts = sorted(folder.glob("g.*")) if not (cases / f"{SHAPEFILE}.shp").is_file() else []
        parts += sorted((cases / SHAPEFILE).parent.glob(Path(SHAPEFILE).name + ".*"))
        page = "<html><meta charset=gb2312><table><tr><th colspan=2>甲<th>乙</tr><tr><td rowspan=3>1<td>2<td>3</table>"
        return [
            ("csv", table), ("csv", villages), ("csv", table.decode().encode("gb18030")), ("xlsx", book),
            ("xls", page.encode("gb18030")), ("osm", roads), ("osm.gz", gzip.compress(roads, mtime=0)),
            ("gpkg", layers),
            ("geojson", (folder / "g.geojson").read_bytes()), ("parquet", (folder / "g.parquet").read_bytes()),
            ("zip", pack({part.name: part.read_bytes() for part in parts if part.suffix != ".geojson"})),
            ("zip", pack({"内/layer.geojson": (folder / "g.geojson").read_bytes()})),
            ("zip", pack({f"学校{end}": (folder / f"g{end}").read_bytes() for end in (".shp", ".shx", ".dbf")})),
            ("graphml", _GRAPH.encode()), ("toml", _STUDY.encode()),
        ]  # fmt: skip


def pack(parts: dict[str, bytes]) -> bytes:
    """Return a zip archive of parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def mutate(content: bytes, other: bytes, ending: str, rng: random.Random) -> bytes:
    """Return a broken copy: cut, flipped, overwritten, spliced with ``other``; inside of archives too."""
    if ending in ("xlsx", "zip") and rng.random() < 0.7:
        return _mutate_part(content, rng)
    if ending == "osm.gz" and rng.random() < 0.6:
        return gzip.compress(_mutate_bytes(gzip.decompress(content), b"", rng), mtime=0)
    if ending in ("pbf", "osm.pbf") and rng.random() < 0.6:
        return _mutate_blob(content, rng)
    if ending in ("csv", "toml") and rng.random() < 0.7:
        return _mutate_cells(content, rng)
    return _mutate_bytes(content, other, rng)


def _mutate_part(content: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    chosen = rng.choice(sorted(parts))
    action = rng.random()
    if action < 0.1:
        del parts[chosen]
    elif action < 0.15:
        parts[rng.choice(["../" + chosen, "/" + chosen, chosen.upper(), chosen + "/", "a\\" + chosen])] = parts[chosen]
    else:
        parts[chosen] = _mutate_bytes(parts[chosen], b"", rng)
    return pack(parts)


def _mutate_blob(content: bytes, rng: random.Random) -> bytes:
    """Break what is packed inside one block of an OpenStreetMap file, and pack it again as it should be."""
    number = rng.randrange(len(_list_blocks(content)))
    try:
        return edit_blob(content, number, lambda block: _mutate_bytes(block, b"", rng))
    except zlib.error:
        return _mutate_bytes(content, b"", rng)


def edit_blob(content: bytes, number: int, edit: Callable[[bytes], bytes]) -> bytes:
    """Return an OpenStreetMap file in which one block was unpacked, edited, and packed as it should be."""
    begin, head, size = _list_blocks(content)[number]
    blob = content[begin + 4 + head : begin + 4 + head + size]
    changed = edit(zlib.decompress(blob[blob.find(b"\x78") :]))
    packed = zlib.compress(changed)
    body = b"\x10" + _write_number(len(changed)) + b"\x1a" + _write_number(len(packed)) + packed
    name = b"OSMHeader" if begin == 0 else b"OSMData"
    header = b"\x0a" + _write_number(len(name)) + name + b"\x18" + _write_number(len(body))
    block = len(header).to_bytes(4, "big") + header + body
    return content[:begin] + block + content[begin + 4 + head + size :]


def _list_blocks(content: bytes) -> list[tuple[int, int, int]]:
    """Return where each block begins, the size of its header, and its own."""
    blocks, at = [], 0
    while at + 4 < len(content):
        head = int.from_bytes(content[at : at + 4], "big")
        size = _read_size(content[at + 4 : at + 4 + head])
        blocks.append((at, head, size))
        at += 4 + head + size
    return blocks


def _read_size(header: bytes) -> int:
    """Return the size of the block that a header announces (field 3, the last one)."""
    at, number, shift = header.rfind(b"\x18") + 1, 0, 0
    for byte in header[at:]:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return number


def _write_number(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _mutate_cells(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(lines))
        cells = lines[at].split(b",")
        cells[rng.randrange(len(cells))] = rng.choice(WORDS)
        lines[at] = b",".join(cells)
    if rng.random() < 0.2:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return b"\n".join(lines)


def _mutate_bytes(content: bytes, other: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    actions: list[Callable[[bytearray, bytes, random.Random], None]] = [
        _cut,
        _flip,
        _overwrite,
        _drop,
        _double,
        _splice,
    ]
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8, 30])):
        rng.choices(actions, [1, 6, 6, 2, 2, 2])[0](data, other, rng)
    return bytes(data)


def _place(data: bytearray, rng: random.Random) -> int:
    """Return a position; heads of files are favoured."""
    return rng.randrange(min(len(data), 512) if rng.random() < 0.3 else len(data)) if data else 0


def _cut(data: bytearray, _other: bytes, rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _flip(data: bytearray, _other: bytes, rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, _other: bytes, rng: random.Random) -> None:
    at, size = _place(data, rng), rng.choice([1, 2, 4, 8])
    number = (rng.choice(MAGIC) & ((1 << (8 * size)) - 1)).to_bytes(size, rng.choice(["little", "big"]))
    piece = rng.choice(WORDS) if rng.random() < 0.3 else number
    data[at : at + len(piece)] = piece


def _drop(data: bytearray, _other: bytes, rng: random.Random) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice([1, 4, 100, 5000])]


def _double(data: bytearray, _other: bytes, rng: random.Random) -> None:
    at = _place(data, rng)
    data[at:at] = data[at : at + rng.choice([1, 4, 100, 5000])] * rng.choice([1, 2, 50])


def _splice(data: bytearray, other: bytes, rng: random.Random) -> None:
    if other:
        start = rng.randrange(len(other))
        data[_place(data, rng) :] = other[start : start + 200_000]


_STUDY = """name = "x"
crs = "EPSG:32649"
[schools]
path = "s.csv"
columns = { school_id = "a", lon_deg = "b" }
year = 2025
[population]
path = "v.csv"
kind = "points"
share = { primary = 0.06 }
[units]
kind = "grid"
cell_m = 500.0
[travel]
modes = ["walk"]
"""
_GRAPH = """<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="d0" for="node" attr.name="x" attr.type="string" />
<key id="d1" for="node" attr.name="y" attr.type="string" /><key id="d2" for="edge" attr.name="highway" />
<key id="d3" for="edge" attr.name="geometry" /><key id="d4" for="graph" attr.name="crs" />
<graph edgedefault="directed"><data key="d4">epsg:4326</data>
<node id="1"><data key="d0">113.0</data><data key="d1">34.7</data></node>
<node id="2"><data key="d0">113.1</data><data key="d1">34.7</data></node>
<edge source="1" target="2"><data key="d2">residential</data>
<data key="d3">LINESTRING (113.0 34.7, 113.05 34.71, 113.1 34.7)</data></edge></graph></graphml>
"""
