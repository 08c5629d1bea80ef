"""Background pictures for the map: none unless the machine's configuration names a server of tiles."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

TILES_VARIABLE = "BUJU_TILES"


def read_tiles() -> dict[str, str] | None:
    """Return the tile address from ``BUJU_TILES`` (``https://…/{z}/{x}/{y}.png``), or None: then no request is made."""
    url = os.environ.get(TILES_VARIABLE, "").strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "{z}" not in url:
        return None
    return {"url": url}


def list_tile_hosts() -> tuple[str, ...]:
    """Return the servers from which the page may load pictures, for the content policy."""
    tiles = read_tiles()
    if tiles is None:
        return ()
    parts = urlsplit(tiles["url"])
    return (f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}",)
