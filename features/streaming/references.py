"""Rows that point at something that is not there, or at what is another account's, among tables of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from features.checks_references import DEBT_OF_ANOTHER, IDLE_ACCOUNT, TARGETS, orphan
from features.checks_values import uncovered, without_cover
from features.hashing import Places, alike
from features.streaming.flags import Flags
from features.streaming.scan import Before, Scan, padded
from features.streaming.scattered import Rows

Bools = npt.NDArray[np.bool_]


def references(scans: Mapping[str, Scan]) -> Iterator[Flags]:
    """References are checked only where the table they point at was given: an absent one is unknown."""
    for column, target in TARGETS.items():
        pointing = [scan for scan in scans.values() if column in scan.references]
        if target not in scans:
            continue
        lost = {scan.spec.name: Flags(scan.spec.name, column, orphan(column), scan.rows) for scan in pointing}
        foreign = {scan.spec.name: Flags(scan.spec.name, column, DEBT_OF_ANOTHER, scan.rows) for scan in pointing}
        for number in range(scans[target].ids.room.parts):
            there = scans[target].ids.part(number)
            places = Places(np.empty(0, np.uint64) if there is None else there["key"].copy())
            for scan in pointing:
                rows = scan.references[column].part(number)
                if rows is not None and len(rows):
                    place = places.of(rows["key"].copy())
                    lost[scan.spec.name].add(rows["row"][place < 0])
                    if column == "debt_id" and there is not None:
                        foreign[scan.spec.name].add(rows["row"][_of_another(rows, there, place)])
        scans[target].ids.forget()
        for scan in pointing:
            scan.references[column].forget()
        yield from (flags for flags in (*lost.values(), *foreign.values()) if flags.count)


def _of_another(rows: Rows, debts: Rows, place: npt.NDArray[np.int32]) -> Bools:
    owner = debts["account"][place] if len(debts) else np.full(len(rows), -1)
    own = rows["account"]
    return np.asarray((place >= 0) & (owner >= 0) & (own >= 0) & (owner != own))


def idle_accounts(accounts: Scan, debts: Scan, before: Before) -> Iterator[Flags]:
    """Accounts that never owed anything."""
    own = np.concatenate([np.empty(0, dtype=np.int32), *accounts.own])
    owing = padded(debts.seen, before.accounts.count)
    flags = Flags("accounts", "account_id", IDLE_ACCOUNT, accounts.rows)
    flags.add(accounts.places_in_files(np.flatnonzero((own >= 0) & ~owing[own])))
    if debts.kept and flags.count:
        yield flags


def reversals(payments: Scan) -> Iterator[Flags]:
    """Negative amounts that no earlier payment of the account covers."""
    rows = []
    for number in range(payments.cover.room.parts):
        part = payments.cover.part(number)
        if part is not None and len(part):
            account, _ = alike((part["account"] + 1).astype(np.uint64))
            rows.append(part["row"][without_cover(account, part["moment"].copy(), part["amount"].copy())])
    payments.cover.forget()
    flags = Flags("payments", "amount", uncovered(sum(map(len, rows)), max(payments.kept, 1)), payments.rows)
    for found in rows:
        flags.add(found)
    if flags.count:
        yield flags
