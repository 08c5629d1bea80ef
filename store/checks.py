"""What may be stored as a name, a note or a text: said at once, with all that is wrong."""

from __future__ import annotations

import unicodedata

from geodata.messages import Message, msg
from store.errors import StoreNameError
from store.models import KEY_LENGTH, NAME_LENGTH, NOTE_LENGTH, WHO_LENGTH

TEXT_BYTES = 2_000_000
"""The longest text of a scenario or a rulebook."""
_REFUSED = ("Cc", "Cs", "Zl", "Zp")
# Signs that turn the direction of what follows, or cannot be seen: two names could look alike.
_HIDDEN = frozenset("\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def clean_name(name: str, *, longest: int = NAME_LENGTH) -> str:
    """Return a name as it is stored: trimmed, composed (NFC); raises ``StoreNameError``."""
    found = _clean(name, msg("name"), longest)
    if not found:
        raise StoreNameError(msg("The name is empty."), msg("Write a name."))
    return found


def clean_who(who: str) -> str:
    """Return the name of a person, trimmed; may be empty: nobody was named."""
    return _clean(who, msg("name of the person"), WHO_LENGTH)


def clean_note(note: str) -> str:
    """Return a note, trimmed; may be empty and have lines."""
    lines = [_clean(line, msg("note"), NOTE_LENGTH) for line in note.expandtabs(4).splitlines()]
    found = "\n".join(lines).strip()
    _require_length(found, msg("note"), NOTE_LENGTH)
    return found


def clean_key(key: str) -> str:
    """Return the key of a study; raises ``StoreNameError`` for one that is empty or too long."""
    found = _clean(key, msg("key of the study"), KEY_LENGTH)
    if not found:
        raise StoreNameError(msg("The key of the study is empty."))
    return found


def is_plain(key: str) -> bool:
    """Whether a key or id can stand in a database at all: what cannot is not there; ids come out of links."""
    encodable = not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in key[:KEY_LENGTH])
    return 0 < len(key) <= KEY_LENGTH and encodable


def check_text(text: str) -> str:
    """Return a text of TOML as it is; raises ``StoreNameError`` where no database could keep it."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise StoreNameError(msg("The text holds signs that cannot be stored.")) from None
    if "\x00" in text:
        raise StoreNameError(msg("The text holds signs that cannot be stored."))
    if size > TEXT_BYTES:
        raise StoreNameError(
            msg("The text is too long: {size:,} bytes, at most {limit:,}.", size=size, limit=TEXT_BYTES),
            msg("Split the scenario: let one build on the other."),
        )
    return text


def compare_key(name: str) -> str:
    """Return what makes two names the same: capital letters do not matter, nor does how accents are written."""
    return unicodedata.normalize("NFC", name.casefold())


def number_name(name: str, taken: set[str]) -> str:
    """Return ``name``, or the first of ``name (2)``, ``name (3)`` … whose :func:`compare_key` is not in ``taken``."""
    if compare_key(name) not in taken:
        return name
    stem, number = _split_number(name)
    while True:
        ending = f" ({number})"
        found = stem[: NAME_LENGTH - len(ending)].rstrip() + ending
        if compare_key(found) not in taken:
            return found
        number += 1


def _split_number(name: str) -> tuple[str, int]:
    stem, opening, ending = name.rpartition(" (")
    figures = ending.removesuffix(")")
    if opening and stem and ending.endswith(")") and figures.isascii() and figures.isdigit() and len(figures) < 6:
        return stem, int(figures) + 1
    return name, 2


def _clean(value: str, what: Message, longest: int) -> str:
    # Trimmed before it is looked at: the end of a line that came along by copying is no fault of the name.
    found = unicodedata.normalize("NFC", value.strip())
    if any(unicodedata.category(sign) in _REFUSED or sign in _HIDDEN for sign in found):
        raise StoreNameError(
            msg("The {what} holds signs that cannot be seen.", what=what), msg("Write it again by hand.")
        )
    _require_length(found, what, longest)
    return found


def _require_length(value: str, what: Message, longest: int) -> None:
    if len(value) > longest:
        raise StoreNameError(
            msg(
                "The {what} is too long: {length} signs, at most {limit}.", what=what, length=len(value), limit=longest
            ),
            msg("Shorten it."),
        )
