"""What a rulebook says, as a short text for keys of kept answers. Nothing of Streamlit is imported here."""

from __future__ import annotations

from functools import lru_cache

from geodata.errors import RuleError
from planning.rules import Rules, read_rulebook


@lru_cache(maxsize=64)
def read_rules(reference: str) -> Rules:
    """Return the rules of a reference, read once: built-in books and files named by digest do not change meanwhile."""
    return read_rulebook(reference)


def compute_rules_key(reference: str) -> str:
    """Return the fingerprint of a rulebook, so that an answer kept on disk is not taken for that of other rules.

    A reference that cannot be read stands for itself.
    """
    try:
        return read_rules(reference).fingerprint
    except RuleError:
        return reference
