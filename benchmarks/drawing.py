"""Drawing zones in the browser: load, repaint after a stroke, and the time until new numbers are on the page.

A made-up county of areas with 28 vertices each, on the small page of the browser tests; the peer is ``st_folium`` with
the same areas in the same run: a click gives one area, and the map is drawn again. Then the page Catchments itself,
with all of its numbers, on 5,000 cells of Porto Alegre. Repaint includes the drawing of the pixels.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app import CELLS_M, STUDY, TOKEN
from geodata.study_file import CASES_VARIABLE, compute_cases_folder
from tests.ui.app_driver import PATIENCE_S, RunningApp, open_browser, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

GRIDS = {"5,000": "50x100x100", "30,000": "150x200x300"}
STROKES = 9
UNITS_PER_STROKE = 15
PAGE = Path(__file__).resolve().parent.parent / "tests" / "ui" / "drawing_page.py"
PEER = Path(__file__).with_name("drawing_peer.py")
DRAWN = ".buju-map[data-version]"
STROKE = """async ([key, numbers, from, count, zone]) => {
  const map = globalThis.bujuMap.maps.get(key), units = Array.from({ length: count }, (_, i) => from + i);
  const flush = (...names) => names.forEach((name) =>
    map.canvases[name]._container.getContext("2d").getImageData(0, 0, 1, 1));
  const written = () => document.querySelector(numbers)?.outerHTML;
  const before = written();
  flush("units", "over");
  map.tools.zone = zone % map.parts.table.names.length;
  const started = performance.now();
  map.tools.apply("give", units);
  flush("units", "over");
  const painted = performance.now() - started;
  while (!written() || written() === before) await new Promise((next) => requestAnimationFrame(next));
  const answered = performance.now() - started;
  await map.queue;
  const again = performance.now();
  map.repaint();
  flush("units", "base", "over", "schools", "names");
  return [painted, answered, performance.now() - again, JSON.stringify(map.data).length / 1024];
}"""


def main() -> None:
    """Print the table."""
    print("| design | units | load s | repaint ms | numbers s | sent per stroke KB | whole map again ms |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        for label, grid in GRIDS.items():
            with start_app(_make_folder(name, grid), script=str(PAGE), BUJU_TEST_GRID=grid) as app:
                _warm(browser, app, "/")
                _print_row("own canvas", label, *measure_canvas(browser, app, "/", "drawing_map", ".moved"))
        with start_app(_make_folder(name, "peer"), script=str(PEER), BUJU_TEST_GRID=GRIDS["5,000"]) as app:
            load_s, answers = measure_peer(browser, app)
        answer = statistics.median(answers)
        print(f"| st_folium | 5,000 | {load_s:.1f} | {answer * 1000:.0f} | {answer:.2f} | everything | – |", flush=True)
        if (compute_cases_folder() / "porto_alegre_r5r").is_dir():
            folder = _make_folder(name, "page")
            units = _build_porto_alegre(folder)
            with start_app(folder, BUJU_CASES=str(compute_cases_folder().resolve())) as app:
                path = f"/catchments?study=upload-{TOKEN.format(1)}&lang=en"
                _warm(browser, app, path)
                figures = measure_canvas(browser, app, path, "catchments_map", "table.numbers")
            _print_row("page Catchments, Porto Alegre", f"{units:,}", *figures)


def _make_folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    return folder


def _print_row(design: str, units: str, load_s: float, rows: list[list[float]]) -> None:
    painted, numbers, whole, sent = (statistics.median(column) for column in zip(*rows, strict=True))
    worst = max(row[0] for row in rows)
    cells = f"{load_s:.1f} | {painted:.0f} (worst {worst:.0f}) | {numbers / 1000:.2f} | {sent:.0f} | {whole:.0f}"
    print(f"| {design} | {units} | {cells} |", flush=True)


def _build_porto_alegre(folder: Path) -> int:
    """Build a study of 5,000 cells into the cache of the app; return how many they are."""
    from geodata.build import read_study
    from geodata.cache import DiskCache
    from planning.rules import design_class_size, read_rulebook

    os.environ[CASES_VARIABLE] = str(compute_cases_folder().resolve())
    place = folder / "uploads" / TOKEN.format(1)
    place.mkdir(parents=True)
    (place / "study.toml").write_text(STUDY.format(cell_m=CELLS_M["5k"]), encoding="utf-8")
    sizes = design_class_size(read_rulebook("cn"))
    return len(read_study(place / "study.toml", design_class_size=sizes, cache=DiskCache(folder / "cache")).units)


def _warm(browser: Browser, app: RunningApp, path: str) -> None:
    """Open the map once, so that loading measures the map and not the making of the county."""
    with visit(browser, app) as seen:
        seen.page.goto(app.url + path)
        seen.page.wait_for_selector(DRAWN, timeout=PATIENCE_S * 1000)
        seen.settle()


def measure_canvas(
    browser: Browser, app: RunningApp, path: str, key: str, numbers: str
) -> tuple[float, list[list[float]]]:
    """Return seconds to load, and per stroke: repaint ms, numbers ms, whole repaint ms, KB of the answer.

    ``key`` names the map; ``numbers`` is the element of the page that a stroke rewrites.
    """
    with visit(browser, app) as seen:
        started = time.perf_counter()
        seen.page.goto(app.url + path)
        seen.page.wait_for_selector(DRAWN, timeout=PATIENCE_S * 1000)
        load_s = time.perf_counter() - started
        seen.settle()
        rows: list[list[float]] = []
        for number in range(STROKES):
            rows.append(seen.page.evaluate(STROKE, [key, numbers, 200 + number * 37, UNITS_PER_STROKE, number * 7 + 1]))
            seen.settle()
        seen.require_clean()
        # The first stroke warms up both sides.
        return load_s, rows[1:]


def measure_peer(browser: Browser, app: RunningApp) -> tuple[float, list[float]]:
    """Return seconds to load, and seconds from a click to new numbers and a map with the new colour."""
    # Folium asks the internet for Leaflet and for scripts that this map does not use: it gets this machine's Leaflet.
    leaflet = resources.files("js_lib_leaflet") / "static" / "js_lib_leaflet" / "leaflet.js"
    text = leaflet.read_text(encoding="utf-8")
    with visit(browser, app) as seen:
        seen.page.route(
            lambda url: "localhost" not in url,
            lambda route: route.fulfill(
                body=text if route.request.url.endswith("leaflet.js") else "",
                content_type="text/css" if route.request.url.endswith(".css") else "text/javascript",
                headers={"Access-Control-Allow-Origin": "*"},
            ),
        )
        _open_peer(seen.page, app)
        started = time.perf_counter()
        _open_peer(seen.page, app)
        load_s = time.perf_counter() - started
        answers = []
        for number in range(1, 4):
            seen.page.wait_for_timeout(1500)
            box = seen.page.locator("iframe").first.bounding_box()
            assert box is not None
            started = time.perf_counter()
            seen.page.mouse.click(box["x"] + box["width"] * (0.4 + 0.05 * number), box["y"] + box["height"] * 0.45)
            seen.page.wait_for_selector(f".moved[data-number='{number}']", timeout=PATIENCE_S * 1000)
            _wait_for_paths(seen.page, number)
            answers.append(time.perf_counter() - started)
        return load_s, answers


def _open_peer(page: Page, app: RunningApp) -> None:
    page.goto(app.url)
    page.wait_for_selector("iframe", timeout=PATIENCE_S * 1000)
    _wait_for_paths(page, 0)


def _wait_for_paths(page: Page, moved: int) -> None:
    """Wait until the frame shows all areas, as many as moved in the colour of moved areas."""
    end = time.monotonic() + PATIENCE_S
    script = """() => [document.querySelectorAll("path.leaflet-interactive").length,
      document.querySelectorAll('path[fill="#ff00ff"]').length]"""
    while time.monotonic() < end:
        frame = page.locator("iframe").first.element_handle().content_frame()
        if frame is not None and frame.evaluate(script) == [5000, moved]:
            return
        page.wait_for_timeout(20)
    raise TimeoutError("the map of the peer did not appear")


if __name__ == "__main__":
    main()
