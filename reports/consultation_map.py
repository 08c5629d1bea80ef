"""The offline map: one HTML file that opens by double click and asks nobody for anything.

Everything is in the file: Leaflet (from its installed package), own scripts, shapes and words of every language. User
text reaches the page as data only, and the page writes it with ``textContent``. The content policy names the digest of
each script and style, so that nothing else can run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.comment_form import build_form_spec
from reports.consultation_map_data import build_map_data
from reports.consultation_map_words import build_page_words, say_no_script
from reports.language import LANGUAGE_NAMES, LOCALES, read_catalogue

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

PAGE_FOLDER = Path(__file__).resolve().parent / "consultation_page"
SCRIPTS = ("words", "shapes", "county", "search", "paint", "map", "card", "lists", "form", "page")
"""Parts of the page's script, in order: a part uses only what stands before it."""
_PLACE = re.compile(r"@([A-Z]+)@")


def build_map_page(consultation: Consultation) -> bytes:
    """Return the offline map with all languages of ``consultation.languages`` as one HTML file in UTF-8.

    Equal consultations make equal files. Nothing in it is loaded from anywhere; scripts and styles other than its own
    are refused by its content policy.
    """
    data = _escape_json(build_page_data(consultation))
    leaflet, leaflet_style = _read_leaflet()
    script = "(function () {\n'use strict';\n" + "\n".join(_read(f"{name}.js") for name in SCRIPTS) + "\n}());\n"
    style = leaflet_style + _read("page.css")
    spoken = [read_catalogue(language) for language in consultation.languages]
    parts = {
        "LANG": LOCALES[consultation.languages[0]].replace("_", "-"),
        "TITLE": html.escape(consultation.title),
        "POLICY": _build_policy([leaflet, script], [style]),
        "STYLE": style,
        "NOSCRIPT": html.escape(" / ".join(say_no_script(_) for _ in spoken)),
        "DATA": data,
        "LEAFLET": leaflet,
        "SCRIPT": script,
    }
    return _PLACE.sub(lambda place: parts[place.group(1)], _read("page.html")).encode("utf-8")


def build_page_data(consultation: Consultation) -> dict[str, Any]:
    """Return what the page reads: words and forms by language, and the county."""
    catalogues = {language: read_catalogue(language) for language in consultation.languages}
    return {
        "pack_id": consultation.pack_id,
        "title": consultation.title,
        "languages": list(catalogues),
        "language_names": {language: LANGUAGE_NAMES[language] for language in catalogues},
        "texts": {language: build_page_words(consultation, _) for language, _ in catalogues.items()},
        "forms": {language: build_form_spec(consultation, _) for language, _ in catalogues.items()},
        **build_map_data(consultation),
    }


def _escape_json(data: dict[str, Any]) -> str:
    """Return JSON that cannot end its script block, whatever names hold."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _build_policy(scripts: list[str], styles: list[str]) -> str:
    """Return the content policy: own scripts and styles by digest, pictures and fonts from the file itself."""
    allowed = {"script-src": scripts, "style-src": styles}
    digests = [f"{kind} {' '.join(_digest(text) for text in texts)}" for kind, texts in allowed.items()]
    rest = ["img-src data: blob:", "font-src data:", "base-uri 'none'", "form-action 'none'"]
    return "; ".join(["default-src 'none'", *digests, *rest])


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"


def _read_leaflet() -> tuple[str, str]:
    """Return Leaflet's script and style, from its installed package, without what would be loaded beside them."""
    folder = resources.files("js_lib_leaflet") / "static" / "js_lib_leaflet"
    script = (folder / "leaflet.js").read_text(encoding="utf-8").split("//# sourceMappingURL")[0]
    style = (folder / "leaflet.css").read_text(encoding="utf-8")
    return script, re.sub(r"url\([^)]*\)", "none", style)


def _read(name: str) -> str:
    return (PAGE_FOLDER / name).read_text(encoding="utf-8")
