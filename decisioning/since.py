"""What became known of debtors between two moments: anything at all, and payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.dossier import Dossier, Known
from features.encoding import Encoded
from features.spine import Spine
from features.state import local_of

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_ENDS = {"holds": "released_at", "promises": "resolved_at"}
"""Where the same row says more once it has ended."""


@dataclass(frozen=True)
class Since:
    """Accounts as known at two moments each: ``then`` and ``now`` have the same accounts in the same order."""

    encoded: Encoded
    then: Dossier
    now: Dossier

    @classmethod
    def of(cls, encoded: Encoded, *, then: Spine, now: Spine) -> Since:
        """What the ledgers tell of both."""
        return cls(encoded, Dossier(encoded, then), Dossier(encoded, now))

    def anything(self) -> Bools:
        """(n,) whether the later moment knows anything else of the debtor than the earlier one; decisions do not count.

        A row that is new, corrected or ended, on any account of the debtor, and another version of the account itself.
        """
        found: Bools = local_of(self.encoded, self.then.spine).row != local_of(self.encoded, self.now.spine).row
        for table in sorted(self.encoded.present - {"accounts", "decisions"}):
            then, now = self.then.known(table), self.now.known(table)
            size = self.encoded.tables.rows(table) + 1
            found[np.setxor1d(_keys(then, size), _keys(now, size)) // size] = True
            if table in _ENDS:
                ended = self.encoded.tables.ints(table, _ENDS[table])[now.source]
                found[now.row[self._between(ended, now.row)]] = True
        return found

    def paid(self, debt_ids: Sequence[Sequence[str]]) -> Bools:
        """(n,) whether a payment of some debts of each account became known, that of any of them, or of none by name.

        Parameters
        ----------
        debt_ids : (n,) the debts that count

        Notes
        -----
        A payment that names another debt of the account does not count: what it leaves over shows in what is owed. One
        that was reversed since does. A correction of a payment that was known before is none.
        """
        found = np.zeros(len(debt_ids), dtype=np.bool_)
        if not self.encoded.tables.has("payments"):
            return found
        size = len(self.encoded.tables.text("payments", "payment_id").values) + 2
        then, now = (_keys(one.known("payments"), size, self._payment_ids(one)) for one in (self.then, self.now))
        new = ~np.isin(now, then) & self.now.known("payments").own & (self.now.ints("payments", "amount") > 0)
        places = np.flatnonzero(new)
        rows = self.now.known("payments").row[places].tolist()
        named = self.now.text("payments", "debt_id").take(places).decode()
        others = self._debts_of({*rows})
        for row, name in zip(rows, named, strict=True):
            found[row] |= name is None or name in debt_ids[row] or name not in others[row]
        return found

    def _payment_ids(self, dossier: Dossier) -> Int64s:
        return dossier.text("payments", "payment_id").codes.astype(np.int64) + 1

    def _debts_of(self, rows: set[int]) -> dict[int, set[str | None]]:
        """The debts that are known of some rows' own accounts."""
        known = self.now.known("debts")
        places = np.flatnonzero(known.own & np.isin(known.row, [*rows]))
        names = self.now.text("debts", "debt_id").take(places).decode() if rows else []
        found: dict[int, set[str | None]] = {row: set() for row in rows}
        for row, name in zip(known.row[places].tolist(), names, strict=True):
            found[row].add(name)
        return found

    def _between(self, moments_us: Int64s, row: Int64s) -> Bools:
        """Whether moments (m,) lie between the two of their rows."""
        return (self.then.spine.as_of_us[row] <= moments_us) & (moments_us < self.now.spine.as_of_us[row])


def _keys(known: Known, size: int, of: Int64s | None = None) -> Int64s:
    """One number for each pair of a row and what is known of it."""
    found: Int64s = known.row * size + (known.source if of is None else of)
    return found
