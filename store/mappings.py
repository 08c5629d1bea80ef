"""What planners said about the columns and words of a file: found again for the next file with the same headers.

A mapping is a convenience, no decision: the last one counts, it can be forgotten, and the audit trail does not tell it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from geodata.messages import msg
from store.checks import clean_who
from store.desk import Desk
from store.errors import StoreNameError
from store.models import mappings, plain_json
from store.values import StoredMapping

CONTENT_BYTES = 200_000
"""The longest mapping: a file of a few hundred columns with a few thousand words."""


def compute_mapping_key(role: str, headers: Iterable[str]) -> str:
    """Return what makes two files the same kind: what they are for, and their headers in any order."""
    text = json.dumps([role, sorted({header.strip() for header in headers})], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Mappings(Desk):
    """What the store does with mappings of columns and words."""

    def save_mapping(self, role: str, headers: Iterable[str], content: Mapping[str, Any], who: str) -> StoredMapping:
        """Remember plain data for files with these headers; an earlier mapping of them is replaced.

        Raises ``StoreError`` where it is too long or cannot be written.
        """
        plain = plain_json(content)
        size = len(json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace"))
        if size > CONTENT_BYTES:
            raise StoreNameError(
                msg("The text is too long: {size:,} bytes, at most {limit:,}.", size=size, limit=CONTENT_BYTES)
            )
        saved = StoredMapping(compute_mapping_key(role, headers), role, plain, clean_who(who), self._clock())
        with self._write() as connection:
            connection.execute(delete(mappings).where(mappings.c.mapping_key == saved.mapping_key))
            connection.execute(insert(mappings).values(**vars(saved)))
        return saved

    def find_mapping(self, role: str, headers: Iterable[str]) -> StoredMapping | None:
        """Return what was remembered for files with these headers, or None."""
        wanted = select(mappings).where(mappings.c.mapping_key == compute_mapping_key(role, headers))
        with self._read() as connection:
            row = connection.execute(wanted).one_or_none()
            return None if row is None else StoredMapping(**row._mapping)

    def forget_mapping(self, role: str, headers: Iterable[str]) -> bool:
        """Forget it; return whether there was one."""
        gone = delete(mappings).where(mappings.c.mapping_key == compute_mapping_key(role, headers))
        with self._write() as connection:
            return connection.execute(gone).rowcount > 0
