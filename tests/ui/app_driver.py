"""Starts the app as its users do and drives it with Chromium; notes every request and console error."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WINDOW = {"width": 1280, "height": 720}
LOCAL_HOSTS = {"localhost", "127.0.0.1", ""}
PATIENCE_S = 90.0


@dataclass
class RunningApp:
    """One server with a cache of its own."""

    url: str
    cache_folder: Path
    log_path: Path
    process: subprocess.Popen[bytes]

    def read_log(self) -> str:
        """What the server has printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


@dataclass
class Visit:
    """One browser tab, with everything that it asked for and complained about."""

    page: Page
    app: RunningApp
    requests: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    def open(self, path: str = "/", **query: str) -> Visit:
        """Go to a page and wait until it stands still."""
        self.page.goto(self.app.url + path + ("?" + urlencode(query) if query else ""))
        return self.settle()

    def settle(self, timeout_s: float = PATIENCE_S) -> Visit:
        """Wait until Streamlit has drawn the page and no script is running."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=timeout_s * 1000)
        self.page.wait_for_timeout(250)
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=timeout_s * 1000)
        return self

    def by_key(self, key: str) -> Locator:
        """The widget or container that the app gave this key."""
        return self.page.locator(f".st-key-{key}").first

    def click(self, key: str) -> Visit:
        """Click the button with this key."""
        self.by_key(key).locator("button").first.click()
        return self

    def choose(self, key: str, option: str) -> Visit:
        """Choose an option of the select box whose key begins with ``key``."""
        box = self.page.locator(f"[class*='st-key-{key}']").first.locator("input").first
        box.scroll_into_view_if_needed()
        box.focus()
        box.press("ArrowDown")  # a click may scroll the page, and scrolling closes the list
        self.page.get_by_role("option", name=option, exact=True).first.click()
        return self.settle()

    def upload(self, key: str, *files: Path) -> Visit:
        """Give files to an upload widget."""
        self.by_key(key).locator("input[type=file]").set_input_files([str(path) for path in files])
        self.page.wait_for_timeout(500)
        return self.settle()

    def text(self) -> str:
        """All words on the page."""
        return self.page.locator("[data-testid=stApp]").inner_text()

    def picture(self, path: Path) -> Path:
        """Save what the window shows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))
        return path

    def foreign_requests(self) -> list[str]:
        """Requests that would have left the machine."""
        schemes = ("data", "blob", "about", "chrome-extension")
        parts = [(url, urlsplit(url)) for url in self.requests]
        return [url for url, part in parts if part.scheme not in schemes and part.hostname not in LOCAL_HOSTS]

    def require_clean(self) -> None:
        """Fail when the page complained, asked the internet for something, or shows a traceback."""
        assert not self.foreign_requests(), self.foreign_requests()
        assert not self.console_errors, self.console_errors
        assert self.page.locator("[data-testid=stException]").count() == 0, self.text()


def find_chromium() -> str | None:
    """Return Debian's Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("BUJU_CHROMIUM") or next((path for path in map(shutil.which, names) if path), None)


@contextmanager
def start_app(folder: Path, *, script: str = "app.py", **settings: str) -> Iterator[RunningApp]:
    """Start the app on a free port with cache, uploads and store below ``folder``; stop it afterwards.

    ``settings`` are environment variables; ``script`` may name another page of Streamlit's.
    """
    port = _find_free_port()
    log_path = folder / "app.log"
    environment = os.environ | {
        "BUJU_CACHE": str(folder / "cache"),
        "BUJU_UPLOADS": str(folder / "uploads"),
        "BUJU_STORE": str(folder / "store"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.headless=true"]
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    app = RunningApp(f"http://localhost:{port}", folder / "cache", log_path, process)
    try:
        _wait_until_healthy(app)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(app: RunningApp) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if app.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(app.url + "/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the app did not start:\n" + app.read_log())


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, app: RunningApp, *, locale: str = "en-GB") -> Iterator[Visit]:
    """Open a new tab of a visitor whose browser speaks ``locale``."""
    context = browser.new_context(locale=locale, viewport=WINDOW)  # type: ignore[arg-type]
    page = context.new_page()
    seen = Visit(page, app)

    def note_request(request: Request) -> None:
        seen.requests.append(request.url)

    def note_console(message: ConsoleMessage) -> None:
        # On a page's own address Streamlit looks for its server below that address first, and then finds it.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            seen.console_errors.append(message.text)

    page.on("request", note_request)
    page.on("console", note_console)
    page.on("pageerror", lambda error: seen.console_errors.append(str(error)))
    page.on("websocket", lambda socket: seen.requests.append(socket.url))
    try:
        yield seen
    finally:
        context.close()
