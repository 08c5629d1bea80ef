"""Shared fixtures: the real cases, a private cache, Hypothesis settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from geodata.study_file import CASES_VARIABLE, compute_cases_folder

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of real cases; without it the test is skipped, and fails in CI."""
    folder = compute_cases_folder()
    if not (folder / "porto_alegre_r5r").is_dir():
        message = (
            f"real cases not found: set {CASES_VARIABLE} to their folder (docs/real-cases.md says where to get them)"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the tests out of the user's cache; one cache for the whole run, so that the demo is built once."""
    # The worker processes of pytest-xdist have folders of their own below that of the run.
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "cache"
    folder.mkdir(exist_ok=True)
    os.environ["BUJU_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def private_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the tests out of the user's store, and out of the team's database."""
    folder = tmp_path_factory.mktemp("store")
    os.environ["BUJU_STORE"] = str(folder)
    os.environ.pop("BUJU_DATABASE_URL", None)
    return folder
