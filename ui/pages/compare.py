"""Compare: up to four scenarios side by side."""

from __future__ import annotations

from ui.reopen import open_or_build

county = open_or_build()
