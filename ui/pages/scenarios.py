"""Scenarios: close, merge, expand, open schools by hand, and keep every version."""

from __future__ import annotations

from ui.reopen import open_or_build

county = open_or_build()
