"""What soak_gates.py counted over seeds, and how it is told."""

from __future__ import annotations

from collections import Counter, defaultdict

from counted_shares import wilson
from defects import Defect

LEAST_CAUGHT, MOST_FALSE = 0.995, 0.01


class Tally:
    """What was counted over all seeds."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.alone: Counter[str] = Counter()
        self.missed: defaultdict[str, list[int]] = defaultdict(list)
        self.clean, self.false = 0, Counter[str]()
        self.stopped = 0

    def merge(self, other: Tally) -> None:
        """Adds what was counted on other seeds."""
        self.hits += other.hits
        self.alone += other.alone
        for name, seeds in other.missed.items():
            self.missed[name] += seeds
        self.clean, self.stopped = self.clean + other.clean, self.stopped + other.stopped
        self.false += other.false

    def add_clean(self, seed: int, found: list[str]) -> None:
        """One clean directory."""
        self.clean += 1
        self.stopped += bool(found)
        for what in found:
            self.false[f"{what} (seed {seed})"] += 1

    def add(self, defect: Defect, seed: int, *, hit: bool, alone: bool) -> None:
        """One planted defect."""
        self.hits[defect.name] += hit
        self.alone[defect.name] += alone
        if not hit:
            self.missed[defect.name].append(seed)


def show(tally: Tally, chosen: list[Defect], seeds: int) -> bool:
    """Prints the table; whether the figures are reached."""
    reached = show_planted(tally, chosen, seeds) if chosen else True
    low, high = wilson(tally.stopped, tally.clean)
    print(f"clean data: {tally.stopped} of {tally.clean} stopped, {100 * tally.stopped / tally.clean:.2f} % "
          f"[{100 * low:.2f} %, {100 * high:.2f} %] {dict(tally.false) or ''}")  # fmt: skip
    return reached and tally.stopped / tally.clean <= MOST_FALSE


def show_planted(tally: Tally, chosen: list[Defect], seeds: int) -> bool:
    """Prints what was planted, and what of it was caught; whether that is enough."""
    width = max(len(defect.name) for defect in chosen)
    print(f"{'defect':<{width}}  severity  caught           95 % interval  alone  by")
    for defect in sorted(chosen, key=lambda one: one.severity != "critical"):
        hits = tally.hits[defect.name]
        low, high = wilson(hits, seeds)
        line = f"{defect.name:<{width}}  {defect.severity:<8}  {hits:>3} of {seeds:<3}"
        missed = f"  missed on seeds {tally.missed[defect.name]}" if tally.missed[defect.name] else ""
        print(f"{line}  [{100 * low:6.2f} %, {100 * high:6.2f} %]  {tally.alone[defect.name]:>3}    "
              f"{', '.join(defect.caught_by)}{missed}")  # fmt: skip
    total, hits = len(chosen) * seeds, sum(tally.hits.values())
    low, high = wilson(hits, total)
    print(f"{len(chosen)} kinds on {seeds} seeds: {hits} of {total} caught, {100 * hits / total:.2f} % "
          f"[{100 * low:.2f} %, {100 * high:.2f} %]")  # fmt: skip
    critical = [defect.name for defect in chosen if defect.severity == "critical" and tally.missed[defect.name]]
    print(f"critical kinds missed: {critical or 'none'}")
    return hits / total >= LEAST_CAUGHT and not critical
