"""Decisions whose action is among those they list, told row by row while they are read: the lists are long."""

from __future__ import annotations

import numpy as np

from domain.coded import Coded
from features.gates.looking import Counted
from features.reading import LoadedTable

COLUMN = "eligible"
LISTED, UNLISTED = "listed", "unlisted"
_ACTION = 'concat_ws(\'/\', "channel", "offer", "moment")'
_ANY_MOMENT = (
    "\"moment\" = 'any' AND "
    f'len(list_filter("{COLUMN}", lambda one: starts_with(one, concat_ws(\'/\', "channel", "offer", \'\')))) > 0'
)
INSTEAD = {
    COLUMN: f'CASE WHEN "{COLUMN}" IS NULL THEN NULL '
    f"WHEN list_contains(\"{COLUMN}\", {_ACTION}) OR ({_ANY_MOMENT}) THEN '{LISTED}' ELSE '{UNLISTED}' END"
}
"""What stands in the place of a list: the judgement of ``features.gates.counting.chosen_is_eligible`` in SQL."""


def chosen_is_eligible(table: LoadedTable) -> Counted | None:
    """Decisions whose action they do not list, of a table that was read with ``INSTEAD``."""
    told = table.data.get(COLUMN)
    if not isinstance(told, Coded):
        return None
    parts = [values for name in ("channel", "offer", "moment") if isinstance(values := table.data[name], Coded)]
    given = np.logical_and.reduce([values.codes >= 0 for values in (told, *parts)])
    listed = np.array([*(value == LISTED for value in told.values), False])[told.codes]
    return Counted(int(np.count_nonzero(given & ~listed)), int(np.count_nonzero(given)))
