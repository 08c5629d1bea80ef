"""The little style that the theme in ``.streamlit/config.toml`` cannot say."""

from __future__ import annotations

import json

import streamlit as st

from reports.language import Translator

STYLE = """
<style>
.block-container { padding: 4.8rem 2.5rem 1.5rem; max-width: 1400px; }
[data-testid="stHeading"] h1, [data-testid="stHeading"] h2, [data-testid="stHeading"] h3 { padding-top: 0; }
strong { font-weight: 700; }
.st-key-home { max-width: 1140px; margin: 0.75rem auto 0; }
.st-key-home h1 { padding-bottom: 0.6rem; }
.st-key-home h3 { font-size: 1.02rem; font-weight: 700; padding-bottom: 0; }
.st-key-home_doors button { min-height: 2.9rem; padding: 0 1.4rem; }
.st-key-home_notes { border-top: 1px solid #e6ebeb; padding-top: 0.6rem; margin-top: 0.4rem; }
[data-testid=stLayoutWrapper]:has(> .st-key-page_links), [data-testid=stLayoutWrapper]:has(> .st-key-language_box),
[data-testid=stElementContainer]:has(> [data-testid=stHtml]:empty) { position: absolute; }
.st-key-page_links { position: fixed; top: 0.8rem; left: 9.2rem; z-index: 1000000; width: max-content !important;
  flex-wrap: nowrap !important; gap: 0.15rem; }
.st-key-page_links > div { width: max-content !important; flex: none; }
.st-key-page_links [data-testid=stPageLink] a { padding: 0.25rem 0.6rem; border-radius: 0.5rem; }
.st-key-page_links [data-testid=stPageLink] p { font-size: 0.9rem; }
[class*="st-key-page_link_"][class*="_open"] a { background: #e8eded; }
@media (max-width: 1420px) {
  .st-key-page_links { gap: 0; }
  .st-key-page_links [data-testid=stPageLink] a { padding: 0.25rem 0.38rem; }
  .st-key-page_links [data-testid=stPageLink] p { font-size: 0.86rem; }
}
@media (max-width: 640px) {
  .st-key-page_links { top: 3.1rem; left: 0; width: 100vw !important; overflow-x: auto; background: #ffffff;
    padding: 0 0.5rem 0.3rem; border-bottom: 1px solid #e6ebeb; }
  .stApp .block-container { padding-top: 6.2rem !important; }
}
.st-key-language_box { position: fixed; top: 0.55rem; right: 1rem; z-index: 1000000; width: auto; }
.st-key-language_box button { min-height: 1.9rem; padding: 0 0.7rem; font-size: 0.85rem; }
.buju-table { width: 100%; border-collapse: collapse; font-size: 0.85rem; line-height: 1.35; }
.buju-table th { text-align: left; font-weight: 600; color: #52605f; background: #f4f6f6; white-space: nowrap; }
.buju-table th, .buju-table td { padding: 0.35rem 0.6rem; border-bottom: 1px solid #e6ebeb; vertical-align: top; }
.buju-table td { overflow-wrap: anywhere; min-width: 3rem; }
[data-testid="stFileUploaderDropzoneInstructions"] { display: none; }
[data-testid="stFileUploaderDropzone"] { padding: 0.6rem 0.75rem; min-height: 0; }
[data-testid="stMetricValue"] { font-size: 1.35rem; font-variant-numeric: tabular-nums; }
</style>
"""


def render_style(_: Translator) -> None:
    """Add the style to the page, with the few words of Streamlit's own widgets that style can translate."""
    label = "[data-testid=stFileUploaderDropzone] button [data-testid=stMarkdownContainer]"
    words = json.dumps(_("Choose a file"), ensure_ascii=False)
    rules = f"{label} {{ font-size: 0; }} {label}::after {{ content: {words}; font-size: 0.9rem; }}"
    st.html(STYLE.replace("</style>", rules + "</style>"))
