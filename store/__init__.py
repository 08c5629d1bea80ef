"""REMEMBER: studies, rule sets, scenarios with their history, runs and an audit trail, in SQLite or PostgreSQL."""

from store.database import STORE_VARIABLE, URL_VARIABLE
from store.errors import StoreConflict, StoreError, StoreMissingError, StoreNameError
from store.store import Store, open_store
from store.values import AuditEntry, StoredMapping, StoredRuleset, StoredRun, StoredScenario, StoredStudy, StoredVersion

__all__ = [
    "STORE_VARIABLE",
    "URL_VARIABLE",
    "AuditEntry",
    "Store",
    "StoreConflict",
    "StoreError",
    "StoreMissingError",
    "StoreNameError",
    "StoredMapping",
    "StoredRuleset",
    "StoredRun",
    "StoredScenario",
    "StoredStudy",
    "StoredVersion",
    "open_store",
]
