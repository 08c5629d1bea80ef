"""Coverage-guided fuzzing of the readers that are Python of ours: tables, web pages, GeoJSON, dBASE, study files.

Atheris is not among the requirements: ``pip install atheris`` into an environment of its own, then with the packages of
the project on ``PYTHONPATH``: ``python -m benchmarks.fuzz_atheris CORPUS -max_total_time=600``.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    """Fuzz until the time is up; tell everything but a ``DataError`` that is raised, and keep the input."""
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

    with atheris.instrument_imports(include=["geodata"]):
        from geodata import files, graphml, html_table, layer_safety, read_text, shapefiles, study_file
        from geodata.errors import DataError

    found: set[str] = set()
    folder = Path(tempfile.mkdtemp(prefix="buju-fuzz-"))

    def write(content: bytes, name: str) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    def read_shapefile_words(content: bytes) -> None:
        write(content, "a.dbf")
        shapefiles.choose_shapefile_encoding(folder / "a.shp")

    targets: list[Callable[[bytes], object]] = [
        lambda content: files.read_raw_tables(write(content, "a.csv")),
        lambda content: html_table.read_html_tables(content.decode("utf-8", "replace")),
        lambda content: layer_safety.has_foreign_system(content),
        lambda content: graphml.read_graphml(write(content, "a.graphml")),
        lambda content: study_file.read_study_file(write(content, "study.toml")),
        lambda content: read_text.read_workbook_sheets(write(b"<" + content, "a.xls")),
        read_shapefile_words,
    ]

    def test_one(data: bytes) -> None:
        if not data:
            return
        try:
            targets[data[0] % len(targets)](data[1:])
        except DataError:
            return
        except Exception as error:  # what is looked for: told once, and the run goes on
            lines = traceback.extract_tb(error.__traceback__)
            mark = f"{type(error).__name__} at {Path(lines[-1].filename).name}:{lines[-1].lineno}"
            if mark not in found:
                found.add(mark)
                print(f"FOUND {mark}: {str(error)[:100]}", file=sys.stderr, flush=True)
                write(data, f"found-{len(found)}")

    atheris.Setup(sys.argv, test_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
