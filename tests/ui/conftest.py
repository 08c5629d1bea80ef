"""Fixtures for tests in the browser: one server and one Chromium for all, a fresh tab for each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.ui.app_driver import RunningApp, Visit, find_chromium, open_browser, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TRIES_AGAIN = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in the browser is tried again before it fails: on a busy machine a page may be late; ``-ra`` tells it."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=TRIES_AGAIN, reruns_delay=2))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        message = "no Chromium on this machine (apt-get install chromium, or set BUJU_CHROMIUM)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with open_browser() as started:
        yield started


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with start_app(tmp_path_factory.mktemp("app")) as started:
        yield started


@pytest.fixture
def new_visit(browser: Browser, app: RunningApp) -> Iterator[Callable[..., Visit]]:
    """Open tabs: ``new_visit(locale="zh-CN")``."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(visit(browser, app, **options))
