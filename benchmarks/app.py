"""The app in a real browser: cold start, switches and clicks on the demo county, and how they grow with the units.

The peer is the app itself on 1,000 units: the ratio column says how much slower the same action is on more. Times are
from the click to the repainted map, or to the school's card; "first time" is the slowest of the modes and stages that
had not been shown before, "again" and clicks are medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from geodata.study_file import CASES_VARIABLE, compute_cases_folder
from tests.ui.app_driver import RunningApp, Visit, open_browser, start_app, visit

CELLS_M = {"1k": 365.0, "5k": 158.0, "20k": 77.0}
TOKEN = "{:032x}"
ROOT_BOX = ".buju-map[data-version]"
STUDY = """name = "Porto Alegre, {cell_m:g} m cells"
crs = "EPSG:32722"
[schools]
path = "$BUJU_CASES/porto_alegre_r5r/poa_hexgrid.csv"
keep_where_positive = "schools"
columns = {{ school_id = "id", lon_deg = "lon", lat_deg = "lat" }}
defaults = {{ stage = "primary" }}
[roads]
path = "$BUJU_CASES/porto_alegre_r5r/poa_osm.pbf"
[population]
path = "$BUJU_CASES/porto_alegre_r5r/poa_population_0002deg.tif"
kind = "raster"
share = {{ primary = 0.08, junior = 0.04 }}
[units]
kind = "grid"
cell_m = {cell_m}
"""
FIND_SCHOOL = """(at) => {
  const map = globalThis.bujuMap.maps.get("today_map"), part = map.parts.schools;
  const point = map.map.latLngToContainerPoint(map.toLatLng(part.x[at], part.y[at]));
  const box = map.frame.getBoundingClientRect();
  return [box.left + point.x, box.top + point.y];
}"""


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        folder = Path(name)
        _build_first(folder)
        cold = statistics.median(_measure_cold(folder, browser) for _ in range(3))
        print(f"Cold start, demo built before: from starting the server to the painted map of Today: {cold:.1f} s\n")
        print("| study | units | open page s | switch first time s | switch again s | click school s | ratios to 1k |")
        print("|---|---|---|---|---|---|---|")
        with start_app(folder, BUJU_CASES=str(compute_cases_folder().resolve())) as app:
            base: list[float] | None = None
            for label, reference in _list_studies():
                with visit(browser, app) as seen:
                    units, figures = _measure_study(seen, reference)
                base = figures if label == "1k" else base
                ratios = " / ".join(f"{a / b:.1f}" for a, b in zip(figures, base or [], strict=False))
                cells = " | ".join(f"{figure:.2f}" for figure in figures)
                print(f"| {label} | {units:,} | {cells} | {ratios} |", flush=True)


def _list_studies() -> list[tuple[str, str]]:
    found = [("demo", "demo")]
    if (compute_cases_folder() / "porto_alegre_r5r").is_dir():
        found += [(label, "upload-" + TOKEN.format(number)) for number, label in enumerate(CELLS_M, start=1)]
    return found


def _build_first(folder: Path) -> None:
    """Build every study into the cache of the app, so that opening it measures opening it."""
    import os

    from geodata.build import build_study, read_study
    from geodata.cache import DiskCache
    from geodata.study_file import DemoSource, StudySpec
    from planning.rules import design_class_size, read_rulebook

    os.environ[CASES_VARIABLE] = str(compute_cases_folder().resolve())
    sizes, cache = design_class_size(read_rulebook("cn")), DiskCache(folder / "cache")
    build_study(StudySpec(name="demo", demo=DemoSource(), synthetic=True), design_class_size=sizes, cache=cache)
    for (label, reference), cell_m in zip(_list_studies()[1:], CELLS_M.values(), strict=False):
        place = folder / "uploads" / reference.removeprefix("upload-")
        place.mkdir(parents=True)
        (place / "study.toml").write_text(STUDY.format(cell_m=cell_m), encoding="utf-8")
        study = read_study(place / "study.toml", design_class_size=sizes, cache=cache)
        print(f"built {label}: {len(study.units):,} units, {len(study.schools)} schools", flush=True)


def _measure_cold(folder: Path, browser: object) -> float:
    """Seconds from starting the server to the painted map of a new visitor."""
    start = time.perf_counter()
    with start_app(folder) as app, visit(browser, app) as seen:  # type: ignore[arg-type]
        _open(seen, app, "demo")
        return time.perf_counter() - start


def _open(seen: Visit, app: RunningApp, reference: str) -> None:
    seen.page.goto(f"{app.url}/today?study={reference}&lang=en")
    seen.page.wait_for_selector(ROOT_BOX, timeout=120_000)


def _measure_study(seen: Visit, reference: str) -> tuple[int, list[float]]:
    """Return the number of units and seconds: open, slowest first switch, median switch again, median click."""
    start = time.perf_counter()
    _open(seen, seen.app, reference)
    opened = time.perf_counter() - start
    seen.settle()
    units = int(seen.page.evaluate('() => globalThis.bujuMap.maps.get("today_map").parts.units.at.size'))
    first = _measure_switches(seen, ("Bicycle", "Car or bus"))
    again = _measure_switches(seen, ("Walk", "Bicycle", "Car or bus", "Walk"))
    if seen.page.get_by_text("Junior", exact=True).count():
        first += _measure_switches(seen, ("Junior", "Senior"))
        again += _measure_switches(seen, ("Junior", "Primary", "Senior", "Primary"))
    clicks: list[float] = []
    for number in (0, 5, 9, 14, 20):
        x, y = seen.page.evaluate(FIND_SCHOOL, number)
        with _stopwatch(clicks):
            seen.page.mouse.click(x, y)
            seen.page.locator(".st-key-today_close button").wait_for(timeout=20_000)
        seen.settle()
        seen.by_key("today_close").locator("button").click()
        seen.page.locator(".st-key-today_close button").wait_for(state="detached", timeout=20_000)
        seen.settle()
    return units, [opened, max(first), statistics.median(again), statistics.median(clicks)]


def _measure_switches(seen: Visit, options: tuple[str, ...]) -> list[float]:
    """Seconds from choosing each option to the repainted map."""
    spans: list[float] = []
    for option in options:
        seen.page.wait_for_timeout(600)  # a late repaint of the step before must not count as the answer
        before = seen.page.locator(ROOT_BOX).get_attribute("data-version")
        with _stopwatch(spans):
            seen.page.get_by_text(option, exact=True).first.click()
            seen.page.wait_for_selector(f"{ROOT_BOX}:not([data-version='{before}'])", timeout=60_000)
        seen.settle()
    return spans


@contextmanager
def _stopwatch(spans: list[float]) -> Iterator[Callable[[], None]]:
    start = time.perf_counter()
    yield lambda: None
    spans.append(time.perf_counter() - start)


if __name__ == "__main__":
    main()
