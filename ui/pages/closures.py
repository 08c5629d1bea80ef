"""Closures: what if each school closed?"""

from __future__ import annotations

from ui.reopen import open_or_build

county = open_or_build()
