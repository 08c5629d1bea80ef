"""Public files served beside the app: what the map in the browser is made of. Never anything of a visitor."""

from __future__ import annotations

from starlette.routing import BaseRoute


def build_routes() -> list[BaseRoute]:
    """Return the routes of installed packages' asset files."""
    return []
