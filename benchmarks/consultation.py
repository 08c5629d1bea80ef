"""The consultation pack: both languages, on the demo county and on 5,000 cells of Porto Alegre, part by part.

The peer of the offline map is what folium writes of the same zones (before and after) and units, with its scripts from
the internet; ratios are of bytes and of seconds in this run. The page is then opened in Chromium, without a network.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.app import CELLS_M, STUDY
from geodata.build import read_study
from geodata.messages import Message
from geodata.outlines import build_zone_outlines
from planning.publication import list_zones
from planning.rules import design_class_size, read_rulebook
from planning.scenario_file import read_scenario
from reports.consultation import write_pack
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.consultation_map import build_map_page

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "examples" / "scenarios"


class Steps:
    """Seconds by step, as the progress tells them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = ("", time.perf_counter())

    def tell(self, step: Message, share: float) -> None:
        """Note the end of the step before."""
        name, since = self._last
        now = time.perf_counter()
        if name:
            self.seconds[name] = self.seconds.get(name, 0.0) + now - since
        self._last = (str(step), now)


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells = folder / "cells.toml"
        cells.write_text(STUDY.format(cell_m=CELLS_M["5k"]), encoding="utf-8")
        cases: Sequence[tuple[str, Path, Path, str]] = (
            ("demo", ROOT / "examples" / "studies" / "demo.toml", SCENARIOS / "demo_merger.toml", "cn"),
            ("Porto Alegre, 158 m", cells, SCENARIOS / "porto_alegre_closure.toml", "intl"),
        )
        for label, study, scenario, book in cases:
            _measure(label, folder / "packs" / book, study, (scenario, book))


def _measure(label: str, out: Path, study_path: Path, asked: tuple[Path, str]) -> None:
    rules = read_rulebook(asked[1])
    study = read_study(study_path, design_class_size=design_class_size(rules))
    scenario = read_scenario(asked[0])
    started = time.perf_counter()
    case = build_consultation(study, rules, scenario, languages=("zh", "en"))
    answered = time.perf_counter()
    steps = Steps()
    out.parent.mkdir(parents=True, exist_ok=True)
    pack = write_pack(case, out, progress=steps.tell)
    done = time.perf_counter()
    print(f"\n{label}: {len(study.units)} units, {len(study.schools)} schools, {len(pack.files)} files")
    print(f"answering {answered - started:.1f} s, writing {done - answered:.1f} s, together {done - started:.1f} s\n")
    print("| step | s |\n|---|---|")
    for step, seconds in steps.seconds.items():
        print(f"| {step} | {seconds:.2f} |")
    _compare_map(case, out / "map.html", steps)


def _compare_map(case: Consultation, page: Path, steps: Steps) -> None:
    started = time.perf_counter()
    ours = build_map_page(case)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    peer = _draw_folium(case)
    peer_seconds = time.perf_counter() - started
    print("\n| map | bytes | s | ratio of bytes | ratio of s |\n|---|---|---|---|---|")
    print(f"| ours | {len(ours):,} | {seconds:.2f} | 1 | 1 |")
    told = f"{len(peer) / len(ours):.2f} | {peer_seconds / seconds:.2f}"
    print(f"| folium, no search, no homes, no form | {len(peer):,} | {peer_seconds:.2f} | {told} |")
    print(f"opened in Chromium, ready after {_open_page(page):.2f} s (median of 3)")


def _draw_folium(case: Consultation) -> bytes:
    import folium

    study = case.study
    shown: Any = folium.Map(tiles=None)
    for side in ("before", "after"):
        zones = list_zones(case.publication, side)
        outlines = build_zone_outlines(study.units, zones, scattered=study.adjacency.scattered)
        folium.GeoJson(outlines.to_crs("EPSG:4326").to_json(), name=side).add_to(shown)
    units = study.units[["unit_id", "geometry"]].to_crs("EPSG:4326")
    folium.GeoJson(units.to_json(), name="units").add_to(shown)
    return bytes(shown.get_root().render().encode())


def _open_page(page: Path) -> float:
    from tests.ui.app_driver import open_browser

    seconds = []
    with open_browser() as browser:
        for _attempt in range(3):
            context = browser.new_context(offline=True)
            tab = context.new_page()
            started = time.perf_counter()
            tab.goto(page.as_uri())
            tab.wait_for_function("document.documentElement.dataset.readyMs")
            seconds.append(time.perf_counter() - started)
            context.close()
    return sorted(seconds)[1]


if __name__ == "__main__":
    main()
