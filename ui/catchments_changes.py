"""Every area with its school today and as drawn, as a table for a reader: on the page and in the download."""

from __future__ import annotations

import pandas as pd

from reports.language import Translator


def build_change_table(rows: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the areas with their school today and as drawn, and the minutes of each; numbers can be sorted."""
    return pd.DataFrame(
        {
            _("Area"): rows["name"].astype(str).to_numpy(),
            _("Township"): rows["town"].fillna("").astype(str).to_numpy(),
            _("Pupils"): rows["pupils"].astype(float).round().to_numpy(),
            _("School today"): rows["old_school_names"].fillna("").astype(str).to_numpy(),
            _("School as drawn"): rows["new_school_names"].fillna("").astype(str).to_numpy(),
            _("Pupils who change"): rows["moved_pupils"].astype(float).round().to_numpy(),
            _("Way today (min)"): rows["min_before"].astype(float).round(1).to_numpy(),
            _("Way as drawn (min)"): rows["min_after"].astype(float).round(1).to_numpy(),
            _("Longer by (min)"): rows["extra_min"].astype(float).round(1).to_numpy(),
        }
    )
