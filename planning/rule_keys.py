"""The registry of keys: every question a rule can answer, and who reads the answer."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

KEYS_FILE = Path(__file__).parent / "rulebooks" / "keys.csv"
KEY_USES = ("measured", "parameter", "evidence", "reference")


@dataclass(frozen=True)
class RuleKey:
    """One key: what its rules are about.

    ``use`` says who reads it: ``measured`` (a quantity is worked out from the data and compared with it),
    ``parameter`` (a computation takes its numbers from it), ``evidence`` (a person answers it, with a document) or
    ``reference`` (shown and cited, compared with nothing).
    ``number`` tells that every rule of the key has a threshold.
    ``scope`` is what one answer is about: a class, school, unit, town, county, group, site, process or parameter.
    """

    name: str
    use: str
    scope: str
    number: bool
    meaning_en: str
    meaning_zh: str


def read_keys(file: Path = KEYS_FILE) -> Mapping[str, RuleKey]:
    """Read the registry: a table of one key per line."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        found = [
            RuleKey(row["name"], row["use"], row["scope"], row["number"] == "yes", row["meaning_en"], row["meaning_zh"])
            for row in rows
        ]
    return MappingProxyType({key.name: key for key in found})


KEYS = read_keys()
RULE_KEYS = tuple(sorted(KEYS))
"""Every key a rule may have; another one is an error, not a silent line."""
