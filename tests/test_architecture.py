"""The law of the house: imports point down, names and sizes keep to DESIGN. Read from the code, not from memory."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("geodata", "planning", "store", "reports", "ui", "batch", "terminal")
DATABASES = {"sqlalchemy", "alembic", "pg8000"}
BANNED = {
    "geodata": {"streamlit", "folium", "planning", "reports", "ui", "store", "dask", "distributed", *DATABASES},
    "planning": {
        *("streamlit", "folium", "reports", "ui", "store", "dask", "distributed"),
        *("geopandas", "shapely", "pyproj", "pyogrio", "rasterio", "osmium", "osmnx", "networkx"),
        *DATABASES,
    },
    "store": {
        *("streamlit", "folium", "reports", "ui", "dask", "distributed"),
        *("geopandas", "shapely", "pyproj", "pyogrio", "rasterio", "osmium", "osmnx", "networkx"),
    },
    "reports": {"streamlit", "ui", "store", "dask", "distributed", *DATABASES},
    "ui": {"dask", "distributed", *DATABASES},
    "batch": {"streamlit", "folium", "ui", "terminal", *DATABASES},
    "terminal": {"streamlit", "folium", "ui", "dask", "distributed", *DATABASES},
}
SOLVERS = {"ortools", "highspy", "pyscipopt", "pulp"}
DOORS = {"app", "cli"}
ROOMS_OF_DOORS = {"terminal", "batch"}
"""Packages that no floor may import: a door opens them; the terminal, the batch door's."""


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _imports(tree: ast.Module) -> Iterator[str]:
    """Top-level package of every import, except those only for type checking."""
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", _files(*FLOORS), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    found = set(_imports(ast.parse(path.read_text(encoding="utf-8"))))
    open_to_it = {floor, "batch"} if floor == "terminal" else {floor}
    assert not found & (BANNED[floor] | DOORS | (ROOMS_OF_DOORS - open_to_it))
    if "solvers" not in path.parts:
        assert not found & SOLVERS


def test_dask_stays_in_one_module_that_nothing_loads_unasked() -> None:
    for path in _files("batch"):
        found = set(_imports(ast.parse(path.read_text(encoding="utf-8")))) & {"dask", "distributed"}
        assert not found or path.name == "cluster.py", path.name
    loaded = "import cli, sys; cli.main(['rules']); print({'dask', 'distributed', 'batch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("path", _files(*FLOORS), ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_modules_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 500, "a module of about 400 lines; split it by question"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", _files(*FLOORS), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_forbidden_names(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "misc"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not node.name.lstrip("_").startswith(("get_", "process_", "handle_")), node.name


def test_no_broad_except_below_the_doors() -> None:
    for path in _files("geodata", "planning", "store", "reports", "terminal"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {""}
                assert not names & {"", "Exception", "BaseException"}, f"{path.name}:{node.lineno}"


def test_packages_only_reexport() -> None:
    for path in _files(*FLOORS):
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
            assert all(isinstance(node, allowed) for node in body), path


def test_requirements_are_pinned_and_free() -> None:
    banned = {"igraph", "pandana", "pyrosm", "r5py", "momepy-gpl"}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].strip()
        if requirement:
            name, _, version = requirement.partition("==")
            assert version, f"{requirement} is not pinned"
            assert name.lower() not in banned


def test_no_machine_paths_in_the_tree() -> None:
    marks = ("/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/")
    endings = {".py", ".md", ".toml", ".csv", ".txt", ".js", ".css", ".po", ""}
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not parts[0].startswith(".") and path.suffix in endings and "__pycache__" not in parts:
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not any(mark in text for mark in marks), path
