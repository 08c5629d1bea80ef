"""Rules: every rule with its clause, own copies that change some of them, and a county checked against all of them."""

from __future__ import annotations

from ui.rules_page import render_page_style, render_rules

render_page_style()
render_rules()
